import Architectures
import Foundation
import ModelFiles
import Numerics

/// GPTran: grow and prune from a root, within a twin's budget (EdgeTran, section on GPTran).
///
/// The search is a function of its inputs and of the results of nodes alone. What each round drew and what each node gave is kept in a
/// ``RefinementStore``; to resume is to run it again from the start with stored results in the place of training, so that it ends the
/// same however often it was killed.
package final class Refinement {
  package let configuration: RefinementConfiguration
  package let limits: CostLimits
  package let seed: UInt64
  let costs: CostModel
  let trainer: any ChildTrainer
  let store: RefinementStore
  /// What the result depends on beside the configuration, limits and seed, for ``RefinementStore``.
  private let inputs: [(name: String, value: String)]
  private let tell: (RefinementEvent) throws -> Void
  private let isOver: () -> Bool

  package private(set) var nodes: [RefinementNode] = []
  private(set) var rounds: [RefinementStore.Round] = []
  private var stored: RefinementStore.State?
  private var round = 0
  private var root: Model
  /// Nodes that have children.
  private var expanded: Set<Int> = []

  /// - Parameters:
  ///   - inputs: names and values of whatever else the result depends on, such as files: to resume needs the same.
  ///   - tell: called with what happens; what it throws ends the refinement, which can be resumed.
  ///   - isOver: asked before each round of the cycle that was not begun before; true ends the refinement with the best so far.
  package init(
    root: Model, configuration: RefinementConfiguration, limits: CostLimits, costs: CostModel,
    trainer: any ChildTrainer, store: RefinementStore, seed: UInt64, inputs: [(name: String, value: String)] = [],
    tell: @escaping (RefinementEvent) throws -> Void = { _ in }, isOver: @escaping () -> Bool = { false }
  ) {
    self.root = root
    self.configuration = configuration
    self.limits = limits
    self.costs = costs
    self.trainer = trainer
    self.store = store
    self.seed = seed
    self.inputs = inputs
    self.tell = tell
    self.isOver = isOver
  }

  // MARK: The search

  /// Runs to the end and leaves the selected model in the store's `best`.
  ///
  /// - Parameter resumes: goes on with what the store holds; without it a store that holds a refinement is an error.
  /// - Throws: ``RefinementError``; `ModelFileError` where another refinement is at work in the store's folder; what the trainer, the twin
  ///   and writing files throw.
  package func run(resumes: Bool) throws -> RefinementOutcome {
    try store.makeFolder()
    let lock = try FolderLock(store.folder)
    defer { lock.release() }
    AtomicFile.removeLeftovers(in: store.folder)
    if store.hasState {
      guard resumes else { throw RefinementError.alreadyBegun(folder: store.folder) }
      stored = try store.load()
    } else if !resumes {
      store.removeCheckpoint()
    }
    let inputs = try allInputs()
    if let stored { try check(stored.inputs, inputs) }
    let pedigree = Pedigree(root: root.architecture)
    var current = try makeRoot(pedigree)
    if !nodes[current].isAdmissible { current = try approach(from: current) }
    var best = current
    try cycle(from: &current, best: &best)
    if let finish = configuration.finish, finish.steps > 0 {
      let child = RefinementStore.Child(change: "trained on", pedigree: nodes[best].pedigree)
      let number = try makeRound(.train, parent: best) { [child] }.first
      if let number, isBetter(number, than: best) { best = number }
    }
    try select(best)
    return RefinementOutcome(nodes: nodes, best: best)
  }

  private func makeRoot(_ pedigree: Pedigree) throws -> Int {
    let prepared = try trainer.prepared(root)
    let costs = try costs.costs(pedigree.architecture)
    var node = RefinementNode(
      number: 0, parent: nil, mode: .root, change: "", pedigree: pedigree, costs: costs,
      isAdmissible: costs.map { limits.excess($0) <= 1 } ?? false, steps: 0)
    let needsTask = prepared.weights.names != root.weights.names
    if let result = storedResult(0) {
      node.take(result)
      root = needsTask ? try store.model(of: 0) : prepared
      nodes.append(node)
      try tell(.finished(node, wasStored: true))
    } else {
      root = prepared
      if needsTask {
        let trained = try train(prepared, node: node, training: configuration.root)
        node.steps = configuration.root.steps
        node.trainingLoss = trained.trainingLoss
        root = trained.model
        try store.save(root, of: 0)
      } else {
        node.trainingLoss = try trainer.gradients(
          of: root, batches: configuration.importanceBatches, batchSize: configuration.batchSize,
          seed: seed(of: 0, purpose: 1)
        ) { _ in }
      }
      let heldOut = try trainer.evaluate(root)
      (node.loss, node.score) = (heldOut.loss, heldOut.score)
      nodes.append(node)
      try save()
      try tell(.finished(node, wasStored: false))
    }
    if configuration.distillation > 0 { try trainer.setTeacher(root) }
    return 0
  }

  /// Prunes a root that is above the budget towards it, in cuts of one factor; each must come closer.
  private func approach(from root: Int) throws -> Int {
    var current = root
    let approach = configuration.approach
    let first = nodes[root].costs.map { limits.excess($0) }
    for cut in 1...approach.rounds {
      let share = Double(approach.rounds - cut) / Double(approach.rounds)
      let target = cut == approach.rounds ? 1 : max(1, first.map { pow($0, share) } ?? 1)
      let before = nodes[current].costs.map { limits.excess($0) } ?? .infinity
      guard before > target else { continue }
      let made = try makeRound(.prune, parent: current) {
        let importance = try importance(of: current, measure: .taylor)
        let pruning = BudgetPruning(
          parts: approach.parts, neurons: approach.neurons, channels: approach.channels, limits: limits, costs: costs)
        func pruned(to target: Double) throws -> BudgetPruning.Result? {
          try pruning.prune(
            nodes[current].pedigree, importance: importance, target: target, check: { try tell(.scoring(.prune)) })
        }
        // Known before anything is trained.
        if cut == 1 {
          let last = try pruned(to: 1)?.costs ?? nodes[current].costs
          guard let last, limits.excess(last) <= 1 else { throw RefinementError.unreachable(unreachableText(last)) }
        }
        let result = try pruned(to: target)
        return result.map { result in
          [
            RefinementStore.Child(
              change: Self.difference(nodes[current].pedigree, result.pedigree), pedigree: result.pedigree)
          ]
        } ?? []
      }
      guard let child = made.first, (nodes[child].costs.map { limits.excess($0) } ?? .infinity) < before else { break }
      current = child
      store.keepModels(of: needed(current: current, best: current), among: nodes.count)
      if nodes[current].isAdmissible { return current }
    }
    guard nodes[current].isAdmissible else {
      throw RefinementError.unreachable(unreachableText(nodes[current].costs))
    }
    return current
  }

  private func cycle(from current: inout Int, best: inout Int) throws {
    var stale = 0
    var idle = 0
    var turn = 0
    for _ in 0..<configuration.rounds where !configuration.cycle.isEmpty {
      let mode = configuration.cycle[turn % configuration.cycle.count]
      turn += 1
      let parent = current
      // What was begun while there was time is kept, and what has ended stays so.
      if knownRound(mode, parent: parent) == nil, stored?.isFinished == true || isOver() {
        try tell(.note("the time is up"))
        break
      }
      let made = try makeRound(mode, parent: parent) { try proposals(mode, from: parent) }
      guard let child = made.min(by: { isBetter($0, than: $1) }) else {
        idle += 1
        try tell(.note("\(mode.rawValue): no child of node \(parent) keeps the budget"))
        if idle >= configuration.cycle.count { break }
        continue
      }
      idle = 0
      if isBetter(child, than: best) {
        best = child
        current = child
        stale = 0
      } else {
        stale += 1
        // A pruned child goes on even if worse, but not if it has diverged; it may come back at the next growth.
        current = (mode.prunes || !configuration.backTracks) && !nodes[child].hasDiverged ? child : nextLowest()
        if stale >= configuration.patience {
          try tell(.note("\(stale) rounds without a better model: the end"))
          break
        }
        if current != child { try tell(.note("no child is better: back to node \(current)")) }
      }
      store.keepModels(of: needed(current: current, best: best), among: nodes.count)
    }
  }

  /// The grown node without children of lowest loss, or else the root if it keeps the budget, or the first that does.
  private func nextLowest() -> Int {
    let free = nodes.filter {
      $0.mode.grows && $0.isDone && $0.isAdmissible && !$0.hasDiverged && !expanded.contains($0.number)
    }
    if let next = free.min(by: { isBetter($0.number, than: $1.number) }) { return next.number }
    return nodes.first { $0.isAdmissible && $0.isDone && !$0.hasDiverged }?.number ?? 0
  }

  private func needed(current: Int, best: Int) -> Set<Int> {
    var numbers: Set<Int> = [0, current, best]
    if let first = nodes.first(where: { $0.isAdmissible && $0.isDone }) { numbers.insert(first.number) }
    for node in nodes where node.mode.grows && node.isAdmissible && !expanded.contains(node.number) {
      numbers.insert(node.number)
    }
    return numbers
  }

  /// Whether a node is strictly better by the criterion; of equals the earlier is.
  func isBetter(_ first: Int, than second: Int) -> Bool {
    func key(_ node: RefinementNode) -> [Double] {
      // What has no loss has diverged, whatever its score or its loss in training.
      guard let loss = node.loss, loss.isFinite else { return [.infinity] }
      switch configuration.criterion {
      case .trainingLoss: return [node.trainingLoss.map { $0.isNaN ? .infinity : $0 } ?? loss]
      case .loss: return [loss]
      case .score: return [node.score.map { $0.isNaN ? .infinity : -$0 } ?? loss, loss]
      }
    }
    let (a, b) = (key(nodes[first]), key(nodes[second]))
    if a == b { return first < second && first != second }
    return a.lexicographicallyPrecedes(b)
  }

  // MARK: Rounds

  /// Draws the children of a round, or takes those that were drawn before, and trains each; gives their numbers.
  private func makeRound(
    _ mode: Mode, parent: Int, draw: () throws -> [RefinementStore.Child]
  ) throws -> [Int] {
    let known = knownRound(mode, parent: parent)
    let children = try known?.children ?? draw()
    rounds.append(RefinementStore.Round(mode: mode, parent: parent, children: children))
    round += 1
    if known == nil {
      // Whatever was kept beyond is of rounds that did not come about this time.
      stored = nil
      try save()
    }
    if !children.isEmpty { expanded.insert(parent) }
    return try children.map { try make($0, mode: mode, parent: parent) }
  }

  /// The next round as it was drawn before, if it was.
  private func knownRound(_ mode: Mode, parent: Int) -> RefinementStore.Round? {
    guard let stored, round < stored.rounds.count else { return nil }
    let known = stored.rounds[round]
    return known.mode == mode && known.parent == parent ? known : nil
  }

  private func make(_ child: RefinementStore.Child, mode: Mode, parent: Int) throws -> Int {
    let predicted = try costs.costs(child.pedigree.architecture)
    var node = RefinementNode(
      number: nodes.count, parent: parent, mode: mode, change: child.change, pedigree: child.pedigree,
      costs: predicted, isAdmissible: predicted.map { limits.excess($0) <= 1 } ?? false, steps: 0)
    if let result = storedResult(node.number) {
      node.take(result)
      nodes.append(node)
      try tell(.finished(node, wasStored: true))
      return node.number
    }
    let parentModel = try model(of: parent)
    let transfer = try Transfer.child(
      of: parentModel, from: nodes[parent].pedigree, to: child.pedigree,
      options: TransferOptions(growth: configuration.growth, seed: seed(of: node.number, purpose: 2)))
    node.transferredShare = transfer.report.transferredShare
    node.birthLoss = try trainer.evaluate(transfer.model).loss
    let training =
      mode == .prune && !node.isAdmissible
      ? configuration.approach.recovery : configuration.training(mode) ?? configuration.approach.training
    let trained = try train(transfer.model, node: node, training: training)
    node.steps = training.steps
    node.trainingLoss = trained.trainingLoss
    let heldOut = try trainer.evaluate(trained.model)
    (node.loss, node.score) = (heldOut.loss, heldOut.score)
    try store.save(trained.model, of: node.number)
    nodes.append(node)
    try save()
    try tell(.finished(node, wasStored: false))
    return node.number
  }

  private func train(
    _ model: Model, node: RefinementNode, training: RefinementConfiguration.Training
  ) throws -> TrainedChild {
    let recipe = TrainingRecipe(
      steps: training.steps, learningRate: training.learningRate, warmUpSteps: configuration.warmUp(for: training),
      batchSize: configuration.batchSize, weightDecay: configuration.weightDecay, dropout: configuration.dropout,
      distillation: node.mode == .root ? 0 : configuration.distillation, seed: seed(of: node.number, purpose: 3))
    try tell(.training(node, step: 0, steps: training.steps))
    let trained = try trainer.train(model, recipe, checkpoint: store.checkpointPath) {
      try tell(.training(node, step: $0, steps: training.steps))
    }
    store.removeCheckpoint()
    return trained
  }

  func model(of number: Int) throws -> Model { number == 0 ? root : try store.model(of: number) }

  func importance(of number: Int, measure: Importance.Measure) throws -> Importance {
    let model = try model(of: number)
    let pedigree = nodes[number].pedigree
    guard measure == .taylor else { return try Importance.magnitude(of: model, pedigree: pedigree) }
    var taylor = TaylorImportance(pedigree: pedigree)
    _ = try trainer.gradients(
      of: model, batches: configuration.importanceBatches, batchSize: configuration.batchSize,
      seed: seed(of: round, purpose: 4)
    ) { gradient in
      try tell(.scoring(.prune))
      try taylor.add(weights: model.weights, gradient: gradient)
    }
    return taylor.importance
  }

  /// A seed for one purpose of one node or round.
  func seed(of number: Int, purpose: UInt64) -> UInt64 {
    var random = CounterRandom(seed: seed, stream: purpose, UInt64(number))
    return random.next()
  }

  // MARK: Store

  private func storedResult(_ number: Int) -> StoredResult? { stored?.results.first { $0.number == number } }

  private func allInputs() throws -> [(name: String, value: String)] {
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "none" }
    return [
      ("seed", "\(seed)"), ("configuration", try configuration.yaml()),
      ("latency budget", text(limits.latencySeconds)), ("energy budget", text(limits.energyJoules)),
      ("power budget", text(limits.peakPowerWatts)), ("memory budget", text(limits.memoryBytes)),
      ("parameter budget", text(limits.parameters)), ("root", root.architecture.id),
    ] + inputs
  }

  private func check(
    _ stored: [(name: String, value: String)], _ now: [(name: String, value: String)]
  ) throws(RefinementError) {
    let before = Dictionary(stored, uniquingKeysWith: { first, _ in first })
    for (name, value) in now where before[name] != value {
      let isLong = name == "configuration"
      throw .otherInputs(
        folder: store.folder, name: name, was: isLong ? "as it was" : before[name] ?? "none",
        isNow: isLong ? "changed" : value)
    }
  }

  private func save() throws {
    do {
      try store.save(inputs: try allInputs(), rounds: rounds, nodes: nodes, isFinished: false)
      try writeTree(selected: nil)
    } catch let error as InputFileError {
      throw RefinementError.output("\(error)")
    }
  }

  private func writeTree(selected: Int?) throws {
    try store.write(
      nodes.map { $0.row(isSelected: $0.number == selected) + "\n" }.joined(), to: "tree.jsonl")
    try store.write(RefinementTree(nodes: nodes, selected: selected).svg, to: "tree.svg")
  }

  private func select(_ best: Int) throws {
    let model = try model(of: best)
    try model.write(folder: store.bestFolder)
    do {
      try writeTree(selected: best)
      try store.save(inputs: try allInputs(), rounds: rounds, nodes: nodes, isFinished: true)
    } catch let error as InputFileError {
      throw RefinementError.output("\(error)")
    }
    store.keepModels(of: [0, best], among: nodes.count)
  }

  private func unreachableText(_ costs: PredictedCosts?) -> String {
    let reached = costs.map { limits.excess($0) }
    let share = reached.map { "\(String(format: "%.4g", $0)) times the budget" } ?? "more than the device holds"
    return
      "the budget cannot be reached by pruning \(configuration.approach.parts.map(\.rawValue).joined(separator: ", ")):"
      + " what is left is still \(share); allow more parts (approach.parts) or a larger budget"
  }
}

extension RefinementNode {
  /// Trained to a model without a held-out loss.
  fileprivate var hasDiverged: Bool { !(loss ?? .nan).isFinite }

  mutating func take(_ result: StoredResult) {
    steps = result.steps
    transferredShare = result.transferredShare
    birthLoss = result.birthLoss
    trainingLoss = result.trainingLoss
    loss = result.loss
    score = result.score
  }
}
