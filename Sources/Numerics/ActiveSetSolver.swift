/// Lawson and Hanson's method for `min ½cᵀGc − bᵀc, c ≥ 0`, with G scaled to a unit diagonal.
struct ActiveSetSolver {
  private let size: Int
  private let scale: [Double]
  private let gram: Matrix
  private let right: [Double]
  /// Below this a gradient component counts as 0: scaled components are at most the norm of the target.
  private let gradientTolerance: Double
  /// A new column whose squared distance from the span of the free ones is below this share of its length is
  /// collinear.
  private let pivotTolerance = 1e-12

  /// Free columns in the order of the factor's rows.
  private(set) var free: [Int] = []
  private(set) var isConverged = false
  /// Row k: the Cholesky factor's row of `free[k]`, `size` wide.
  private var factor: [Double]
  private var scaled: [Double]

  init(gram: Matrix, right: [Double], targetNorm: Double) {
    size = right.count
    // A column of subnormal length has no usable inverse scale: it is treated as empty.
    let scale = gram.diagonal.map { $0 > 1e-300 ? 1 / $0.squareRoot() : 0 }
    var scaledGram = gram
    for i in 0..<size {
      for j in 0..<size { scaledGram[i, j] *= scale[i] * scale[j] }
    }
    self.scale = scale
    self.gram = scaledGram
    self.right = zip(right, scale).map { $0 * $1 }
    gradientTolerance = 1e-10 * targetNorm
    factor = [Double](repeating: 0, count: size * size)
    scaled = [Double](repeating: 0, count: size)
  }

  var coefficients: [Double] { zip(scaled, scale).map { $0 * $1 } }

  mutating func solve() {
    var isBlocked = scale.map { $0 == 0 }
    let cap = 10 * size + 50
    for _ in 0..<cap {
      guard let entering = steepest(isBlocked) else {
        isConverged = true
        return
      }
      free.append(entering)
      guard extendFactor(from: free.count - 1) == nil else {
        free.removeLast()
        isBlocked[entering] = true
        continue
      }
      var candidate = solution()
      // In exact arithmetic a column with positive gradient enters with a positive value; where rounding says
      // otherwise it must stay out, or the method cycles.
      guard candidate[free.count - 1] > 0 else {
        free.removeLast()
        isBlocked[entering] = true
        continue
      }
      while let shrunk = retreat(towards: candidate) {
        free = shrunk.kept
        while let collinear = extendFactor(from: shrunk.firstRemoved) {
          scaled[free[collinear]] = 0
          free.remove(at: collinear)
        }
        candidate = solution()
      }
      for (position, column) in free.enumerated() { scaled[column] = candidate[position] }
      for j in isBlocked.indices { isBlocked[j] = scale[j] == 0 }
    }
  }

  /// The column, not free and not blocked, whose increase lowers the objective most; nil where none does.
  private func steepest(_ isBlocked: [Bool]) -> Int? {
    var isFree = [Bool](repeating: false, count: size)
    for column in free { isFree[column] = true }
    var best: Int?
    var bestGradient = gradientTolerance
    gram.storage.withUnsafeBufferPointer { gram in
      for j in 0..<size where !isFree[j] && !isBlocked[j] {
        var gradient = right[j]
        for column in free { gradient -= gram[j * size + column] * scaled[column] }
        if gradient > bestGradient {
          bestGradient = gradient
          best = j
        }
      }
    }
    return best
  }

  /// Moves `scaled` as far towards the candidate as stays feasible, and says which columns stay free; nil
  /// where the candidate is feasible.
  private mutating func retreat(towards candidate: [Double]) -> (kept: [Int], firstRemoved: Int)? {
    var step = 1.0
    var binding: Int?
    for (position, column) in free.enumerated() where candidate[position] <= 0 {
      let ratio = scaled[column] / (scaled[column] - candidate[position])
      if ratio < step || binding == nil {
        step = min(ratio.isFinite ? ratio : 0, 1)
        binding = position
      }
    }
    guard let binding else { return nil }
    var kept: [Int] = []
    var firstRemoved = free.count
    for (position, column) in free.enumerated() {
      scaled[column] += step * (candidate[position] - scaled[column])
      let isRemoved = position == binding || (candidate[position] <= 0 && scaled[column] <= 1e-15)
      if isRemoved {
        scaled[column] = 0
        firstRemoved = min(firstRemoved, position)
      } else {
        kept.append(column)
      }
    }
    return (kept, firstRemoved)
  }

  /// Recomputes the factor's rows from `start` on; returns the position of a column that is collinear with
  /// those before it, and stops there.
  private mutating func extendFactor(from start: Int) -> Int? {
    let (size, free, tolerance) = (size, free, pivotTolerance)
    return gram.storage.withUnsafeBufferPointer { gram in
      factor.withUnsafeMutableBufferPointer { l in
        for i in min(start, free.count)..<free.count {
          var pivot = gram[free[i] * size + free[i]]
          for j in 0..<i {
            var sum = gram[free[i] * size + free[j]]
            for k in 0..<j { sum -= l[i * size + k] * l[j * size + k] }
            let element = sum / l[j * size + j]
            l[i * size + j] = element
            pivot -= element * element
          }
          guard pivot > tolerance else { return i }
          l[i * size + i] = pivot.squareRoot()
        }
        return nil
      }
    }
  }

  /// The unconstrained minimum over the free columns, in their order.
  private func solution() -> [Double] { solved(free.map { right[$0] }) }

  private func solved(_ vector: [Double]) -> [Double] {
    var x = vector
    let n = x.count
    factor.withUnsafeBufferPointer { l in
      for i in 0..<n {
        var sum = x[i]
        for k in 0..<i { sum -= l[i * size + k] * x[k] }
        x[i] = sum / l[i * size + i]
      }
      for i in stride(from: n - 1, through: 0, by: -1) {
        x[i] /= l[i * size + i]
        for k in 0..<i { x[k] -= l[i * size + k] * x[i] }
      }
    }
    return x
  }

  /// One step of iterative refinement with the unscaled `gradient` at the unscaled `coefficients`; nil where
  /// it would leave the feasible set.
  func refined(_ coefficients: [Double], gradient: [Double]) -> [Double]? {
    let step = solved(free.map { gradient[$0] * scale[$0] })
    var result = coefficients
    for (position, column) in free.enumerated() {
      result[column] += step[position] * scale[column]
      guard result[column] >= 0, result[column].isFinite else { return nil }
    }
    return result
  }

  /// The inverse of the unscaled matrix on the free columns, zero elsewhere.
  func inverseOnFree() -> Matrix {
    var result = Matrix(rows: size, columns: size)
    for (position, column) in free.enumerated() {
      var unit = [Double](repeating: 0, count: free.count)
      unit[position] = 1
      for (row, value) in zip(free, solved(unit)) { result[row, column] = value * scale[row] * scale[column] }
    }
    return result
  }
}
