import Foundation
import Numerics

/// What the two searches on Gaussian processes have in common: processes on the trials, candidates bred from the best, the largest expected
/// (hypervolume) improvement times the probability of keeping the budgets.
struct GaussianProcessSearch: Sendable {
  struct Options: Sendable {
    var features: ProposalFeatures.Kind
    /// Whether every quantity that trials give has a process of its own, from which objectives and the scalar follow; else the
    /// coordinates have.
    var modelsQuantities: Bool
    /// Rounds of breeding on the surrogate before candidates are compared.
    var rounds: Int
    var childrenARound: Int
    var randomCandidates: Int
    var startsFromSeeds: Bool
    /// Most trials that the processes are fitted on.
    var mostRows: Int
  }

  struct State: Codable {
    var asked: Int
    var rounds: Int
    var pending: [Proposal]
    var shape: [Double]
    var shapeRows: Int
  }

  let seed: UInt64
  let options: Options
  private let features: ProposalFeatures
  private let breeding: Breeding
  private let seeds: Seeds
  private var asked = 0
  private var rounds = 0
  private var shape: GaussianProcess.Shape?
  /// Trials when the shape was looked for.
  private var shapeRows = 0
  private var history: TrialHistory
  private var domain: SearchDomain { history.domain }

  /// Trials that the shape is looked for on.
  private static let shapeSample = 150
  private static let finalists = 120

  init(_ options: Options, domain: SearchDomain, seed: UInt64) {
    self.seed = seed
    self.options = options
    features = ProposalFeatures(options.features, domain: domain)
    breeding = Breeding(domain)
    seeds = Seeds(domain.space)
    history = TrialHistory(domain)
  }

  init(_ options: Options, domain: SearchDomain, seed: UInt64, state: State, outcomes: [Outcome]) throws {
    self.init(options, domain: domain, seed: seed)
    asked = state.asked
    rounds = state.rounds
    shapeRows = state.shapeRows
    shape = GaussianProcess.Shape(state.shape)
    history = try TrialHistory(domain, pending: state.pending, history: outcomes)
  }

  var state: State {
    State(
      asked: asked, rounds: rounds, pending: history.seen.pending,
      shape: shape?.numbers ?? [], shapeRows: shapeRows)
  }

  mutating func tell(_ outcomes: [Outcome]) throws {
    for outcome in outcomes { try history.tell(outcome) }
  }

  private var initialCount: Int { 2 * domain.deviceCount + 6 }

  mutating func ask(_ count: Int) throws -> [Proposal] {
    guard count > 0 else { return [] }
    var result: [Proposal] = []
    let known = history.trials.filter { !$0.isFailed }
    if known.count >= initialCount { result = try propose(count, known) }
    while result.count < count {
      let proposal = initial(asked + result.count)
      history.ask(proposal)
      result.append(proposal)
    }
    asked += result.count
    return result
  }

  private func initial(_ number: Int) -> Proposal {
    var random = CounterRandom(seed: seed, stream: 0xA0, UInt64(number))
    return breeding.new(in: history, using: &random) { random in
      guard options.startsFromSeeds, number < initialCount * 2, seeds.count > 0 else {
        return domain.randomProposal(using: &random)
      }
      // The devices in turn, and seeds one after another from a place of the search's own.
      var place = CounterRandom(seed: seed, stream: 0xA1)
      let index = (place.nextIndex(below: seeds.count) + number) % seeds.count
      return Proposal(point: seeds.point(index), device: number % domain.deviceCount)
    }
  }

  // MARK: - The surrogate

  /// Processes on trials, with what turns their predictions into coordinates.
  private struct Surrogate {
    let process: GaussianProcess
    let scale: Standardisation
    let lanes: [Int]
    let modelsQuantities: Bool
    let hasSlack: Bool
  }

