import Foundation
import Kernels
import ModelFiles

/// Our contender of benchmarks/kernels/peers.py: loads a model and answers on standard input and output (the protocol of peer_serve.py).
struct KernelServer {
  private struct Request: Decodable {
    var model: String
    var batch: Int
    var length: Int
    var threads: Int
    var precision: String?
    var instructions: String?
    var tokens: [[Int32]]?
  }

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  func run() throws {
    var session: InferenceSession?
    var batch: TokenBatch?
    while let line = readLine() {
      let words = line.split(separator: " ")
      switch words.first {
      case nil: continue
      case "quit": return
      case "run":
        guard let session, words.count == 2, let count = Int(words[1]) else {
          throw Failure(description: "run N, after a model")
        }
        var seconds: [String] = []
        for _ in 0..<count {
          let start = ContinuousClock.now
          session.runLoaded()
          seconds.append("\((ContinuousClock.now - start) / .seconds(1))")
        }
        answer("[\(seconds.joined(separator: ","))]")
      case "logits":
        guard let session, let batch else { throw Failure(description: "logits, after a model") }
        let values = try session.run(batch)
        let rows = stride(from: 0, to: values.count, by: session.outputWidth).map { start in
          "[\(values[start..<start + session.outputWidth].map { "\($0)" }.joined(separator: ","))]"
        }
        answer("[\(rows.joined(separator: ","))]")
      case "profile":
        guard let session else { throw Failure(description: "profile, after a model") }
        _ = session.profile()
        let events = session.profile()
        answer(
          "[\(events.map { "[\"\($0.name)\",\($0.layer ?? -1),\($0.durationSeconds)]" }.joined(separator: ","))]")
      default:
        let request = try JSONDecoder().decode(Request.self, from: Data(line.utf8))
        let model = try Model.open(folder: request.model)
        let own = try InferenceSession(
          model: model, batchSize: request.batch, sequenceLength: request.length,
          options: SessionOptions(
            threads: request.threads, precision: request.precision.flatMap(KernelPrecision.init) ?? .fp32,
            instructionSet: request.instructions))
        let tokens =
          request.tokens
          ?? (0..<request.batch).map { row in
            (0..<request.length).map { Int32((row * 7919 + $0 * 104_729 + 101) % model.architecture.vocabularySize) }
          }
        let loaded = try TokenBatch(sequences: tokens)
        try own.load(loaded)
        batch = loaded
        session = own
        answer("{\"contender\":\"EdgeTwin\",\"library\":\"\(own.matrixLibrary)\"}")
      }
    }
  }

  private func answer(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
}
