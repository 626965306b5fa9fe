import Foundation
import Numerics

/// BOSHCODE: Tuli and Jha, "EdgeTran: Device-Aware Co-Search of Transformers for Efficient Inference on Mobile Edge Platforms", IEEE
/// TMC 23(6), 2024, with the numbers of its code. From random starts, second-order descent on the inputs of a surrogate that knows its
/// uncertainty; of a pool of random pairs the nearest to each end is evaluated.
///
/// The published search minimises one number. Here, for a front, it is a Chebyshev distance with weights drawn anew for each batch; what
/// breaks a budget comes after all that is feasible.
public struct Boshcode: Sampler {
  public static let kind = SamplerKind.boshcode
  /// 2: descent follows slopes on raw inputs, which overflowed before.
  private static let version = 2

  /// How inputs reach the networks.
  enum Inputs: Sendable {
    /// The embedding's raw numbers, up to 21 804, as published.
    case raw
    /// Each divided by its largest value.
    case unit
  }

  static let poolSize = 100
  static let startCount = 5
  /// Trials before the networks are asked.
  static let initialCount = 16
  /// The published search starts from 782 pairs; more than this many trials are thinned to the best and the latest.
  static let mostRows = 1_000

  private struct State: Codable {
    var asked: Int
    var rounds: Int
    var trained: Int
    var pending: [Proposal]
    /// Single-precision weights, little-endian.
    var weights: Data
  }

  private let seed: UInt64
  private let inputs: Inputs
  private let maxima: [Double]
  private var asked = 0
  private var rounds = 0
  /// Trials that the networks have seen.
  private var trained = 0
  private var history: TrialHistory
  private var networks: BoshcodeNetworks
  private var domain: SearchDomain { history.domain }

  public init(domain: SearchDomain, seed: UInt64) { self.init(domain: domain, seed: seed, inputs: .raw) }

  init(domain: SearchDomain, seed: UInt64, inputs: Inputs) {
    self.seed = seed
    self.inputs = inputs
    maxima = domain.space.embeddingMaxima.map { inputs == .raw ? Double($0) : $0 > 0 ? 1 : 0 }
    history = TrialHistory(domain)
    networks = BoshcodeNetworks(
      modelInputs: domain.space.embeddingDimension, deviceInputs: domain.deviceCount, seed: seed)
  }

  public init(domain: SearchDomain, snapshot: Data, history: [Outcome]) throws {
    try self.init(domain: domain, snapshot: snapshot, history: history, inputs: .raw, kind: Self.kind)
  }

