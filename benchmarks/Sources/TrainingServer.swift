import Foundation
import Kernels
import ModelFiles
import Training

/// Our contender of benchmarks/training/peers.py: trains a model on given batches and answers on standard input and output (the protocol of
/// peer_serve.py there).
struct TrainingServer {
  private struct Request: Decodable {
    var model: String
    var head: String
    var data: String
    var threads: Int
    var dropout: Double
    var seed: UInt64
    var instructions: String?
    var weightDecay: Double
    var epsilon: Double
    var beta2: Double
    var maximumGradientNorm: Double
  }

  /// Tokens are counted over all sequences of a batch; without them every one is scored.
  private struct Batch: Decodable {
    var sequences: [[Int32]]
    var classes: [Int32]?
    var words: [Int32]?
    var tokens: [Int32]?
  }

  private struct Batches: Decodable {
    var train: [Batch]
    var heldOut: [Batch]
  }

  private struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  private typealias Ready = (tokens: TokenBatch, targets: TrainingTargets)

  private static func ready(_ batches: [Batch]) throws -> [Ready] {
    try batches.map { batch in
      let tokens = try TokenBatch(sequences: batch.sequences)
      if let classes = batch.classes { return (tokens, .classes(classes)) }
      guard let words = batch.words else { throw Failure(description: "a batch needs classes or words") }
      return (tokens, batch.tokens.map { .words(words, tokens: $0) } ?? .allWords(words))
    }
  }

  func run() throws {
    var session: TrainingSession?
    var train: [Ready] = []
    var heldOut: [Ready] = []
    while let line = readLine() {
      let words = line.split(separator: " ")
      switch words.first {
      case nil: continue
      case "quit": return
      case "train":
        // train COUNT PEAK WARM-UP TOTAL
        let numbers = words.dropFirst().compactMap { Double($0) }
        guard let session, numbers.count == 4 else {
          throw Failure(description: "train COUNT PEAK WARM-UP TOTAL, after a model")
        }
        let schedule = LearningRateSchedule(
          peak: numbers[1], warmUpSteps: Int(numbers[2]), totalSteps: Int(numbers[3]))
        var seconds: [String] = []
        var losses: [String] = []
        for _ in 0..<Int(numbers[0]) {
          let batch = train[session.stepCount % train.count]
          let start = ContinuousClock.now
          try session.accumulate(batch.tokens, batch.targets)
          let step = try session.step(learningRate: schedule.rate(step: session.stepCount))
          seconds.append("\((ContinuousClock.now - start) / .seconds(1))")
          losses.append("\(step.loss.mean)")
        }
        answer("{\"seconds\":[\(seconds.joined(separator: ","))],\"losses\":[\(losses.joined(separator: ","))]}")
      case "evaluate":
        guard let session else { throw Failure(description: "evaluate, after a model") }
        var loss = TrainingLoss()
        for batch in heldOut { loss += try session.evaluate(batch.tokens, batch.targets, wantsLogits: false).loss }
        answer("{\"loss\":\(loss.mean),\"correct\":\(loss.correct),\"items\":\(loss.items)}")
      default:
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let request = try decoder.decode(Request.self, from: Data(line.utf8))
        let batches = try decoder.decode(Batches.self, from: Data(contentsOf: URL(filePath: request.data)))
        train = try Self.ready(batches.train)
        heldOut = try Self.ready(batches.heldOut)
        let head: TrainingHead = request.head == "mlm" ? .maskedLanguageModel : .classification(.mean)
        let model = try Model.open(folder: request.model)
        session = try TrainingSession(
          model: model, head: head,
          options: TrainingOptions(
            threads: request.threads, dropout: request.dropout, seed: request.seed,
            optimiser: AdamWOptions(
              beta2: request.beta2, epsilon: request.epsilon, weightDecay: request.weightDecay,
              maximumGradientNorm: request.maximumGradientNorm), instructionSet: request.instructions))
        answer("{\"contender\":\"edgetwin\",\"version\":\"\",\"chosen\":\"\(session?.instructionSet ?? "")\"}")
      }
    }
  }

  private func answer(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}