  /// Trials to fit on: all, or the front, the latest and some of the rest.
  private func chosen(_ known: [Trial], front: [Int], _ random: inout CounterRandom) -> [Trial] {
    guard known.count > options.mostRows else { return known }
    var picked = Set(front.suffix(options.mostRows / 3))
    let scalarisers = (0..<8).map { _ in Scalariser(domain, known, using: &random) }
    for scalariser in scalarisers {
      let losses = known.map(scalariser.loss)
      let order = known.indices.sorted { (losses[$0], $0) < (losses[$1], $1) }
      for index in order.prefix(options.mostRows / 24) { picked.insert(index) }
    }
    for index in known.indices.suffix(options.mostRows / 6) { picked.insert(index) }
    while picked.count < options.mostRows { picked.insert(random.nextIndex(below: known.count)) }
    return picked.sorted().map { known[$0] }
  }

  private func front(_ known: [Trial]) -> [Int] {
    let feasible = known.indices.filter { known[$0].isFeasible }
    return Dominance.nonDominated(feasible.map { known[$0].coordinates }).map { feasible[$0] }
  }

  private mutating func surrogate(
    _ known: [Trial], front: [Int], using random: inout CounterRandom
  ) throws -> Surrogate {
    let trials = chosen(known, front: front, &random)
    let raw = trials.map { features.row($0.proposal) }
    let models = raw.map { Array($0.prefix(features.modelDimension)) }
    let scale = Standardisation(models)
    let rows = models.map { scale($0) }
    let devices = trials.map(\.proposal.device)
    let usesQuantities =
      options.modelsQuantities
      && trials.allSatisfy { trial in neededLanes.allSatisfy { trial.quantities[$0].isFinite } }
    let lanes = usesQuantities ? neededLanes : Array(0..<domain.dimension)
    var targets = lanes.map { lane in trials.map { usesQuantities ? $0.quantities[lane] : $0.coordinates[lane] } }
    let hasSlack = known.contains { !$0.isFeasible }
    if hasSlack { targets.append(trials.map(slack)) }
    if shape == nil || Double(known.count) > 1.3 * Double(shapeRows) {
      let step = max(trials.count / Self.shapeSample, 1)
      let sample = Array(stride(from: 0, to: trials.count, by: step))
      shape = try GaussianProcess(
        rows: sample.map { rows[$0] }, devices: sample.map { devices[$0] },
        targets: targets.map { target in sample.map { target[$0] } }
      ).chosenShape
      shapeRows = known.count
    }
    var process = try? GaussianProcess(rows: rows, devices: devices, targets: targets, shape: shape)
    if process == nil { process = try GaussianProcess(rows: rows, devices: devices, targets: targets) }
    guard let process else { throw NumericsError.notPositiveDefinite(what: "kernel matrix") }
    return Surrogate(
      process: process, scale: scale, lanes: lanes, modelsQuantities: usesQuantities, hasSlack: hasSlack)
  }

  /// Quantities that the coordinates are made of.
  private var neededLanes: [Int] {
    if domain.goal == .front { return domain.objectives.map(\.lane) }
    return Objective.allCases.filter { (domain.scalarisation?.weights[$0] ?? 0) != 0 }.map(\.lane)
  }

  /// How far beyond the budgets, or, below zero, within: the tightest counts.
  private func slack(_ trial: Trial) -> Double {
    if !trial.isFeasible { return min(trial.violation, 3) }
    var tightest = -1.0
    for objective in Objective.allCases {
      guard let limit = domain.budgets[objective], trial.quantities[objective.lane].isFinite else { continue }
      let room = trial.quantities[objective.lane] - ObjectiveBox.coordinate(objective, limit)
      tightest = max(tightest, objective == .accuracy ? room / 10 : room)
    }
    return min(tightest, 0)
  }

  // MARK: - Candidates

  private struct Prediction {
    var proposal: Proposal
    var coordinates: SIMD8<Double>
    var deviations: SIMD8<Double>
    /// Predicted excess over the budgets, and its deviation.
    var slack: Double
    var slackDeviation: Double
    var score = 0.0
  }

