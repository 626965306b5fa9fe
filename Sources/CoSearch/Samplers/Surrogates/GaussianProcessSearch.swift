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
    /// From so many trials on a part of what is asked are children of a population, not screened: where the surrogate sees no more to
    /// gain, it may be its features that see too little. Nil screens all.
    var evolvesFrom: Int?
  }

  struct State: Codable {
    var asked: Int
    var rounds: Int
    var pending: [Proposal]
    /// Of each process.
    var shapes: [[Double]]
    var shapeRows: Int
  }

  let seed: UInt64
  let options: Options
  private let features: ProposalFeatures
  private let breeding: Breeding
  private let seeds: Seeds
  private var asked = 0
  private var rounds = 0
  private var shapes: [GaussianProcess.Shape] = []
  /// Trials when the shapes were looked for.
  private var shapeRows = 0
  private var history: TrialHistory
  private var population: GeneticPopulation
  private var domain: SearchDomain { history.domain }

  /// Trials that the shapes are looked for on.
  private static let shapeSample = 150
  /// Most that one surrogate is asked for where the rest can be bred: of later ones it knows less.
  private static let mostScreened = 10

  init(_ options: Options, domain: SearchDomain, seed: UInt64) {
    self.seed = seed
    self.options = options
    features = ProposalFeatures(options.features, domain: domain)
    breeding = Breeding(domain)
    seeds = Seeds(domain.space)
    history = TrialHistory(domain)
    population = GeneticPopulation(.crowding, domain: domain)
  }

  init(_ options: Options, domain: SearchDomain, seed: UInt64, state: State, outcomes: [Outcome]) throws {
    self.init(options, domain: domain, seed: seed)
    asked = state.asked
    rounds = state.rounds
    shapeRows = state.shapeRows
    shapes = state.shapes.compactMap(GaussianProcess.Shape.init)
    history = try TrialHistory(domain, pending: state.pending, history: outcomes)
    for trial in history.trials { population.take(trial) }
  }

  var state: State {
    State(
      asked: asked, rounds: rounds, pending: history.seen.pending,
      shapes: shapes.map(\.numbers), shapeRows: shapeRows)
  }

  mutating func tell(_ outcomes: [Outcome]) throws {
    for outcome in outcomes { population.take(try history.tell(outcome)) }
  }

  private var initialCount: Int { 2 * domain.deviceCount + 6 }

  mutating func ask(_ count: Int) throws -> [Proposal] {
    guard count > 0 else { return [] }
    var result: [Proposal] = []
    let known = history.trials.filter { !$0.isFailed }
    let evolves = known.count >= options.evolvesFrom ?? .max && !population.members.isEmpty
    if known.count >= initialCount {
      // One at a time is by turns screened and not.
      let screened = evolves ? min((count + 1 - asked % 2) / 2, Self.mostScreened) : count
      if screened > 0 { result = try propose(screened, known) }
    }
    while result.count < count {
      let number = asked + result.count
      let proposal = evolves ? child(number) : initial(number)
      history.ask(proposal)
      result.append(proposal)
    }
    asked += result.count
    return result
  }

  /// Bred as NSGA-II does.
  private func child(_ number: Int) -> Proposal {
    var random = CounterRandom(seed: seed, stream: 0xA3, UInt64(number))
    return breeding.new(in: history, using: &random) { random in
      let parent = population.parent(using: &random)
      return breeding.child(of: parent, mate: population.parent(using: &random), using: &random)
    }
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
  ) throws -> ProposalSurrogate {
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
    // Accuracy and parameters are a model's own, wherever it runs: what one device says of them all others are told. A front with tight
    // budgets is found sooner by one process for all (measured), one number's optimum by two.
    let isShared = usesQuantities && domain.deviceCount > 1 && domain.goal == .scalar
    let own = isShared ? lanes.indices.filter { Self.ofModels.contains(lanes[$0]) } : []
    let groups = [
      ProposalSurrogate.Group(targets: own, dependsOnDevice: false),
      ProposalSurrogate.Group(targets: targets.indices.filter { !own.contains($0) }, dependsOnDevice: true),
    ].filter { !$0.targets.isEmpty }
    func process(
      _ group: ProposalSurrogate.Group, _ sample: [Int], _ shape: GaussianProcess.Shape?
    ) throws -> GaussianProcess {
      try GaussianProcess(
        rows: sample.map { rows[$0] }, devices: sample.map { group.device(devices[$0]) },
        targets: group.targets.map { target in sample.map { targets[target][$0] } }, shape: shape)
    }
    if shapes.count != groups.count || Double(known.count) > 1.3 * Double(shapeRows) {
      let step = max(trials.count / Self.shapeSample, 1)
      let sample = Array(stride(from: 0, to: trials.count, by: step))
      shapes = try groups.map { try process($0, sample, nil).chosenShape }
      shapeRows = known.count
    }
    let all = Array(trials.indices)
    let processes = try zip(groups, shapes).map { group, shape in
      if let kept = try? process(group, all, shape) { return kept }
      return try process(group, all, nil)
    }
    return ProposalSurrogate(
      features: features, scale: scale, processes: processes, groups: groups, lanes: lanes,
      modelsQuantities: usesQuantities, hasSlack: hasSlack)
  }

  /// Lanes of quantities that do not depend on the device.
  private static let ofModels: Set<Int> = [Objective.accuracy.lane, Objective.parameters.lane]

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

  private typealias Prediction = ProposalSurrogate.Prediction

  private func prediction(
    _ proposal: Proposal, _ surrogate: ProposalSurrogate, withDeviations: Bool = false
  ) -> Prediction {
    surrogate.prediction(proposal, domain, withDeviations: withDeviations)
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
      improvement.cover(prediction(proposal, surrogate).coordinates)
    }

    let candidates = breed(known, front: front, surrogate, improvement, using: &random)
    let finalists = best(max(finalistCount(known.count), 2 * count), of: candidates).map {
      prediction($0.proposal, surrogate, withDeviations: true)
    }
    return choose(count, of: finalists, &improvement, anyFeasible: !feasible.isEmpty)
  }

  /// Candidates whose expected improvement is worked out: for one number all while trials are few, since the uncertain ones have a low
  /// mean; a front's take longer.
  private func finalistCount(_ trials: Int) -> Int {
    let least = 120
    guard domain.dimension == 1 else { return least }
    let square = min(trials, options.mostRows) * min(trials, options.mostRows)
    return max(least, Self.finalistWork / max(square, 1))
  }

  /// Finalists times the square of the trials: of as many as are soon done.
  private static let finalistWork = 20_000_000

  /// Those of the highest scores: half of all, the others device by device, since what is known of one says little of another.
  private func best(_ count: Int, of candidates: [Prediction]) -> [Prediction] {
    let ranked = candidates.indices.sorted { (-candidates[$0].score, $0) < (-candidates[$1].score, $1) }
    guard domain.deviceCount > 1, domain.dimension == 1, ranked.count > count else {
      return ranked.prefix(count).map { candidates[$0] }
    }
    var taken = Set(ranked.prefix(count / 2))
    var queues = [[Int]](repeating: [], count: domain.deviceCount)
    for index in ranked.reversed() where !taken.contains(index) {
      queues[candidates[index].proposal.device].append(index)
    }
    while taken.count < count {
      for device in queues.indices where taken.count < count {
        if let next = queues[device].popLast() { taken.insert(next) }
      }
    }
    return ranked.filter(taken.contains).map { candidates[$0] }
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
    _ known: [Trial], front: [Int], _ surrogate: ProposalSurrogate, _ improvement: Improvement,
    using random: inout CounterRandom
  ) -> [Prediction] {
    let anyFeasible = !front.isEmpty
    var parents: [Proposal]
    if anyFeasible {
      parents = front.map { known[$0].proposal }
      if domain.dimension == 1 || parents.count < 10 {
        let losses = known.map { $0.isFeasible ? $0.coordinates[0] : .infinity }
        let ranked = known.indices.sorted { (losses[$0], $0) < (losses[$1], $1) }
        parents += ranked.prefix(10).map { known[$0].proposal }
        // The best of each device: what is best on one may be far from what is best on another.
        if domain.dimension == 1, domain.deviceCount > 1 {
          for device in 0..<domain.deviceCount {
            parents += ranked.filter { known[$0].proposal.device == device }.prefix(2).map { known[$0].proposal }
          }
        }
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
      var candidate = prediction(proposal, surrogate)
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
      parents = Array(pool.prefix(60)) + best(60, of: candidates).map(\.proposal)
    }
    return candidates
  }
}
