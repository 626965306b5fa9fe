import Architectures
import Foundation
import ModelFiles

/// `log.jsonl` of a run: a line a step, and one a judgement of the model.
///
/// A run that is resumed cuts the log back to where its checkpoint was made, so that no step is in it twice.
struct TrainingLog {
  static let name = "log.jsonl"
  private let handle: FileHandle
  private let path: String
  private(set) var byteCount: Int

  /// - Parameter byteCount: length to cut an existing log back to; 0 begins anew.
  /// - Throws: `ModelFileError` (kind `output`).
  init(folder: String, byteCount: Int) throws {
    path = "\(folder)/\(Self.name)"
    if !FileManager.default.fileExists(atPath: path) {
      _ = FileManager.default.createFile(atPath: path, contents: nil)
    }
    guard let handle = FileHandle(forUpdatingAtPath: path) else {
      throw ModelFileError(kind: .output, source: path, problem: "cannot be written; check its permissions")
    }
    self.handle = handle
    do {
      let length = try handle.seekToEnd()
      self.byteCount = min(byteCount, Int(length))
      try handle.truncate(atOffset: UInt64(self.byteCount))
      try handle.seek(toOffset: UInt64(self.byteCount))
    } catch { throw Self.failure(path, error) }
  }

  private static func failure(_ path: String, _ error: any Error) -> ModelFileError {
    ModelFileError(kind: .output, source: path, problem: "cannot be written: \(error.localizedDescription)")
  }

  mutating func append(_ members: String) throws {
    let line = Data("{\(members)}\n".utf8)
    do { try handle.write(contentsOf: line) } catch { throw Self.failure(path, error) }
    byteCount += line.count
  }

  /// The log is on the disk before a checkpoint says how long it is.
  func synchronise() throws {
    do { try handle.synchronize() } catch { throw Self.failure(path, error) }
  }
}

/// How fast a run was, by its log: over all processes that took part.
package struct TrainingPace: Sendable, Hashable {
  package var steps: Int
  package var secondsPerStep: Double

  /// - Parameter skipped: the first steps, which do not count: they grow buffers and wake threads.
  /// - Throws: `InputFileError` where the folder has no log, or it is damaged.
  package init(folder: String, skipping skipped: Int) throws {
    let path = "\(folder)/\(TrainingLog.name)"
    var parser = JSONParser(try InputBytes.read(path), source: path)
    var seconds: [Double] = []
    while let value = try parser.next() {
      // Judgements have lines of their own, without a time.
      let fields = try FieldReader(value, source: path)
      if let time = try fields.optionalNumber("seconds", in: 0...1e12) { seconds.append(time) }
    }
    steps = seconds.count
    let isLong = seconds.count > skipped
    let begin = isLong && skipped > 0 ? seconds[skipped - 1] : 0
    let counted = isLong ? seconds.count - skipped : max(seconds.count, 1)
    secondsPerStep = max(((seconds.last ?? 0) - begin) / Double(counted), 1e-6)
  }
}
