import Architectures
import Calibration
import Measurements
import Twins

import struct Measurements.Measurement

/// A file of measurements, with the line of each row, so that what is wrong with a row can be found.
public struct MeasuredSeries: Sendable {
  public let source: String
  public let rows: [Measurement]
  /// Lines of the rows of the device and runtime, in order.
  private let usedLines: [Int]

  /// - Parameters:
  ///   - file: a path, or `-` for standard input.
  ///   - allowsNone: whether a file without a row is fine.
  /// - Throws: `InputFileError`.
  public init(file: String, device: String, runtime: String, allowsNone: Bool = false) throws {
    source = InputBytes.name(of: file)
    var rows: [Measurement] = []
    var usedLines: [Int] = []
    try MeasurementFile.forEach(in: file) { line, row in
      rows.append(row)
      if row.device == device && row.runtime == runtime { usedLines.append(line) }
    }
    guard !rows.isEmpty || allowsNone else { throw InputFileError(source: source, problem: "holds no measurement") }
    self.rows = rows
    self.usedLines = usedLines
  }

  /// Runs `body`, and turns what it says of the measurements into an error that names the file and the line.
  public func locating<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as CalibrationError {
      var line: Int?
      switch error {
      case .mixedSettings(_, _, _, let row), .unusableRow(let row, _):
        if usedLines.indices.contains(row) { line = usedLines[row] }
      default: break
      }
      throw InputFileError(source: source, line: line, problem: "\(error)")
    }
  }
}

extension DeviceFile {
  /// The text of a device file.
  public func encodedYAML() throws -> String { try YAMLFile.encode(self) }
}
