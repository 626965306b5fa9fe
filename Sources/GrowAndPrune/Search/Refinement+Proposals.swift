import Architectures
import Numerics

extension Refinement {
  /// The children of a round of the cycle, all within the budget; none where there is no such child.
  func proposals(_ mode: Mode, from parent: Int) throws -> [RefinementStore.Child] {
    let pedigree = nodes[parent].pedigree
    let child: (pedigree: Pedigree, change: String)?
    switch mode {
    case .growHeads, .growFeedForward, .growLayer: return try grown(mode, pedigree)
    case .pruneHeads: child = try withoutHeads(pedigree, parent)
    case .pruneFeedForward: child = try withoutNeurons(pedigree, parent)
    case .pruneWidth: child = try narrower(pedigree, parent)
    case .pruneLayer: child = try withoutLayer(pedigree, parent)
    case .root, .prune, .train: child = nil
    }
    guard let child, try isAdmissible(child.pedigree) else { return [] }
    return [RefinementStore.Child(change: child.change, pedigree: child.pedigree)]
  }

  private func isAdmissible(_ pedigree: Pedigree) throws -> Bool {
    guard (try? pedigree.architecture.validated()) != nil else { return false }
    return try costs.costs(pedigree.architecture).map { limits.excess($0) <= 1 } ?? false
  }

  // MARK: Growth

  /// Distinct draws among everything that can be grown, in an order of the seed.
  private func grown(_ mode: Mode, _ pedigree: Pedigree) throws -> [RefinementStore.Child] {
    var all: [RefinementStore.Child] = []
    for layer in pedigree.layers.indices {
      switch mode {
      case .growHeads:
        for operation in configuration.operations {
          all.append(
            .init(
              change: "layer \(layer) + \(operation.name)",
              pedigree: pedigree.growingHead(layer: layer, operation: operation)))
        }
      case .growFeedForward:
        if let child = grownFeedForward(pedigree, layer: layer) { all.append(child) }
      default:
        all.append(.init(change: "a layer after \(layer)", pedigree: pedigree.insertingLayer(after: layer)))
      }
    }
    var random = CounterRandom(seed: seed, stream: 5, UInt64(rounds.count))
    var chosen: [RefinementStore.Child] = []
    while chosen.count < configuration.children, !all.isEmpty {
      let child = all.remove(at: random.nextIndex(below: all.count))
      if try isAdmissible(child.pedigree) { chosen.append(child) }
    }
    return chosen
  }

  private func grownFeedForward(_ pedigree: Pedigree, layer: Int) -> RefinementStore.Child? {
    let growth = configuration.growFeedForward
    let stack = pedigree.layers[layer].feedForward
    guard let last = stack.last else { return nil }
    switch growth.form {
    case .widen:
      return .init(
        change: "layer \(layer) + \(growth.width) neurons",
        pedigree: pedigree.widening(layer: layer, hidden: stack.count - 1, by: growth.width))
    case .stack:
      guard last.neurons.count <= growth.width else { return nil }
      // Twice the hidden size is what it takes to carry what the stack gave.
      let least = configuration.growth == .preserving ? 2 * pedigree.layers[layer].channels.count : 0
      let width = max(growth.width, least)
      return .init(
        change: "layer \(layer) + a hidden layer of \(width)",
        pedigree: pedigree.appendingHidden(layer: layer, width: width))
    }
  }

  // MARK: Pruning

  private func withoutHeads(_ pedigree: Pedigree, _ parent: Int) throws -> (Pedigree, String)? {
    let scores = try importance(of: parent, measure: configuration.importance).heads
    var going: [Int: Set<Int>] = [:]
    var count = 0
    for (layer, head) in Self.rising(scores) where count < configuration.pruneHeads.count {
      guard pedigree.layers[layer].heads.count - (going[layer]?.count ?? 0) > 1 else { continue }
      going[layer, default: []].insert(head)
      count += 1
    }
    guard count > 0 else { return nil }
    var child = pedigree
    for (layer, heads) in going { child = child.pruningHeads(layer: layer, heads) ?? child }
    return (child, Self.difference(pedigree, child))
  }

