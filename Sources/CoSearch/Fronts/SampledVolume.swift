import Numerics

/// Quasi-random points of the unit cube, in blocks of neighbours with their corners, so that counting the points above a vector
/// looks into few blocks.
struct SamplePoints: Sendable {
  static let blockSize = 32

  /// A multiple of ``blockSize``.
  let points: [SIMD8<Float>]

  /// - Parameter count: rounded up to whole blocks.
  init(
    dimension: Int, count: Int, kind: QuasiRandomSequence.Kind = .sobol
  ) throws(NumericsError) {
    let total = (count + Self.blockSize - 1) / Self.blockSize * Self.blockSize
    var sequence = try QuasiRandomSequence(kind, dimensions: dimension)
    var points: [SIMD8<Float>] = []
    points.reserveCapacity(total)
    for _ in 0..<total {
      var point = SIMD8<Float>(repeating: 0)
      let coordinates = try sequence.next()
      for (lane, value) in coordinates.enumerated() { point[lane] = Float(value) }
      points.append(point)
    }
    Self.arrange(&points, 0..<total, axis: 0, dimension: dimension)
    self.points = points
  }

  /// Sorts by halves along each axis in turn, so that a run of neighbours in the array is a small box.
  private static func arrange(_ points: inout [SIMD8<Float>], _ range: Range<Int>, axis: Int, dimension: Int) {
    guard range.count > blockSize else { return }
    points[range].sort { $0[axis] < $1[axis] }
    let half = range.count / 2 / blockSize * blockSize
    let middle = range.lowerBound + max(half, blockSize)
    let next = (axis + 1) % dimension
    arrange(&points, range.lowerBound..<middle, axis: next, dimension: dimension)
    arrange(&points, middle..<range.upperBound, axis: next, dimension: dimension)
  }
}

/// Sample points that no member of an archive covers, for asking from several threads what a vector would add.
struct UncoveredSamples: Sendable {
  private var points: [SIMD8<Float>] = []
  /// The largest of each run of ``SamplePoints/blockSize`` points, and of each run of as many blocks; last runs may be shorter.
  private var tops: [SIMD8<Float>] = []
  private var summits: [SIMD8<Float>] = []

  var count: Int { points.count }

  mutating func removeAll() {
    points.removeAll(keepingCapacity: true)
    tops.removeAll(keepingCapacity: true)
    summits.removeAll(keepingCapacity: true)
  }

  mutating func append(_ point: SIMD8<Float>) {
    let size = SamplePoints.blockSize
    if points.count % size == 0 { tops.append(point) }
    if points.count % (size * size) == 0 { summits.append(point) }
    tops[tops.count - 1] = pointwiseMax(tops[tops.count - 1], point)
    summits[summits.count - 1] = pointwiseMax(summits[summits.count - 1], point)
    points.append(point)
  }

  /// Whether more than `threshold` points lie above `vector`.
  func gain(of vector: SIMD8<Float>, exceeds threshold: Int) -> Bool {
    let size = SamplePoints.blockSize
    return points.withUnsafeBufferPointer { points in
      tops.withUnsafeBufferPointer { tops in
        var gain = 0
        for (group, summit) in summits.enumerated() where all(vector .<= summit) {
          for block in group * size..<min((group + 1) * size, tops.count) where all(vector .<= tops[block]) {
            for index in block * size..<min((block + 1) * size, points.count) where all(vector .<= points[index]) {
              gain += 1
            }
            if gain > threshold { return true }
          }
        }
        return false
      }
    }
  }
}
