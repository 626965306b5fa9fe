import Architectures

/// Prunes a model to a cost by the least Taylor score lost for the cost gained.
///
/// One part after another is taken: the least important head of a layer, a group of a hidden layer's least important neurons, a group of a
/// segment's least important channels, or a whole layer; each time the one with the smallest sum of scores for what the twin says it gains.
/// Gains are in multiples of the limits that are still exceeded, so that several budgets are one target; what goes beyond the target gains
/// nothing.
package struct BudgetPruning {
  package var parts: [RefinementConfiguration.Part]
  /// Neurons and channels that go at a time.
  package var neurons: Int
  package var channels: Int
  package var limits: CostLimits
  package var costs: CostModel

  package init(
    parts: [RefinementConfiguration.Part], neurons: Int, channels: Int, limits: CostLimits, costs: CostModel
  ) {
    self.parts = parts
    self.neurons = neurons
    self.channels = channels
    self.limits = limits
    self.costs = costs
  }

  package struct Result: Sendable {
    package var pedigree: Pedigree
    package var costs: PredictedCosts
    /// Sum of the scores that went.
    package var lostScore: Double
  }

  private struct Candidate {
    var pedigree: Pedigree
    var importance: Importance
    var lost: Double
    var costs: PredictedCosts
    var gain: Double
  }

  /// Prunes until the excess over the limits is at most `target`.
  ///
  /// - Returns: nil where nothing was gained; else the first pedigree at or below the target, or the closest that can be reached.
  /// - Throws: what predicting costs throws.
  package func prune(
    _ pedigree: Pedigree, importance: Importance, target: Double, check: () throws -> Void = {}
  ) throws -> Result? {
    guard var now = try costs.costs(pedigree.architecture) else {
      // The device cannot hold it at all: pruned by parameters until it can be costed.
      return try pruneUntilHeld(pedigree, importance: importance, target: target, check: check)
    }
    var (pedigree, importance) = (pedigree, importance)
    var lost = 0.0
    var hasGained = false
    while limits.excess(now) > target {
      try check()
      let candidates = try candidates(pedigree, importance).compactMap { try costed($0, from: now, target: target) }
      guard let best = candidates.min(by: { $0.lost / $0.gain < $1.lost / $1.gain }) else { break }
      (pedigree, importance, now) = (best.pedigree, best.importance, best.costs)
      lost += best.lost
      hasGained = true
    }
    return hasGained ? Result(pedigree: pedigree, costs: now, lostScore: lost) : nil
  }

  /// A candidate with its costs; nil where it gains nothing.
  private func costed(
    _ candidate: (pedigree: Pedigree, importance: Importance, lost: Double), from now: PredictedCosts, target: Double
  ) throws -> Candidate? {
    guard let after = try costs.costs(candidate.pedigree.architecture) else { return nil }
    let gain = zip(limits.ratios(now), limits.ratios(after)).reduce(0.0) { sum, pair in
      pair.0 > target ? sum + pair.0 - max(pair.1, target) : sum
    }
    guard gain > 1e-12 else { return nil }
    return Candidate(
      pedigree: candidate.pedigree, importance: candidate.importance, lost: candidate.lost, costs: after, gain: gain)
  }

  private func pruneUntilHeld(
    _ pedigree: Pedigree, importance: Importance, target: Double, check: () throws -> Void
  ) throws -> Result? {
    var (pedigree, importance) = (pedigree, importance)
    var lost = 0.0
    while try costs.costs(pedigree.architecture) == nil {
      try check()
      let before = pedigree.architecture.parameterCount(.native).total
      let best = candidates(pedigree, importance).min { first, second in
        func price(_ candidate: (pedigree: Pedigree, importance: Importance, lost: Double)) -> Double {
          let gain = before - candidate.pedigree.architecture.parameterCount(.native).total
          return gain > 0 ? candidate.lost / Double(gain) : .infinity
        }
        return price(first) < price(second)
      }
      guard let best, best.pedigree.architecture.parameterCount(.native).total < before else { return nil }
      (pedigree, importance) = (best.pedigree, best.importance)
      lost += best.lost
    }
    if var rest = try prune(pedigree, importance: importance, target: target, check: check) {
      rest.lostScore += lost
      return rest
    }
    return try costs.costs(pedigree.architecture).map { Result(pedigree: pedigree, costs: $0, lostScore: lost) }
  }

  // MARK: What can go next

  private func candidates(
    _ pedigree: Pedigree, _ importance: Importance
  ) -> [(pedigree: Pedigree, importance: Importance, lost: Double)] {
    var result: [(pedigree: Pedigree, importance: Importance, lost: Double)] = []
    for layer in pedigree.layers.indices {
      if parts.contains(.heads), let head = importance.heads[layer].rising.first,
        let child = pedigree.pruningHeads(layer: layer, [head])
      {
        result.append((child, importance.withoutHead(head, layer: layer), importance.heads[layer][head]))
      }
      if parts.contains(.neurons) {
        for (place, scores) in importance.neurons[layer].enumerated() where scores.count > neurons {
          let kept = scores.largest(scores.count - neurons)
          guard let child = pedigree.keepingNeurons(layer: layer, hidden: place, kept) else { continue }
          let lost = scores.indices.reduce(0.0) { kept.contains($1) ? $0 : $0 + scores[$1] }
          result.append((child, importance.keepingNeurons(kept, layer: layer, hidden: place), lost))
        }
      }
      if parts.contains(.layers), let child = pedigree.pruningLayer(layer) {
        // As the sum of all its parts, so that it competes with taking them one by one.
        let lost =
          importance.heads[layer].reduce(0, +) + importance.neurons[layer].reduce(0) { $0 + $1.reduce(0, +) }
        result.append((child, importance.withoutLayer(layer), lost))
      }
    }
    if parts.contains(.channels) {
      for run in pedigree.segments {
        let scores = importance.channels(over: run)
        guard scores.count > channels else { continue }
        let kept = scores.largest(scores.count - channels)
        guard let child = pedigree.keepingChannels(layers: run, kept) else { continue }
        let lost = scores.indices.reduce(0.0) { kept.contains($1) ? $0 : $0 + scores[$1] }
        result.append((child, importance.keepingChannels(kept, over: run), lost))
      }
    }
    return result
  }
}

extension Importance {
  func withoutHead(_ head: Int, layer: Int) -> Importance {
    var result = self
    result.heads[layer].remove(at: head)
    return result
  }

  func keepingNeurons(_ kept: Set<Int>, layer: Int, hidden: Int) -> Importance {
    var result = self
    result.neurons[layer][hidden] = neurons[layer][hidden].enumerated().filter { kept.contains($0.offset) }.map(
      \.element)
    return result
  }

  func keepingChannels(_ kept: Set<Int>, over run: Range<Int>) -> Importance {
    var result = self
    for layer in run {
      result.channels[layer] = channels[layer].enumerated().filter { kept.contains($0.offset) }.map(\.element)
    }
    return result
  }

  func withoutLayer(_ layer: Int) -> Importance {
    var result = self
    result.heads.remove(at: layer)
    result.neurons.remove(at: layer)
    result.hidden.remove(at: layer)
    result.channels.remove(at: layer)
    result.layers.remove(at: layer)
    return result
  }
}
