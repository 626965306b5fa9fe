import Accuracy
import Architectures
import Foundation

/// Where a search's accuracies come from.
public enum AccuracySource: Sendable, Hashable {
  /// Published scores of BERT-like encoders.
  case published
  /// Rows of `accuracy measure`: a file, or a folder that has them as `rows.jsonl`.
  case measured(path: String)

  /// What `measured` alone means.
  public static let standardPath = "accuracy"
  private static let rowsName = "rows.jsonl"

  /// - Parameter text: `published`, `measured`, or `measured=PATH`; nil for anything else.
  public init?(_ text: String) {
    switch text {
    case "published": self = .published
    case "measured": self = .measured(path: Self.standardPath)
    default:
      let prefix = "measured="
      guard text.hasPrefix(prefix), text.count > prefix.count else { return nil }
      self = .measured(path: String(text.dropFirst(prefix.count)))
    }
  }

  /// As files and flags have it.
  public var text: String {
    switch self {
    case .published: "published"
    case .measured(let path): "measured=\(path)"
    }
  }

  /// The same for a program that is elsewhere: a relative path is one of this folder.
  public func relative(to folder: String) -> AccuracySource {
    guard case .measured(let path) = self, !path.hasPrefix("/") else { return self }
    return .measured(path: (folder as NSString).appendingPathComponent(path))
  }

  /// The text of the rows; nil where scores are the published ones.
  /// - Throws: `InputFileError`.
  public func rows() throws -> (text: String, source: String)? {
    guard case .measured(let path) = self else { return nil }
    var isFolder: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
    let file = exists && isFolder.boolValue ? (path as NSString).appendingPathComponent(Self.rowsName) : path
    return (String(decoding: try InputBytes.read(file), as: UTF8.self), InputBytes.name(of: file))
  }

  /// A predictor fitted to it.
  /// - Throws: `InputFileError`, `NumericsError`.
  public func predictor() throws -> AccuracyPredictor {
    guard let rows = try rows() else { return try .fitted() }
    return try .fitted(on: AccuracyRow.read(text: rows.text, source: rows.source), source: rows.source)
  }
}
