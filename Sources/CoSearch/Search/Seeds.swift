import Architectures

/// Models whose layers are all alike: they span the extremes of a space, so a search starts from them.
struct Seeds: Sendable {
  private let layerCounts: [Int]
  private let hiddenCount: Int
  /// Stacks whose widths are all alike, and combinations of one kind of head.
  private let stacks: [Int]
  private let combinations: [Int]
  private let stride: Int

  var count: Int { layerCounts.count * hiddenCount * stacks.count * combinations.count }

  init(_ space: DesignSpace) {
    layerCounts = space.layerCounts
    hiddenCount = space.hiddenSizes.count
    stacks = (0..<space.feedForwardStackCount).filter { Set(space.feedForwardStack($0)).count == 1 }
    combinations = (0..<space.headCombinationCount).filter { index in
      let combination = space.headCombination(index)
      return HeadOperation.allCases.contains { combination.count(of: $0) == combination.headCount }
    }
    stride = Self.strideCoprime(to: max(layerCounts.count * hiddenCount * stacks.count * combinations.count, 1))
  }

  /// Models spread over the whole list, for scaling: every so many of ``point(_:)``.
  func spread(_ wanted: Int) -> [DesignPoint] { (0..<min(wanted, count)).map(point) }

  /// The smallest and the largest models of the list: corners of layers, width, stack and number of heads, with each kind of head.
  func corners() -> [DesignPoint] {
    var result: [DesignPoint] = []
    let ends = { (count: Int) in count > 1 ? [0, count - 1] : [0] }
    for layers in Set([layerCounts.min() ?? 0, layerCounts.max() ?? 0]).sorted() {
      for hidden in 0..<hiddenCount {
        for stack in ends(stacks.count) {
          for heads in combinations { result.append(homogeneous(layers, hidden, stacks[stack], heads)) }
        }
      }
    }
    return result
  }

  /// Seed `index`, below ``count``: successive ones differ in every choice, so that a part of the list is spread too.
  func point(_ index: Int) -> DesignPoint {
    var rest = (index * stride + stride / 2) % max(count, 1)
    func draw(_ bound: Int) -> Int {
      defer { rest /= bound }
      return rest % bound
    }
    let layers = layerCounts[draw(layerCounts.count)]
    let hidden = draw(hiddenCount)
    let stack = stacks[draw(stacks.count)]
    return homogeneous(layers, hidden, stack, combinations[draw(combinations.count)])
  }

  private func homogeneous(_ layers: Int, _ hidden: Int, _ stack: Int, _ heads: Int) -> DesignPoint {
    DesignPoint(
      layers: repeatElement(DesignPoint.Layer(hidden: hidden, feedForward: stack, heads: heads), count: layers))
  }

  /// About the golden section of `count`, without a common divisor.
  static func strideCoprime(to count: Int) -> Int {
    var stride = max(Int(Double(count) * 0.618), 1)
    while greatestCommonDivisor(stride, count) != 1 { stride += 1 }
    return stride
  }

  private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : greatestCommonDivisor(b, a % b) }
}
