import Architectures
import Foundation
import ModelFiles

/// A folder that is gone after the test.
struct Folder: ~Copyable {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "modelfiles-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  func path(_ name: String) -> String { url.appending(path: name).path }

  func write(_ bytes: [UInt8], to name: String) throws -> String {
    try Data(bytes).write(to: URL(filePath: path(name)))
    return path(name)
  }

  var contents: [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path).sorted()) ?? [] }

  deinit { try? FileManager.default.removeItem(at: url) }
}

/// The bytes of a safetensors file with a header as it is given.
func safetensors(_ header: String, data: [UInt8]) -> [UInt8] {
  let text = [UInt8](header.utf8)
  return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text + data
}

func bytes<T: FixedWidthInteger>(_ values: [T]) -> [UInt8] {
  values.flatMap { value in withUnsafeBytes(of: value.littleEndian) { Array($0) } }
}

/// Every operation, both kinds of change in width, a stack; small.
func mixedArchitecture(_ position: Architecture.Position = .relativeKey) -> Architecture {
  Architecture(
    vocabularySize: 31, maximumPositions: 12, typeVocabularySize: 2, position: position,
    layers: [
      Architecture.Layer(hiddenSize: 28, headSize: 4, heads: HeadOperation.allCases, feedForward: [17, 9]),
      Architecture.Layer(
        hiddenSize: 12, headSize: 5,
        heads: [.convolution5, .scaledDotProduct, .convolution5, .discreteFourier], feedForward: [10]),
      Architecture.Layer(hiddenSize: 16, headSize: 8, heads: [.weightedMultiplicative], feedForward: [8, 6, 7]),
    ])
}

func expectedError(_ body: () throws(ModelFileError) -> some Any) -> ModelFileError? {
  do {
    _ = try body()
    return nil
  } catch { return error }
}
