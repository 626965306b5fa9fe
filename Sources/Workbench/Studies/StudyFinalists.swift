import Architectures
import CoSearch
import Foundation
import Studies
import Twins

extension Study {
  public static let confirmationSchema = "edgetwin.confirmation/1"

  /// Keeps what was measured of finalists against what was predicted, in place of what an earlier confirmation of this device found.
  public func keep(_ confirmation: Confirmation, name: String) throws {
    let documents = confirmation.records.enumerated().map {
      StudyDocument(
        kind: .confirmation, name: name, part: $0, schema: Self.confirmationSchema, json: $1.json)
    }
    guard try self.documents(.confirmation, name: name) != documents else { return }
    try keep(documents, replacing: (.confirmation, name))
  }

  /// Finalists of every search, each (architecture, device) once, in the order of the searches' names and of rank; `lines` count from 1.
  /// - Parameter device: a device's id; nil takes all.
  /// - Throws: `StudyError` or `InputFileError`.
  public func finalists(device: String? = nil) throws -> [FinalistRow] {
    var rows: [FinalistRow] = []
    var seen: Set<String> = []
    for document in try documents(.finalist) {
      let source = "\(path), finalist \(document.name) \(document.part)"
      let value = try JSONParser.document(Array(document.json.utf8), source: source)
      let architecture = try ArchitectureReader.architecture(value, source: source)
      let name = value["device"]?.string
      guard device == nil || name == device, seen.insert("\(architecture.id) \(name ?? "")").inserted else { continue }
      rows.append(
        FinalistRow(
          line: rows.count + 1, architecture: architecture, device: name, isFinalist: true,
          accuracy: value["accuracy"]?["median"]?.number))
    }
    return rows
  }

  /// What `confirm` is given of a study: the finalists on a device, and behind them the rest of the front that they were chosen from.
  /// - Parameter setup: the study's own.
  public func confirmationRows(_ twin: Twin, setup: SearchSetup) throws -> [FinalistRow] {
    let finalists = try self.finalists(device: twin.device.id)
    let ids = Set(finalists.map(\.architecture.id))
    let index = setup.deviceIndex(twin.device.id)
    let others = try front().filter { $0.device == index }.compactMap { trial -> FinalistRow? in
      let architecture = setup.space.architecture(of: trial.point)
      guard !ids.contains(architecture.id) else { return nil }
      return FinalistRow(
        line: 0, architecture: architecture, device: twin.device.id, isFinalist: false, accuracy: trial.values.accuracy)
    }
    return finalists + others
  }
}

extension DocumentValue {
  var number: Double? {
    switch content {
    case .integer(let integer): Double(integer)
    case .number(let number): number
    default: nil
    }
  }
}
