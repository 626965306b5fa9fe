/// The niches of NSGA-III: Deb and Jain, "An evolutionary many-objective optimization algorithm using reference-point-based
/// nondominated sorting approach, part I", IEEE Trans. Evol. Comp. 18(4), 2014.
struct ReferenceDirections: Sendable {
  let directions: [SIMD8<Double>]
  private let dimension: Int

  /// Das and Dennis's even grid on the unit simplex: the finest of at most `count` points.
  init(dimension: Int, count: Int) {
    self.dimension = dimension
    var divisions = 1
    while Self.size(dimension, divisions + 1) <= count, dimension > 1, divisions < 1_000 { divisions += 1 }
    var result: [SIMD8<Double>] = []
    var current = SIMD8<Double>(repeating: 0)
    func fill(_ lane: Int, _ rest: Int) {
      if lane == dimension - 1 {
        current[lane] = Double(rest) / Double(divisions)
        result.append(current)
        return
      }
      for part in 0...rest {
        current[lane] = Double(part) / Double(divisions)
        fill(lane + 1, rest - part)
      }
    }
    fill(0, divisions)
    directions = result
  }

  /// `C(divisions + dimension − 1, dimension − 1)`.
  private static func size(_ dimension: Int, _ divisions: Int) -> Int {
    var result = 1
    for step in stride(from: 1, to: dimension, by: 1) { result = result * (divisions + step) / step }
    return result
  }

  /// The nearest direction to each vector, by perpendicular distance, and that distance.
  func niche(of vector: SIMD8<Double>) -> (index: Int, distance: Double) {
    var best = (index: 0, distance: Double.infinity)
    for (index, direction) in directions.enumerated() {
      let along = (vector * direction).sum() / (direction * direction).sum()
      let rest = vector - direction * along
      let distance = (rest * rest).sum()
      if distance < best.distance { best = (index, distance) }
    }
    return (best.index, best.distance.squareRoot())
  }

  /// Chooses `count` of `last`, the front that does not fit in whole, given those already `chosen`: niches with fewest members first.
  ///
  /// Coordinates are scaled to the range of all that compete, where the paper takes the intercepts of the plane through extreme points.
  func select(_ count: Int, from last: [Int], chosen: [Int], _ trials: [Trial]) -> [Int] {
    let all = chosen + last
    var low = SIMD8<Double>(repeating: .infinity)
    var high = SIMD8<Double>(repeating: -.infinity)
    for index in all {
      low = pointwiseMin(low, trials[index].coordinates)
      high = pointwiseMax(high, trials[index].coordinates)
    }
    var inverse = SIMD8<Double>(repeating: 0)
    for lane in 0..<dimension { inverse[lane] = high[lane] > low[lane] ? 1 / (high[lane] - low[lane]) : 0 }
    func placed(_ index: Int) -> (index: Int, distance: Double) {
      niche(of: (trials[index].coordinates - low) * inverse)
    }
    var counts = [Int](repeating: 0, count: directions.count)
    for index in chosen { counts[placed(index).index] += 1 }
    var waiting: [Int: [(trial: Int, distance: Double)]] = [:]
    for index in last {
      let place = placed(index)
      waiting[place.index, default: []].append((index, place.distance))
    }
    for key in Array(waiting.keys) { waiting[key]?.sort { ($0.distance, $0.trial) < ($1.distance, $1.trial) } }
    var result: [Int] = []
    while result.count < count {
      guard
        let niche = waiting.filter({ !$0.value.isEmpty }).keys.min(by: { (counts[$0], $0) < (counts[$1], $1) }),
        let next = waiting[niche]?.removeFirst()
      else { break }
      result.append(next.trial)
      counts[niche] += 1
    }
    return result
  }
}