  private func prediction(_ proposal: Proposal, _ surrogate: Surrogate, withDeviations: Bool) -> Prediction {
    let row = surrogate.scale(Array(features.row(proposal).prefix(features.modelDimension)))
    var deviations: [Double] = []
    let means: [Double]
    if withDeviations {
      (means, deviations) = surrogate.process.predict(row, device: proposal.device)
    } else {
      means = surrogate.process.means(row, device: proposal.device)
    }
    var coordinates = SIMD8<Double>(repeating: 0)
    var spread = SIMD8<Double>(repeating: 0)
    if surrogate.modelsQuantities {
      var quantities = SIMD8<Double>(repeating: 0)
      var quantitySpread = SIMD8<Double>(repeating: 0)
      for (position, lane) in surrogate.lanes.enumerated() {
        quantities[lane] = means[position]
        if withDeviations { quantitySpread[lane] = deviations[position] }
      }
      if domain.goal == .scalar {
        let (value, deviation) = scalar(quantities, quantitySpread)
        coordinates[0] = value
        spread[0] = deviation
      } else {
        for (lane, objective) in domain.objectives.enumerated() {
          coordinates[lane] = quantities[objective.lane]
          spread[lane] = quantitySpread[objective.lane]
        }
      }
    } else {
      for lane in 0..<domain.dimension {
        coordinates[lane] = means[lane]
        if withDeviations { spread[lane] = deviations[lane] }
      }
    }
    return Prediction(
      proposal: proposal, coordinates: coordinates, deviations: spread,
      slack: surrogate.hasSlack ? means.last ?? -1 : -1,
      slackDeviation: surrogate.hasSlack ? deviations.last ?? 0 : 0)
  }

  /// The scalar of predicted quantities, and its deviation to first order.
  private func scalar(_ quantities: SIMD8<Double>, _ spread: SIMD8<Double>) -> (Double, Double) {
    guard let scalarisation = domain.scalarisation else { return (.infinity, 0) }
    var values = ObjectiveValues()
    var variance = 0.0
    for objective in Objective.allCases {
      guard let weight = scalarisation.weights[objective], weight != 0 else { continue }
      let value = ObjectiveBox.value(objective, coordinate: quantities[objective.lane])
      values[objective] = value
      let slope = weight / (scalarisation.scales[objective] ?? 1) * (objective == .accuracy ? 1 : value)
      variance += slope * slope * spread[objective.lane] * spread[objective.lane]
    }
    return (scalarisation.value(values), variance.squareRoot())
  }

  private var reference: SIMD8<Double> {
    var reference = SIMD8<Double>(repeating: .nan)
    guard domain.goal == .front else { return reference }
    for (lane, objective) in domain.objectives.enumerated() {
      if let value = domain.referencePoint[objective] ?? domain.budgets[objective] {
        reference[lane] = ObjectiveBox.coordinate(objective, value)
      }
    }
    return reference
  }

  private mutating func propose(_ count: Int, _ known: [Trial]) throws -> [Proposal] {
    rounds += 1
    var random = CounterRandom(seed: seed, stream: 0xA2, UInt64(rounds))
    let front = front(known)
    guard let surrogate = try? surrogate(known, front: front, using: &random) else { return [] }
    let feasible = known.filter(\.isFeasible)
    var improvement = try Improvement(
      dimension: domain.dimension, known: front.map { known[$0].coordinates },
      scale: (feasible.count > 3 ? feasible : known).map(\.coordinates), reference: reference,
      sampleCount: Improvement.sampleCount(trials: known.count))
    for proposal in history.seen.pending {
      improvement.cover(prediction(proposal, surrogate, withDeviations: false).coordinates)
    }

    var candidates = breed(known, front: front, surrogate, improvement, using: &random)
    candidates.sort { $0.score > $1.score }
    let finalists = candidates.prefix(max(Self.finalists, 2 * count)).map {
      prediction($0.proposal, surrogate, withDeviations: true)
    }
    return choose(count, of: finalists, &improvement, anyFeasible: !feasible.isEmpty)
  }