  /// Places in [layer][part] from the smallest to the largest; of equals the later first.
  private static func rising(_ scores: [[Double]]) -> [(layer: Int, part: Int)] {
    var places: [(layer: Int, part: Int)] = []
    for layer in scores.indices {
      for part in scores[layer].indices { places.append((layer, part)) }
    }
    return places.sorted { first, second in
      let (a, b) = (scores[first.layer][first.part], scores[second.layer][second.part])
      if a != b { return a < b }
      return (first.layer, first.part) > (second.layer, second.part)
    }
  }

  private func withoutNeurons(_ pedigree: Pedigree, _ parent: Int) throws -> (Pedigree, String)? {
    let pruning = configuration.pruneFeedForward
    let importance = try importance(of: parent, measure: configuration.importance)
    let order = Self.rising(importance.hidden).filter { layer, hidden in
      pedigree.layers[layer].feedForward[hidden].neurons.count > pruning.neurons
    }
    guard !order.isEmpty else { return nil }
    var child = pedigree
    for (layer, hidden) in order.prefix(pruning.hiddenLayers) {
      let scores = importance.neurons[layer][hidden]
      let count = scores.count - pruning.neurons
      let kept = pruning.choice == .leading ? Set(0..<count) : scores.largest(count)
      child = child.keepingNeurons(layer: layer, hidden: hidden, kept) ?? child
    }
    return (child, Self.difference(pedigree, child))
  }

  /// The segment that loses the least by it.
  private func narrower(_ pedigree: Pedigree, _ parent: Int) throws -> (Pedigree, String)? {
    let count = configuration.pruneWidth.channels
    let importance = try importance(of: parent, measure: configuration.importance)
    var best: (pedigree: Pedigree, lost: Double)?
    for run in pedigree.segments {
      let scores = importance.channels(over: run)
      guard scores.count > count else { continue }
      let kept = scores.largest(scores.count - count)
      guard let child = pedigree.keepingChannels(layers: run, kept) else { continue }
      let lost = scores.indices.reduce(0.0) { kept.contains($1) ? $0 : $0 + scores[$1] } / Double(run.count)
      if best.map({ lost < $0.lost }) ?? true { best = (child, lost) }
    }
    return best.map { ($0.pedigree, Self.difference(pedigree, $0.pedigree)) }
  }

  private func withoutLayer(_ pedigree: Pedigree, _ parent: Int) throws -> (Pedigree, String)? {
    let scores = try importance(of: parent, measure: configuration.importance).layers
    for layer in scores.rising {
      if let child = pedigree.pruningLayer(layer) { return (child, "without layer \(layer)") }
    }
    return nil
  }

  // MARK: In words

  /// What a child has less or more than its parent: `2 heads, 256 neurons less`.
  static func difference(_ parent: Pedigree, _ child: Pedigree) -> String {
    func counts(_ pedigree: Pedigree) -> [(String, String, Int)] {
      [
        ("layer", "layers", pedigree.layers.count),
        ("head", "heads", pedigree.layers.reduce(0) { $0 + $1.heads.count }),
        (
          "neuron", "neurons",
          pedigree.layers.reduce(0) { $0 + $1.feedForward.reduce(0) { $0 + $1.neurons.count } }
        ),
        ("channel", "channels", pedigree.segments.reduce(0) { $0 + pedigree.layers[$1.lowerBound].channels.count }),
      ]
    }
    var parts: [String] = []
    for (before, after) in zip(counts(parent), counts(child)) where before.2 != after.2 {
      let amount = abs(after.2 - before.2)
      parts.append("\(after.2 < before.2 ? "−" : "+")\(amount) \(amount == 1 ? before.0 : before.1)")
    }
    return parts.joined(separator: ", ")
  }
}
