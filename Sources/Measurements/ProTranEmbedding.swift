import Architectures

/// The 37 numbers by which ProTran's files name a model of the published FlexiBERT 2.0 space, to check its
/// rows against.
enum ProTranEmbedding {
  private static let layerCounts = [2, 4, 6, 8, 10, 12]
  private static let hiddenSizes = [128, 256, 512, 768]
  private static let headCounts = [2, 4, 8, 12]
  private static let widths = [256, 512, 1024, 2048, 3072, 4096]
  private static let kinds = HeadOperation.allCases.count

  /// The embedding of `architecture`; nil where it is no member of the published space.
  static func numbers(of architecture: Architecture) -> [Int]? {
    guard let depth = layerCounts.firstIndex(of: architecture.layers.count) else { return nil }
    var result = [depth]
    for layer in architecture.layers {
      guard let hidden = hiddenSizes.firstIndex(of: layer.hiddenSize),
        let stack = stackIndex(layer.feedForward),
        let heads = combinationIndex(layer.heads), layer.headSize == layer.hiddenSize / layer.heads.count
      else { return nil }
      result += [hidden, stack, heads]
    }
    return result + Array(repeating: 0, count: 37 - result.count)
  }

  /// Stacks of one width come first, then those of two, then of three; each group in lexicographic order.
  private static func stackIndex(_ stack: [Int]) -> Int? {
    guard (1...3).contains(stack.count) else { return nil }
    var offset = 0
    var size = 1
    for _ in 1..<stack.count {
      size *= widths.count
      offset += size
    }
    var index = 0
    for width in stack {
      guard let digit = widths.firstIndex(of: width) else { return nil }
      index = index * widths.count + digit
    }
    return offset + index
  }

  /// Combinations of 2 heads come first, then of 4, 8 and 12; each group in lexicographic order of the sorted
  /// operations.
  private static func combinationIndex(_ heads: [HeadOperation]) -> Int? {
    guard let group = headCounts.firstIndex(of: heads.count) else { return nil }
    var index = headCounts[..<group].reduce(0) { $0 + multisets(kinds: kinds, size: $1) }
    var smallest = 0
    for (position, head) in heads.map({ Int($0.rawValue) }).sorted().enumerated() {
      for kind in smallest..<head {
        index += multisets(kinds: kinds - kind, size: heads.count - position - 1)
      }
      smallest = head
    }
    return index
  }

  /// Number of combinations with replacement: binomial(kinds + size − 1, size).
  private static func multisets(kinds: Int, size: Int) -> Int {
    var result = 1
    for step in 0..<size { result = result * (kinds + step) / (step + 1) }
    return result
  }
}
