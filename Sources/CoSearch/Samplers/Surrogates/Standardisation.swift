/// Shift and scale of each number of rows, so that they spread alike.
struct Standardisation: Sendable {
  private let centres: [Double]
  private let scales: [Double]

  init(_ rows: [[Double]]) {
    let count = rows.first?.count ?? 0
    var centres: [Double] = []
    var scales: [Double] = []
    for column in 0..<count {
      let values = rows.map { $0[column] }
      let centre = values.reduce(0, +) / Double(values.count)
      let variance = values.reduce(0) { $0 + ($1 - centre) * ($1 - centre) } / Double(values.count)
      centres.append(centre)
      scales.append(variance > 1e-12 ? 1 / variance.squareRoot() : 0)
    }
    self.centres = centres
    self.scales = scales
  }

  func callAsFunction(_ row: [Double]) -> [Double] {
    var result = row
    for index in result.indices { result[index] = (row[index] - centres[index]) * scales[index] }
    return result
  }
}
