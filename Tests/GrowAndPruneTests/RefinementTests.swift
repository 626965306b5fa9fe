import Architectures
import Foundation
import ModelFiles
import Testing

@testable import GrowAndPrune

@Suite struct RefinementTests {
  struct Stop: Error {}

  private static let architecture = evenArchitecture(layers: 2, feedForward: [24])
  private static let root = Model.initialised(architecture, labels: 2, maskedLanguageModel: false, seed: 1)
  private static let rootCount = Double(architecture.parameterCount(.native).total)

  /// Fewer heads and more neurons are better here, by a little.
  private static func heldOut(_ architecture: Architecture) -> HeldOut {
    let heads = architecture.layers.reduce(0) { $0 + $1.heads.count }
    let neurons = architecture.layers.reduce(0) { $0 + $1.feedForward.reduce(0, +) }
    let kinds = architecture.layers.reduce(0) { $0 + $1.heads.reduce(0) { $0 + Int($1.rawValue) } }
    let loss = 1 + 0.01 * Double(heads) - 0.001 * Double(neurons) + 0.0001 * Double(kinds)
    return HeldOut(loss: loss, score: 1 - loss / 2)
  }

  private static var configuration: RefinementConfiguration {
    var configuration = RefinementConfiguration.short
    configuration.children = 3
    configuration.rounds = 6
    configuration.growFeedForward.width = 8
    configuration.pruneFeedForward.neurons = 4
    configuration.importanceBatches = 2
    configuration.approach.neurons = 4
    configuration.approach.rounds = 3
    configuration.approach.training.steps = 90
    return configuration
  }

  private func refinement(
    _ folder: String, _ configuration: RefinementConfiguration = Self.configuration,
    limits: CostLimits = CostLimits(), seed: UInt64 = 1, trainer: FakeTrainer = FakeTrainer(Self.heldOut),
    root: Model = Self.root, tell: @escaping (RefinementEvent) throws -> Void = { _ in }
  ) -> Refinement {
    Refinement(
      root: root, configuration: configuration, limits: limits, costs: countingCosts, trainer: trainer,
      store: RefinementStore(folder: folder), seed: seed, tell: tell)
  }

