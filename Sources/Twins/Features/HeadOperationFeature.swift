import Architectures

/// Which features count a head of a kind.
struct HeadOperationFeature: Sendable {
  var operation: HeadOperation
  var own: Feature
  var group: Feature
}
