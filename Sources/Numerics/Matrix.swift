/// A dense matrix of doubles, row by row in one array.
public struct Matrix: Sendable, Equatable {
  public let rowCount: Int
  public let columnCount: Int
  /// `rowCount × columnCount` elements, row-major.
  public private(set) var storage: [Double]

  public init(rows: Int, columns: Int, repeating value: Double = 0) {
    rowCount = max(rows, 0)
    columnCount = max(columns, 0)
    storage = Array(repeating: value, count: rowCount * columnCount)
  }

  /// - Throws: ``NumericsError/dimensionMismatch(what:expected:got:)`` where the rows differ in length.
  public init(rows: [[Double]]) throws(NumericsError) {
    rowCount = rows.count
    columnCount = rows.first?.count ?? 0
    storage = []
    storage.reserveCapacity(rowCount * columnCount)
    for (index, row) in rows.enumerated() {
      guard row.count == columnCount else {
        throw .dimensionMismatch(what: "matrix row \(index)", expected: columnCount, got: row.count)
      }
      storage += row
    }
  }

  /// - Throws: ``NumericsError/dimensionMismatch(what:expected:got:)`` unless there are `rows × columns`
  ///   elements.
  public init(rows: Int, columns: Int, storage: [Double]) throws(NumericsError) {
    guard rows >= 0, columns >= 0, storage.count == rows * columns else {
      throw .dimensionMismatch(what: "matrix storage", expected: rows * columns, got: storage.count)
    }
    rowCount = rows
    columnCount = columns
    self.storage = storage
  }

  public static func identity(_ size: Int) -> Matrix {
    var result = Matrix(rows: size, columns: size)
    for index in 0..<size { result[index, index] = 1 }
    return result
  }

  /// The element in row `i`, column `j`; both must be within the matrix.
  public subscript(i: Int, j: Int) -> Double {
    get { storage[i * columnCount + j] }
    set { storage[i * columnCount + j] = newValue }
  }

  /// Row `i`; the slice's indices are those of ``storage``.
  public func row(_ i: Int) -> ArraySlice<Double> { storage[i * columnCount..<(i + 1) * columnCount] }

  public func column(_ j: Int) -> [Double] { (0..<rowCount).map { self[$0, j] } }

  public var diagonal: [Double] { (0..<min(rowCount, columnCount)).map { self[$0, $0] } }

  public func transposed() -> Matrix {
    var result = Matrix(rows: columnCount, columns: rowCount)
    for i in 0..<rowCount {
      for j in 0..<columnCount { result[j, i] = self[i, j] }
    }
    return result
  }

  /// The matrix made of the rows at `indices`, in that order.
  public func selectingRows(_ indices: some Sequence<Int>) -> Matrix {
    var selected: [Double] = []
    var count = 0
    for index in indices {
      selected += row(index)
      count += 1
    }
    return Matrix(unchecked: count, columnCount, selected)
  }

  private init(unchecked rows: Int, _ columns: Int, _ storage: [Double]) {
    rowCount = rows
    columnCount = columns
    self.storage = storage
  }

  /// The product with a column vector of ``columnCount`` elements.
  public static func * (matrix: Matrix, vector: [Double]) -> [Double] {
    precondition(
      vector.count == matrix.columnCount, "one element a column")
    let columns = matrix.columnCount
    return [Double](unsafeUninitializedCapacity: matrix.rowCount) { result, count in
      matrix.storage.withUnsafeBufferPointer { elements in
        vector.withUnsafeBufferPointer { vector in
          for i in 0..<matrix.rowCount {
            var sum = 0.0
            for j in 0..<columns { sum += elements[i * columns + j] * vector[j] }
            result.initializeElement(at: i, to: sum)
          }
        }
      }
      count = matrix.rowCount
    }
  }

  /// The product with another matrix of ``columnCount`` rows.
  public static func * (left: Matrix, right: Matrix) -> Matrix {
    precondition(left.columnCount == right.rowCount, "the inner sizes of a product agree")
    var result = Matrix(rows: left.rowCount, columns: right.columnCount)
    for i in 0..<left.rowCount {
      for k in 0..<left.columnCount {
        let factor = left[i, k]
        for j in 0..<right.columnCount { result[i, j] += factor * right[k, j] }
      }
    }
    return result
  }

  /// `Xᵀ W X` of this matrix X and the diagonal of `weights` (ones where nil), symmetric.
  public func gram(weights: [Double]? = nil) -> Matrix {
    precondition(weights.map { $0.count == rowCount } ?? true, "one weight a row")
    let n = columnCount
    var result = Matrix(rows: n, columns: n)
    result.storage.withUnsafeMutableBufferPointer { gram in
      storage.withUnsafeBufferPointer { elements in
        for i in 0..<rowCount {
          let weight = weights?[i] ?? 1
          if weight == 0 { continue }
          let row = UnsafeBufferPointer(rebasing: elements[i * n..<(i + 1) * n])
          for a in 0..<n {
            let factor = weight * row[a]
            if factor == 0 { continue }
            let target = UnsafeMutableBufferPointer(rebasing: gram[a * n...a * n + a])
            for b in 0...a { target[b] += factor * row[b] }
          }
        }
        for a in 0..<n {
          for b in 0..<a { gram[b * n + a] = gram[a * n + b] }
        }
      }
    }
    return result
  }

  /// `Xᵀ W v` of this matrix X, the diagonal of `weights` (ones where nil) and a vector of ``rowCount``
  /// elements.
  public func transposedTimes(_ vector: [Double], weights: [Double]? = nil) -> [Double] {
    precondition(vector.count == rowCount, "one element a row")
    let n = columnCount
    var result = [Double](repeating: 0, count: n)
    result.withUnsafeMutableBufferPointer { result in
      storage.withUnsafeBufferPointer { elements in
        for i in 0..<rowCount {
          let factor = vector[i] * (weights?[i] ?? 1)
          for j in 0..<n { result[j] += factor * elements[i * n + j] }
        }
      }
    }
    return result
  }

  mutating func withUnsafeMutableStorage<R>(
    _ body: (inout UnsafeMutableBufferPointer<Double>) throws -> R
  ) rethrows -> R {
    try storage.withUnsafeMutableBufferPointer(body)
  }
}
