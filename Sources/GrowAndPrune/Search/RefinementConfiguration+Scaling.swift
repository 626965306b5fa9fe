extension RefinementConfiguration {
  /// Most steps of the optimiser that a refinement takes from a root that has a head for the task, and most models that it judges.
  package var most: (steps: Int, models: Int) {
    var (steps, models) = ((approach.rounds - 1) * approach.recovery.steps + approach.training.steps, approach.rounds)
    for round in 0..<rounds where !cycle.isEmpty {
      let mode = cycle[round % cycle.count]
      let count = mode.grows ? children : 1
      steps += count * (training(mode)?.steps ?? 0)
      models += count
    }
    if let finish { (steps, models) = (steps + finish.steps, models + 1) }
    return (steps, models)
  }

  /// The same with each training so much longer or shorter, a step at least; one that was not to be trained stays so.
  package func scalingSteps(by factor: Double) -> RefinementConfiguration {
    func scaled(_ training: Training) -> Training {
      guard training.steps > 0 else { return training }
      return Training(
        steps: max(Int((Double(training.steps) * factor).rounded()), 1), learningRate: training.learningRate)
    }
    var result = self
    result.root = scaled(root)
    result.growHeads = scaled(growHeads)
    result.growFeedForward.training = scaled(growFeedForward.training)
    result.growLayer = scaled(growLayer)
    result.pruneHeads.training = scaled(pruneHeads.training)
    result.pruneFeedForward.training = scaled(pruneFeedForward.training)
    result.pruneWidth.training = scaled(pruneWidth.training)
    result.pruneLayer = scaled(pruneLayer)
    result.approach.recovery = scaled(approach.recovery)
    result.approach.training = scaled(approach.training)
    result.finish = finish.map(scaled)
    return result
  }
}