  init(domain: SearchDomain, snapshot: Data, history: [Outcome], inputs: Inputs, kind: SamplerKind) throws {
    let snapshot = try SamplerSnapshot<State>.decode(snapshot, kind, version: Self.version)
    self.init(domain: domain, seed: snapshot.seed, inputs: inputs)
    asked = snapshot.state.asked
    rounds = snapshot.state.rounds
    trained = snapshot.state.trained
    self.history = try TrialHistory(domain, pending: snapshot.state.pending, history: history)
    let weights = snapshot.state.weights
    guard weights.count == 4 * networks.weights.count else {
      throw SamplerError.snapshot(kind: kind, problem: "has networks of another size")
    }
    networks.weights = (0..<weights.count / 4).map { index in
      let bytes = weights[weights.startIndex + 4 * index..<weights.startIndex + 4 * index + 4]
      return Float(bitPattern: bytes.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }

  public func snapshot() throws -> Data { try snapshot(Self.kind) }

  func snapshot(_ kind: SamplerKind) throws -> Data {
    var weights = Data()
    for weight in networks.weights {
      withUnsafeBytes(of: weight.bitPattern.littleEndian) { weights.append(contentsOf: $0) }
    }
    return try SamplerSnapshot.encode(
      kind, version: Self.version, seed: seed,
      State(asked: asked, rounds: rounds, trained: trained, pending: history.seen.pending, weights: weights))
  }

  public mutating func tell(_ outcomes: [Outcome]) throws {
    for outcome in outcomes { try history.tell(outcome) }
  }

  public mutating func ask(_ count: Int) -> [Proposal] {
    var result: [Proposal] = []
    if history.trials.count(where: { !$0.isFailed }) >= Self.initialCount, count > 0 {
      retrain()
      while result.count < count {
        let batch = descend(min(count - result.count, Self.startCount))
        if batch.isEmpty { break }
        for proposal in batch {
          history.ask(proposal)
          result.append(proposal)
        }
      }
    }
    while result.count < max(count, 0) {
      var random = CounterRandom(seed: seed, stream: 0xB7, UInt64(asked + result.count))
      let proposal = newRandom(using: &random)
      history.ask(proposal)
      result.append(proposal)
    }
    asked += result.count
    return result
  }

  private func newRandom(using random: inout CounterRandom) -> Proposal {
    var proposal = domain.randomProposal(using: &random)
    for _ in 0..<100 where !history.isNew(proposal) { proposal = domain.randomProposal(using: &random) }
    return proposal
  }

  /// Warm: from the weights that are there.
  private mutating func retrain() {
    guard trained != history.trials.count else { return }
    trained = history.trials.count
    rounds += 1
    var random = CounterRandom(seed: seed, stream: 0xB8, UInt64(rounds))
    let known = history.trials.filter { !$0.isFailed }
    let scalariser = Scalariser(domain, known, using: &random)
    let losses = known.map(scalariser.loss)
    var kept = Array(known.indices)
    if kept.count > Self.mostRows {
      let best = kept.sorted { (losses[$0], $0) < (losses[$1], $1) }.prefix(Self.mostRows / 2)
      kept = Set(best).union(known.indices.suffix(Self.mostRows / 2)).sorted()
    }
    // The published scalar lies in 0…1, as the networks' outputs do; what does not is scaled to.
    let (low, high) = (losses.min() ?? 0, losses.max() ?? 1)
    let fits = low >= 0 && high <= 1
    let rows = kept.map { index in
      let (model, device) = input(known[index].proposal)
      return BoshcodeNetworks.Row(
        model: model, device: device,
        target: fits ? losses[index] : high > low ? (losses[index] - low) / (high - low) : 0.5)
    }
    networks.train(rows, round: rounds)
  }

  private func input(_ proposal: Proposal) -> (model: [Double], device: [Double]) {
    let embedding = domain.space.embedding(of: proposal.point)
    let model =
      inputs == .raw
      ? embedding.map(Double.init)
      : zip(embedding, domain.space.embeddingMaxima).map { $1 > 0 ? Double($0) / Double($1) : 0 }
    return (model, (0..<domain.deviceCount).map { $0 == proposal.device ? 1 : 0 })
  }

  /// One iteration: a pool of random pairs, some starts of it, and the nearest of the pool to where each one ends.
  private mutating func descend(_ count: Int) -> [Proposal] {
    rounds += 1
    var random = CounterRandom(seed: seed, stream: 0xB9, UInt64(rounds))
    var pool = (0..<Self.poolSize).map { _ in newRandom(using: &random) }.map { ($0, input($0)) }
    let gobi = GOBI(
      configuration: .init(learningRate: inputs == .raw ? 0.5 : 0.02), maxima: maxima)
    var result: [Proposal] = []
    for _ in 0..<Self.startCount {
      let start = pool[random.nextIndex(below: pool.count)].1
      let end = gobi.descend(networks, model: start.model, device: start.device, using: &random)
      let distances = pool.map { Self.distance($0.1.model, end.model) + Self.distance($0.1.device, end.device) }
      guard let nearest = distances.indices.min(by: { distances[$0] < distances[$1] }) else { continue }
      // Duplicates are dropped.
      if result.count < count, history.isNew(pool[nearest].0), !result.contains(pool[nearest].0) {
        result.append(pool[nearest].0)
      }
    }
    pool.removeAll()
    return result
  }

  /// Mean absolute difference.
  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += abs(a[index] - b[index]) }
    return sum / Double(max(a.count, 1))
  }
}