  private func rows(_ folder: String) throws -> [[String: Any]] {
    try String(contentsOfFile: folder + "/tree.jsonl", encoding: .utf8).split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// When the time is up it ends with the best so far; what was trained by then is kept when it is run again.
  @Test func endsBetweenRounds() throws {
    let folder = try Folder()
    var configuration = Self.configuration
    configuration.finish = RefinementConfiguration.Training(steps: 7, learningRate: 1e-4)
    var notes: [String] = []
    func run(
      _ name: String, rounds: Int, trainer: FakeTrainer = FakeTrainer(Self.heldOut), isKilled: Bool = false
    ) throws -> RefinementOutcome {
      var asked = 0
      return try Refinement(
        root: Self.root, configuration: configuration, limits: CostLimits(), costs: countingCosts,
        trainer: trainer, store: RefinementStore(folder: folder.path(name)), seed: 1,
        tell: { event in
          if case .note(let text) = event { notes.append(text) }
          if isKilled, case .training(let node, _, _) = event, node.mode == .train { throw Stop() }
        },
        isOver: {
          asked += 1
          return asked > rounds
        }
      ).run(resumes: true)
    }
    let outcome = try run("o", rounds: 2)
    #expect(outcome.nodes.count == 7 && outcome.nodes[6].mode == .train && notes.last == "the time is up")
    #expect(try Model.open(folder: folder.path("o/best")).labels == 2)
    // Once it has ended, no time makes it longer or shorter.
    for rounds in [0, 9] {
      let idle = FakeTrainer(Self.heldOut)
      let again = try run("o", rounds: rounds, trainer: idle)
      #expect(again.nodes == outcome.nodes && again.best == outcome.best && idle.recipes.isEmpty)
    }
    // Killed in the last training, then with time for more rounds: as if there had been the time from the beginning.
    #expect(throws: Stop.self) { try run("p", rounds: 2, isKilled: true) }
    let longer = try run("p", rounds: 2)
    #expect(longer.nodes.count > 7 && longer.nodes[6].mode != .train)
    #expect(try longer.nodes == run("q", rounds: 4).nodes)
  }

  @Test func cycleWithoutBudget() throws {
    let folder = try Folder()
    let trainer = FakeTrainer(Self.heldOut)
    let outcome = try refinement(folder.path("o"), trainer: trainer).run(resumes: false)
    let modes = outcome.nodes.map(\.mode)
    #expect(modes[0] == .root && modes[1...3].allSatisfy { $0 == .growHeads })
    // No head makes it better: back to one of the grown, or on from it, with feed-forward growth.
    #expect(modes[4...5].allSatisfy { $0 == .growFeedForward } && modes[6] == .pruneHeads)
    #expect(outcome.nodes[6].pedigree.layers.reduce(0) { $0 + $1.heads.count } == 7)
    #expect(trainer.teacher != nil && trainer.recipes.allSatisfy { $0.distillation == 0.5 })
    #expect(Set(trainer.recipes.map(\.seed)).count == trainer.recipes.count)
    // The best of all nodes is selected, and its folder opens.
    let best = outcome.nodes[outcome.best]
    #expect(outcome.nodes.allSatisfy { ($0.loss ?? 9) >= (best.loss ?? 0) })
    let model = try Model.open(folder: folder.path("o/best"))
    #expect(model.architecture == best.pedigree.architecture && model.labels == 2)
    let rows = try rows(folder.path("o"))
    #expect(rows.count == outcome.nodes.count)
    for (row, node) in zip(rows, outcome.nodes) {
      for name in [
        "node", "parent", "mode", "loss", "score", "parameters", "latency_s", "energy_j", "peak_power_w",
        "memory_bytes", "admissible", "selected",
      ] { #expect(row[name] != nil, "\(name)") }
      #expect(row["selected"] as? Bool == (node.number == outcome.best))
      #expect(row["parameters"] as? Int == node.pedigree.architecture.parameterCount(.native).total)
    }
    #expect(FileManager.default.fileExists(atPath: folder.path("o/tree.svg")))
  }

  @Test func childrenKeepTheBudget() throws {
    let folder = try Folder()
    let limits = CostLimits(latencySeconds: Self.rootCount * 1.06e-9, parameters: Self.rootCount * 1.1)
    let outcome = try refinement(folder.path("o"), limits: limits).run(resumes: false)
    #expect(outcome.nodes.count > 4)
    #expect(outcome.nodes.allSatisfy { $0.isAdmissible && ($0.costs.map(limits.excess) ?? 9) <= 1 })
  }

  /// A root above the budget is pruned towards it, each child closer; the effort goes to the first within it.
  @Test func approachesABudget() throws {
    let folder = try Folder()
    let limits = CostLimits(latencySeconds: Self.rootCount * 0.7e-9)
    let trainer = FakeTrainer(Self.heldOut)
    let outcome = try refinement(folder.path("o"), limits: limits, trainer: trainer).run(resumes: false)
    let approach = outcome.nodes.prefix { $0.mode == .prune || $0.mode == .root }
    #expect(approach.count == 4 && !outcome.nodes[0].isAdmissible)
    let excess = approach.map { $0.costs.map(limits.excess) ?? 9 }
    #expect(zip(excess, excess.dropFirst()).allSatisfy { $0 > $1 } && excess[3] <= 1 && excess[2] > 1)
    #expect(trainer.recipes.prefix(3).map(\.steps) == [60, 60, 90])
    #expect(outcome.nodes[outcome.best].isAdmissible)
    #expect(outcome.nodes.dropFirst(4).allSatisfy { $0.isAdmissible })
  }

  @Test func unreachableBudget() throws {
    let folder = try Folder()
    let limits = CostLimits(latencySeconds: Self.rootCount * 0.01e-9)
    let error = #expect(throws: RefinementError.self) {
      try refinement(folder.path("o"), limits: limits).run(resumes: false)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("times the budget"))
  }

  /// Killed at every event and resumed each time, it ends as if it had never been.
  @Test(arguments: [1.0, 0.7]) func resumesToTheSame(_ share: Double) throws {
    let folder = try Folder()
    let limits = CostLimits(latencySeconds: Self.rootCount * 1.1e-9 * share)
    let whole = try refinement(folder.path("whole"), limits: limits).run(resumes: false)
    var isDone = false
    var starts = 0
    while !isDone, starts < 200 {
      var events = 0
      starts += 1
      do {
        // A little farther each time: past what is stored, into the next node.
        let part = try refinement(
          folder.path("parts"), limits: limits,
          tell: { event in
            if case .finished(_, wasStored: true) = event { return }
            events += 1
            if events > 140 { throw Stop() }
          }
        )
        .run(resumes: true)
        #expect(part.nodes == whole.nodes && part.best == whole.best)
        isDone = true
      } catch is Stop {}
    }
    #expect(isDone && starts > 4)
    for name in ["tree.jsonl", "tree.svg", "best/model.safetensors", "best/config.json"] {
      let (a, b) = (folder.path("whole/" + name), folder.path("parts/" + name))
      #expect(FileManager.default.contents(atPath: a) == FileManager.default.contents(atPath: b), "\(name)")
    }
    // And once more from the end.
    let again = try refinement(
      folder.path("parts"), limits: limits,
      tell: { if case .training = $0 { throw Stop() } }
    ).run(resumes: true)
    #expect(again.nodes == whole.nodes)
  }

  @Test func seedsDiffer() throws {
    let folder = try Folder()
    let first = try refinement(folder.path("1")).run(resumes: false)
    let second = try refinement(folder.path("2"), seed: 2).run(resumes: false)
    #expect(first.nodes.map(\.change) != second.nodes.map(\.change))
  }

  @Test func otherInputsAreRefused() throws {
    let folder = try Folder()
    _ = try refinement(folder.path("o")).run(resumes: false)
    #expect(throws: RefinementError.alreadyBegun(folder: folder.path("o"))) {
      try refinement(folder.path("o")).run(resumes: false)
    }
    let seed = #expect(throws: RefinementError.self) { try refinement(folder.path("o"), seed: 2).run(resumes: true) }
    #expect("\(seed.map { "\($0)" } ?? "")".contains("another seed: 1, now 2"))
    let budget = #expect(throws: RefinementError.self) {
      try refinement(folder.path("o"), limits: CostLimits(energyJoules: 1)).run(resumes: true)
    }
    #expect("\(budget.map { "\($0)" } ?? "")".contains("energy budget"))
    try Data("{\"schema\":".utf8).write(to: URL(filePath: folder.path("o/state.json")))
    #expect(throws: InputFileError.self) { try refinement(folder.path("o")).run(resumes: true) }
  }

  /// A failed growth goes back to the grown node of next-lowest loss; without back-tracking it goes on with its best child.
  @Test(arguments: [true, false]) func backTracks(_ backTracks: Bool) throws {
    let folder = try Folder()
    var configuration = Self.configuration
    configuration.cycle = [.growHeads]
    configuration.rounds = 3
    configuration.backTracks = backTracks
    configuration.criterion = .loss
    // Every further head is worse, so that the next-lowest is always a child of the root.
    let outcome = try refinement(folder.path("o"), configuration).run(resumes: false)
    let parents = outcome.nodes.dropFirst().map { $0.parent ?? -1 }
    #expect(parents[0...2] == [0, 0, 0])
    let losses = outcome.nodes[1...3].sorted { ($0.loss ?? 9) < ($1.loss ?? 9) }.map(\.number)
    if backTracks {
      #expect(parents[3] == losses[0] && parents[6] == losses[1])
    } else {
      let best = outcome.nodes[4...6].min { ($0.loss ?? 9) < ($1.loss ?? 9) }?.number
      #expect(parents[3] == losses[0] && parents[6] == best)
    }
    #expect(outcome.best == 0)
  }

  /// What has no loss is not selected for a score that came about somehow.
  @Test(arguments: RefinementConfiguration.Criterion.allCases)
  func divergedChildrenAreNeverBest(_ criterion: RefinementConfiguration.Criterion) throws {
    let folder = try Folder()
    var configuration = Self.configuration
    configuration.criterion = criterion
    let trainer = FakeTrainer { architecture in
      let isRoot = architecture == Self.architecture
      return HeldOut(loss: isRoot ? 1 : .nan, score: isRoot ? 0.5 : 0.9)
    }
    let outcome = try refinement(folder.path("o"), configuration, trainer: trainer).run(resumes: false)
    #expect(outcome.nodes.count > 3 && outcome.best == 0)
  }

  @Test func stopsWithoutABetterModel() throws {
    let folder = try Folder()
    var configuration = Self.configuration
    configuration.rounds = 50
    configuration.patience = 3
    let outcome = try refinement(
      folder.path("o"), configuration, trainer: FakeTrainer { _ in HeldOut(loss: 1, score: nil) }
    ).run(resumes: false)
    // Three rounds: heads (three children), feed-forward (one a layer), prune heads.
    #expect(outcome.nodes.count == 7 && outcome.best == 0)
  }

  /// Nothing fits beside the root, nothing can be pruned: it ends.
  @Test func endsWhereNothingFits() throws {
    let folder = try Folder()
    var configuration = Self.configuration
    configuration.cycle = [.growHeads, .growFeedForward, .growLayer]
    configuration.rounds = 50
    let outcome = try refinement(
      folder.path("o"), configuration, limits: CostLimits(parameters: Self.rootCount)
    ).run(resumes: false)
    #expect(outcome.nodes.count == 1)
  }

  @Test func everyModeMakesChildren() throws {
    for mode in Mode.allCases where mode.grows || mode.prunes && mode != .prune {
      let folder = try Folder()
      var configuration = Self.configuration
      configuration.cycle = [mode]
      configuration.rounds = 1
      configuration.pruneWidth.channels = 4
      configuration.importance = mode == .pruneWidth ? .magnitude : .taylor
      configuration.finish = RefinementConfiguration.Training(steps: 7, learningRate: 1e-4)
      let outcome = try refinement(folder.path("o"), configuration).run(resumes: false)
      #expect(outcome.nodes.count > 2 && outcome.nodes[1].mode == mode, "\(mode)")
      #expect(outcome.nodes.last?.mode == .train && outcome.nodes.last?.steps == 7)
      #expect(outcome.nodes.allSatisfy { $0.pedigree.isConsistent })
      let counts = outcome.nodes.map { $0.pedigree.architecture.parameterCount(.native).total }
      #expect(mode.grows ? counts[1] > counts[0] : counts[1] < counts[0])
    }
  }

  /// A root without the task's head is trained first, and once only.
  @Test func rootWithoutAHead() throws {
    let folder = try Folder()
    let root = Model.initialised(Self.architecture, labels: nil, maskedLanguageModel: false, seed: 1)
    let trainer = FakeTrainer(Self.heldOut)
    let outcome = try refinement(folder.path("o"), trainer: trainer, root: root).run(resumes: false)
    #expect(outcome.nodes[0].steps == Self.configuration.root.steps && trainer.recipes[0].distillation == 0)
    let again = FakeTrainer(Self.heldOut)
    _ = try refinement(folder.path("o"), trainer: again, root: root).run(resumes: true)
    #expect(again.recipes.isEmpty)
  }
}
