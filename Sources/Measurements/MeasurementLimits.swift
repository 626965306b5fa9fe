/// Bounds on measured values: beyond anything measurable, and so far inside Double's range that products and
/// squares stay finite.
package enum MeasurementLimits {
  package static let seconds = 1e-12...1e9
  package static let spreadSeconds = 0...1e9
  package static let joules = 1e-12...1e12
  package static let watts = 1e-9...1e9
  package static let feature = -1e12...1e12
  package static let count = 1...1_000_000
  package static let order = 0...1_000_000_000
  package static let textLength = 1...1_000
  package static let dictionaryCount = 0...1_000

  /// How a message about a value that is 0, negative or not finite ends.
  package static let advice = "; leave out what was not measured, or write null"
}
