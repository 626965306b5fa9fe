/// The volume that a set of points dominates up to a reference point, exactly.
///
/// The method is that of While, Bradstreet and Barone, "A fast way of calculating exact hypervolumes" (WFG), IEEE Trans. Evol.
/// Comp. 16(1), 2012: the volume is a sum of exclusive volumes, each found from the points limited to it, a dimension less at each
/// step. Hundreds of points in three or four dimensions take milliseconds; the time grows fast with the dimension.
public enum Hypervolume {
  /// Most objectives.
  public static let maximumDimension = 8

  /// - Parameters:
  ///   - points: one row of `dimension` values a point, all to be minimised; points that do not better the reference in every
  ///     dimension add nothing.
  ///   - reference: `dimension` values, 1 to ``maximumDimension``.
  /// - Returns: the volume, in the product of the objectives' units; NaN where the sizes disagree or a value is NaN.
  public static func exact(_ points: [[Double]], reference: [Double]) -> Double {
    guard (1...maximumDimension).contains(reference.count), points.allSatisfy({ $0.count == reference.count }),
      !points.contains(where: { $0.contains(where: \.isNaN) }), !reference.contains(where: \.isNaN)
    else { return .nan }
    let vectors = points.map { point in
      var vector = SIMD8<Double>(repeating: 0)
      for (lane, value) in point.enumerated() { vector[lane] = value }
      return vector
    }
    var corner = SIMD8<Double>(repeating: 0)
    for (lane, value) in reference.enumerated() { corner[lane] = value }
    return exact(vectors, reference: corner, dimension: reference.count)
  }

  /// The same for vectors whose first `dimension` lanes are used; the rest must be equal in all.
  public static func exact(_ points: [SIMD8<Double>], reference: SIMD8<Double>, dimension: Int) -> Double {
    var gains: [SIMD8<Double>] = []
    for point in points {
      let gain = reference - point
      if (0..<dimension).allSatisfy({ gain[$0] > 0 }) { gains.append(gain) }
    }
    var calculation = Calculation(dimension: dimension)
    return calculation.volume(of: gains, dimension: dimension)
  }

  /// Recursion over dimensions; points are gains over the reference, to be maximised.
  private struct Calculation {
    /// A buffer for each dimension, so that the recursion does not allocate.
    private var buffers: [[SIMD8<Double>]]

    init(dimension: Int) { buffers = Array(repeating: [], count: dimension + 1) }

    mutating func volume(of points: [SIMD8<Double>], dimension: Int) -> Double {
      var own = points
      return volume(&own, dimension)
    }

    private mutating func volume(_ points: inout [SIMD8<Double>], _ dimension: Int) -> Double {
      if points.isEmpty { return 0 }
      if dimension == 1 { return points.reduce(0) { max($0, $1[0]) } }
      if dimension == 2 { return area(&points) }
      let last = dimension - 1
      // Ascending in the last gain: limiting the points that follow makes theirs equal, so one dimension drops out.
      points.sort { Self.precedes($0, $1, last) }
      var total = 0.0
      var limited: [SIMD8<Double>] = []
      swap(&limited, &buffers[last])
      for index in points.indices {
        let point = points[index]
        var volume = 1.0
        for lane in 0..<last { volume *= point[lane] }
        limited.removeAll(keepingCapacity: true)
        for other in points[(index + 1)...] {
          Self.insert(pointwiseMin(other, point), last, into: &limited)
        }
        if !limited.isEmpty { volume -= self.volume(&limited, last) }
        total += volume * point[last]
      }
      swap(&limited, &buffers[last])
      return total
    }

    /// Keeps `points` free of points that another one covers in the first `dimension` lanes.
    @inline(__always)
    private static func insert(_ point: SIMD8<Double>, _ dimension: Int, into points: inout [SIMD8<Double>]) {
      var mask = SIMDMask<SIMD8<Int64>>(repeating: true)
      for lane in 0..<dimension { mask[lane] = false }
      var index = 0
      while index < points.count {
        let other = points[index]
        if all((other .>= point) .| mask) { return }
        if all((point .>= other) .| mask) {
          points.swapAt(index, points.count - 1)
          points.removeLast()
        } else {
          index += 1
        }
      }
      points.append(point)
    }

    private func area(_ points: inout [SIMD8<Double>]) -> Double {
      points.sort { $0[0] > $1[0] }
      var height = 0.0
      var total = 0.0
      for point in points where point[1] > height {
        total += point[0] * (point[1] - height)
        height = point[1]
      }
      return total
    }

    private static func precedes(_ a: SIMD8<Double>, _ b: SIMD8<Double>, _ last: Int) -> Bool {
      if a[last] != b[last] { return a[last] < b[last] }
      for lane in 0..<last where a[lane] != b[lane] { return a[lane] < b[lane] }
      return false
    }
  }
}
