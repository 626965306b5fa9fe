import ModelFiles

/// Makes one tensor of a child from its parent's.
enum TensorTransfer {
  /// A tensor with the elements that the maps name, and `initial`'s elsewhere.
  ///
  /// - Parameters:
  ///   - parent: [rows, columns], or [rows] with `columns` nil.
  ///   - initial: of the child's shape; what new elements are.
  ///   - zeroesNewColumns: new columns are 0 instead.
  static func apply(
    _ parent: Tensor, rows: AxisMap, columns: AxisMap?, initial: Tensor, zeroesNewColumns: Bool,
    report: inout TransferReport
  ) -> Tensor {
    let columns = columns ?? .whole(1)
    guard parent.count == rows.parentCount * columns.parentCount, initial.count == rows.count * columns.count else {
      report.new += initial.count
      return initial
    }
    if case .whole = rows.content, case .whole = columns.content {
      report.copied += parent.count
      return parent
    }
    if rows.isProjection || columns.isProjection {
      return project(
        parent, rows: rows, columns: columns, initial: initial, zeroesNewColumns: zeroesNewColumns, report: &report)
    }
    var values = initial.values
    let rowIndices = rows.indices
    let columnIndices = columns.indices.map { $0 ?? -1 }
    let width = columns.count
    let parentWidth = columns.parentCount
    var isWhole = false
    if case .whole = columns.content { isWhole = true }
    var copied = 0
    parent.withUnsafeFloats { source in
      values.withUnsafeMutableBufferPointer { target in
        for (row, parentRow) in rowIndices.enumerated() {
          let start = row * width
          guard let parentRow else {
            if zeroesNewColumns {
              for column in 0..<width where columnIndices[column] < 0 { target[start + column] = 0 }
            }
            continue
          }
          let from = parentRow * parentWidth
          if isWhole {
            for column in 0..<width { target[start + column] = source[from + column] }
            copied += width
            continue
          }
          for column in 0..<width {
            let index = columnIndices[column]
            if index >= 0 {
              target[start + column] = source[from + index]
              copied += 1
            } else if zeroesNewColumns {
              target[start + column] = 0
            }
          }
        }
      }
    }
    report.copied += copied
    report.new += values.count - copied
    return Tensor(shape: initial.shape, values: values) ?? initial
  }

  /// P_rows · W · P_columnsᵀ, where a map that is no projection is its selection matrix. New rows and columns are as elsewhere.
  private static func project(
    _ parent: Tensor, rows: AxisMap, columns: AxisMap, initial: Tensor, zeroesNewColumns: Bool,
    report: inout TransferReport
  ) -> Tensor {
    var values = initial.values
    let width = columns.count
    let source = parent.values
    var projected = 0
    // First the columns, [parent's rows, child's columns]: nil where a column is new.
    let columnIndices = columns.indices
    var half = [Float](repeating: 0, count: rows.parentCount * width)
    for row in 0..<rows.parentCount {
      let from = row * columns.parentCount
      for column in 0..<width {
        if case .projection(let matrix) = columns.content {
          var sum: Float = 0
          let start = column * columns.parentCount
          for inner in 0..<columns.parentCount { sum += source[from + inner] * matrix[start + inner] }
          half[row * width + column] = sum
        } else if let index = columnIndices[column] {
          half[row * width + column] = source[from + index]
        }
      }
    }
    let isOld = columns.isProjection ? [Bool](repeating: true, count: width) : columnIndices.map { $0 != nil }
    let rowIndices = rows.indices
    for row in 0..<rows.count {
      let start = row * width
      if case .projection(let matrix) = rows.content {
        var sums = [Float](repeating: 0, count: width)
        for inner in 0..<rows.parentCount {
          let weight = matrix[row * rows.parentCount + inner]
          guard weight != 0 else { continue }
          for column in 0..<width { sums[column] += weight * half[inner * width + column] }
        }
        for column in 0..<width where isOld[column] { values[start + column] = sums[column] }
        projected += isOld.count(where: { $0 })
      } else if let index = rowIndices[row] {
        for column in 0..<width where isOld[column] { values[start + column] = half[index * width + column] }
        projected += isOld.count(where: { $0 })
      }
      if zeroesNewColumns {
        for column in 0..<width where !isOld[column] { values[start + column] = 0 }
      }
    }
    report.projected += projected
    report.new += values.count - projected
    return Tensor(shape: initial.shape, values: values) ?? initial
  }
}