  /// One by one the finalist of the most expected improvement over all that is known, those chosen before among it.
  private mutating func choose(
    _ count: Int, of finalists: [Prediction], _ improvement: inout Improvement, anyFeasible: Bool
  ) -> [Proposal] {
    let countsVolume = anyFeasible && domain.dimension > 1
    var chances = finalists.map { countsVolume ? improvement.chances($0.coordinates, $0.deviations) : [] }
    var left = Array(finalists.indices)
    var result: [Proposal] = []
    while result.count < count, !left.isEmpty {
      var best = (position: 0, score: -Double.infinity)
      for (position, index) in left.enumerated() {
        let finalist = finalists[index]
        let score: Double
        if anyFeasible {
          let gain =
            countsVolume
            ? improvement.expected(chances[index]) : improvement.expected(finalist.coordinates, finalist.deviations)
          score = gain * Double.normalCDF(-finalist.slack / max(finalist.slackDeviation, 1e-6))
        } else {
          score = -(finalist.slack - finalist.slackDeviation)
        }
        if score > best.score { best = (position, score) }
      }
      let winner = finalists[left.remove(at: best.position)]
      if countsVolume {
        let kept = improvement.coverKeeping(winner.coordinates)
        for index in left {
          let own = chances[index]
          chances[index] = kept.map { own[$0] }
        }
      } else {
        improvement.cover(winner.coordinates)
      }
      history.ask(winner.proposal)
      result.append(winner.proposal)
    }
    return result
  }

  /// New candidates with a cheap score each: bred in rounds from the best trials and then from the best candidates.
  private func breed(
    _ known: [Trial], front: [Int], _ surrogate: Surrogate, _ improvement: Improvement,
    using random: inout CounterRandom
  ) -> [Prediction] {
    let anyFeasible = !front.isEmpty
    var parents: [Proposal]
    if anyFeasible {
      parents = front.map { known[$0].proposal }
      if domain.dimension == 1 || parents.count < 10 {
        let losses = known.map { $0.isFeasible ? $0.coordinates[0] : .infinity }
        parents += known.indices.sorted { (losses[$0], $0) < (losses[$1], $1) }.prefix(10).map { known[$0].proposal }
      }
    } else {
      parents = known.indices.sorted { (known[$0].violation, $0) < (known[$1].violation, $1) }.prefix(20).map {
        known[$0].proposal
      }
    }
    var taken: Set<Proposal> = []
    var candidates: [Prediction] = []
    func consider(_ proposal: Proposal) {
      guard history.isNew(proposal), taken.insert(proposal).inserted else { return }
      var candidate = prediction(proposal, surrogate, withDeviations: false)
      candidate.score =
        anyFeasible
        ? improvement.certain(candidate.coordinates) - (candidate.slack > 0 ? 1e3 * candidate.slack : 0)
        : -candidate.slack
      candidates.append(candidate)
    }
    for _ in 0..<options.randomCandidates { consider(domain.randomProposal(using: &random)) }
    for round in 0..<options.rounds {
      let pool = parents
      for _ in 0..<options.childrenARound where !pool.isEmpty {
        let parent = pool[random.nextIndex(below: pool.count)]
        let mate = pool[random.nextIndex(below: pool.count)]
        consider(breeding.child(of: parent, mate: mate, using: &random))
      }
      guard round + 1 < options.rounds else { break }
      // A part of the next round's parents are the best of what was bred; the trials stay in.
      candidates.sort { $0.score > $1.score }
      parents = Array(pool.prefix(60)) + candidates.prefix(60).map(\.proposal)
    }
    return candidates
  }
}
