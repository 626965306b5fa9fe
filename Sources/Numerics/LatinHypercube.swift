/// Latin hypercube sampling (McKay, Beckman and Conover 1979): in every dimension each of `count` equal
/// intervals holds exactly one point.
public enum LatinHypercube {
  /// - Parameter stream: tells apart samples of one seed.
  /// - Returns: `count` points in [0, 1)^dimensions; none where `count` is not positive.
  public static func points(count: Int, dimensions: Int, seed: UInt64, stream: UInt64 = 0) -> [[Double]] {
    guard count > 0, dimensions > 0 else { return [] }
    var result = [[Double]](repeating: [Double](repeating: 0, count: dimensions), count: count)
    for dimension in 0..<dimensions {
      var random = CounterRandom(seed: seed, stream: stream, UInt64(dimension))
      let cells = (0..<count).shuffled(using: &random)
      for (index, cell) in cells.enumerated() {
        let position = (Double(cell) + random.nextUniform()) / Double(count)
        // Rounding may carry a point onto the next cell's edge.
        result[index][dimension] = min(position, (Double(cell + 1) / Double(count)).nextDown)
      }
    }
    return result
  }
}
