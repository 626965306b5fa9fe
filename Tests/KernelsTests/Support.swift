import CKernels
import Foundation
import ModelFiles

@testable import Kernels

/// A folder of `Fixtures`: a model, sentences, and what the float64 reference makes of them (benchmarks/kernels/make_fixture.py).
struct Fixture: Sendable {
  let model: Model
  let sentences: [[Int32]]
  let types: [[Int32]]
  private let outputs: [OutputHead: [[Double]]]

  static let all: [String: Fixture] = {
    var fixtures: [String: Fixture] = [:]
    for name in ["relative", "absolute"] { fixtures[name] = try? Fixture(name) }
    return fixtures
  }()

  struct Missing: Error {}

  static func named(_ name: String) throws -> Fixture {
    guard let fixture = all[name] else { return try Fixture(name) }
    return fixture
  }

  private struct Input: Decodable {
    var id: Int
    var ids: [Int32]
    var types: [Int32]?

    enum CodingKeys: String, CodingKey {
      case id
      case ids = "input_ids"
      case types = "token_type_ids"
    }
  }

  private struct Output: Decodable {
    var id: Int
    var head: String
    var values: [Double]
  }

  private init(_ name: String) throws {
    guard let root = Bundle.module.resourceURL?.appending(path: "Fixtures/\(name)") else { throw Missing() }
    func lines<T: Decodable>(_ file: String, _ type: T.Type) throws -> [T] {
      try String(contentsOf: root.appending(path: file), encoding: .utf8).split(separator: "\n")
        .map { try JSONDecoder().decode(type, from: Data($0.utf8)) }
    }
    model = try Model.open(folder: root.path)
    let inputs = try lines("inputs.jsonl", Input.self)
    sentences = inputs.map(\.ids)
    types = inputs.map { $0.types ?? [Int32](repeating: 0, count: $0.ids.count) }
    var outputs: [OutputHead: [[Double]]] = [:]
    for row in try lines("outputs.jsonl", Output.self) {
      guard let head = OutputHead(rawValue: row.head), row.id == outputs[head, default: []].count else {
        throw Missing()
      }
      outputs[head, default: []].append(row.values)
    }
    self.outputs = outputs
  }

  var longest: Int { model.architecture.maximumPositions }

  /// The reference's answer to every sentence, one after another.
  func expected(_ head: OutputHead) -> [Double] { (outputs[head] ?? []).flatMap { $0 } }

  func batch(_ indices: [Int]) throws -> TokenBatch {
    try TokenBatch(sequences: indices.map { sentences[$0] }, types: indices.map { types[$0] })
  }

  var everything: [Int] { Array(sentences.indices) }

  func session(
    _ head: OutputHead, batchSize: Int? = nil, length: Int? = nil, _ options: SessionOptions = SessionOptions()
  ) throws -> InferenceSession {
    try InferenceSession(
      model: model, batchSize: batchSize ?? sentences.count, sequenceLength: length ?? longest, head: head,
      options: options)
  }
}

let fixtureNames = ["relative", "absolute"]
/// Instruction sets to ask for; one that the processor lacks is answered by the next lower. Nil is the best there is.
let instructionSets: [String?] = [nil] + SessionOptions.instructionSets

let processorHasInt8 = ([nil, "avx2"] as [String?]).contains { edgetwin_kernels_best($0)?.pointee.int8 ?? false }
/// The precisions that this processor runs.
let precisions: [KernelPrecision] = processorHasInt8 ? [.fp32, .int8] : [.fp32]

/// The matrix libraries that are on this machine.
let installedLibraries = [MatrixLibraryChoice.onednn, .openblas, .accelerate].filter {
  edgetwin_library_open($0.rawValue) != nil
}

/// Largest difference over the largest value.
func relativeError(_ values: [Float], _ expected: [Double]) -> Double {
  guard values.count == expected.count, !values.isEmpty, values.allSatisfy(\.isFinite) else { return .infinity }
  let difference = zip(values, expected).map { abs(Double($0) - $1) }.max() ?? 0
  return difference / (expected.map { abs($0) }.max() ?? 0)
}

func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// The message of a kernel error; nil where nothing was thrown.
func kernelMessage(_ kind: KernelError.Kind, _ body: () throws -> some Any) -> String? {
  do {
    _ = try body()
    return nil
  } catch {
    guard let error = error as? KernelError, error.kind == kind else { return "another error: \(error)" }
    return error.description
  }
}

/// Numbers in -1…1 that look random and are the same each time.
func scattered(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(Int32(truncatingIfNeeded: state >> 33) & 0xFFFF) / 32768 - 1
  }
}
