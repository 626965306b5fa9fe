import Architectures
import Foundation
import ModelFiles
import Testing

@testable import GrowAndPrune

@Suite struct ImportanceTests {
  /// The published magnitudes, reckoned here by the book.
  @Test func magnitude() throws {
    let architecture = mixedArchitecture()
    let model = largeModel(architecture)
    let importance = try Importance.magnitude(of: model, pedigree: Pedigree(root: architecture))
    func values(_ name: String) throws -> [Double] { try #require(model.weights[name]).values.map(Double.init) }
    func meanSquare(_ values: some Collection<Double>) -> Double {
      values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
    }
    // Layer 0, 28 wide, heads of 4; head 1 is sa_wma, head 4 is c_5.
    var expected: [[Double]] = [[], []]
    for part in ["query", "key", "value"] {
      let rows = try values("encoder.layer.0.attention.self.\(part).weight")
      for (index, head) in [1, 4].enumerated() {
        expected[index].append(meanSquare(rows[head * 112..<(head + 1) * 112]))
      }
    }
    expected[0].append(meanSquare(try values("encoder.layer.0.attention.self.heads.1.wma.weight")))
    for part in ["depthwise", "pointwise", "span", "value"] {
      expected[1].append(meanSquare(try values("encoder.layer.0.attention.self.heads.4.convolution.\(part).weight")))
    }
    for (index, head) in [1, 4].enumerated() {
      let mean = expected[index].reduce(0, +) / Double(expected[index].count)
      #expect(abs(importance.heads[0][head] / mean - 1) < 1e-9)
    }
    let second = try values("encoder.layer.0.intermediate.stack.0.weight")
    #expect(abs(importance.hidden[0][1] - second.reduce(0) { $0 + abs($1) } / Double(second.count)) < 1e-9)
    let neuron = second[3 * 17..<4 * 17]
    #expect(abs(importance.neurons[0][1][3] - neuron.reduce(0) { $0 + abs($1) } / 17) < 1e-9)
    #expect(importance.hidden[2].count == 3 && importance.heads[1].count == 4)
  }

  /// Σ w·g over what reads a part, its size averaged over batches.
  @Test func taylor() throws {
    let architecture = mixedArchitecture()
    let model = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    var taylor = TaylorImportance(pedigree: pedigree)
    let gradients = [2, 3].map { largeModel(architecture, seed: $0).weights }
    for gradient in gradients { try taylor.add(weights: model.weights, gradient: { gradient[$0] }) }
    let found = taylor.importance
    func mean(_ sum: (ModelWeights) throws -> Double) rethrows -> Double {
      try gradients.reduce(0.0) { try $0 + abs(sum($1)) } / 2
    }
    func product(
      _ gradient: ModelWeights, _ name: String, _ width: Int, _ columns: Range<Int>
    ) throws -> Double {
      let (w, g) = (try #require(model.weights[name]).values, try #require(gradient[name]).values)
      return w.indices.reduce(0.0) { columns.contains($1 % width) ? $0 + Double(w[$1]) * Double(g[$1]) : $0 }
    }
    let head = try mean { try product($0, "encoder.layer.1.attention.output.dense.weight", 20, 10..<15) }
    #expect(abs(found.heads[1][2] - head) < 1e-9)
    let neuron = try mean { try product($0, "encoder.layer.0.intermediate.stack.0.weight", 17, 4..<5) }
    #expect(abs(found.neurons[0][0][4] - neuron) < 1e-9)
    let last = try mean { try product($0, "encoder.layer.2.output.dense.weight", 7, 0..<7) }
    #expect(abs(found.hidden[2][2] - last) < 1e-9)
    let norm = "encoder.layer.1.output.LayerNorm"
    let inner = "encoder.layer.1.attention.output.LayerNorm"
    let channel = try mean { try product($0, "\(norm).weight", 12, 7..<8) + product($0, "\(norm).bias", 12, 7..<8) }
    let other = try mean { try product($0, "\(inner).weight", 12, 7..<8) + product($0, "\(inner).bias", 12, 7..<8) }
    #expect(abs(found.channels[1][7] - channel - other) < 1e-9)
    // What is not trained has no gradient, and no importance.
    var none = TaylorImportance(pedigree: pedigree)
    try none.add(weights: model.weights) { _ in nil }
    #expect(none.importance == Importance(zeroFor: pedigree))
  }

  @Test func order() {
    #expect([3.0, 1, 2, 1].largest(2) == [0, 2] && [1.0, 1, 1].largest(2) == [0, 1])
    #expect([3.0, 1, 2, 1].rising == [3, 1, 2, 0])
  }
}

@Suite struct BudgetPruningTests {
  private func pruning(_ parts: [RefinementConfiguration.Part], latency: Double) -> BudgetPruning {
    BudgetPruning(
      parts: parts, neurons: 4, channels: 2, limits: CostLimits(latencySeconds: latency), costs: countingCosts)
  }

  private func scattered(_ pedigree: Pedigree) -> Importance {
    var importance = Importance(zeroFor: pedigree)
    var next = 0.0
    func value() -> Double {
      next = (next * 7.31 + 0.37).truncatingRemainder(dividingBy: 1)
      return next + 0.01
    }
    for layer in pedigree.layers.indices {
      for head in importance.heads[layer].indices { importance.heads[layer][head] = value() }
      for hidden in importance.neurons[layer].indices {
        for neuron in importance.neurons[layer][hidden].indices { importance.neurons[layer][hidden][neuron] = value() }
      }
      for channel in importance.channels[layer].indices { importance.channels[layer][channel] = value() }
    }
    return importance
  }

  @Test(arguments: [
    [RefinementConfiguration.Part.heads], [.neurons], [.channels], [.layers], RefinementConfiguration.Part.allCases,
  ])
  func reachesTheTarget(_ parts: [RefinementConfiguration.Part]) throws {
    let pedigree = Pedigree(root: evenArchitecture(layers: 4, feedForward: [48]))
    let before = Double(pedigree.architecture.parameterCount(.native).total) * 1e-9
    let result = try #require(
      try pruning(parts, latency: before * 0.85).prune(pedigree, importance: scattered(pedigree), target: 1))
    #expect(result.costs.latencySeconds <= before * 0.85 && result.costs.latencySeconds > before * 0.6)
    #expect(result.pedigree.isConsistent && result.lostScore > 0)
    let pruned = result.pedigree.architecture
    #expect(parts.contains(.layers) || pruned.layers.count == 4)
    #expect(parts.contains(.channels) || pruned.layers[0].hiddenSize == 16)
  }

  /// The unimportant half goes where all cost alike.
  @Test func takesWhatMattersLeast() throws {
    let pedigree = Pedigree(root: evenArchitecture(layers: 2, feedForward: [8]))
    var importance = Importance(zeroFor: pedigree)
    importance.neurons[0][0] = [9, 1, 8, 2, 7, 1, 9, 2]
    importance.neurons[1][0] = [Double](repeating: 50, count: 8)
    let before = Double(pedigree.architecture.parameterCount(.native).total) * 1e-9
    let result = try #require(
      try pruning([.neurons], latency: before - 100e-9).prune(pedigree, importance: importance, target: 1))
    #expect(result.lostScore == 6)
    let kept = result.pedigree.layers[0].feedForward[0].neurons
    let all = pedigree.layers[0].feedForward[0].neurons
    #expect(kept == [0, 2, 4, 6].map { all[$0] } && result.pedigree.layers[1] == pedigree.layers[1])
  }

  /// The least score for what is gained, not the least score.
  @Test func weighsTheGain() throws {
    let pedigree = Pedigree(root: evenArchitecture(layers: 1, heads: 4, feedForward: [8]))
    var importance = Importance(zeroFor: pedigree)
    // A head of 4 units is 4·(4·16) + 12 parameters, four neurons are 4·(16 + 16 + 1): about half.
    importance.heads[0] = [1.5, 5, 5, 5]
    importance.neurons[0][0] = [Double](repeating: 0.25, count: 8)
    let before = Double(pedigree.architecture.parameterCount(.native).total) * 1e-9
    func pruned(_ head: Double, _ parameters: Double) throws -> Architecture.Layer {
      importance.heads[0][0] = head
      return try #require(
        try pruning([.heads, .neurons], latency: before - parameters * 1e-9).prune(
          pedigree, importance: importance, target: 1)
      ).pedigree.architecture.layers[0]
    }
    // Of 200 parameters, the head gives them all for 1.4, the neurons 132 for 1.
    #expect(try pruned(1.4, 200).heads.count == 3 && pruned(1.4, 200).feedForward == [8])
    #expect(try pruned(2.5, 200).feedForward == [4])
    // What a head gives beyond the target does not count.
    #expect(try pruned(1.4, 100).heads.count == 4)
  }

  @Test func stopsAtWhatCanGo() throws {
    let pedigree = Pedigree(root: evenArchitecture(layers: 1, heads: 2, feedForward: [8]))
    let result = try #require(
      try pruning([.heads], latency: 1e-12).prune(pedigree, importance: Importance(zeroFor: pedigree), target: 1))
    #expect(result.pedigree.layers[0].heads.count == 1 && result.costs.latencySeconds > 1e-12)
    #expect(
      try pruning([.heads], latency: 1).prune(pedigree, importance: Importance(zeroFor: pedigree), target: 1) == nil)
    // A device that holds nothing as large: by parameters, until it does.
    let count = pedigree.architecture.parameterCount(.native).total
    let small = CostModel { try $0.parameterCount(.native).total < count ? countingCosts.costs($0) : nil }
    let held = BudgetPruning(
      parts: [.heads], neurons: 4, channels: 2, limits: CostLimits(latencySeconds: 1), costs: small)
    #expect(
      try held.prune(pedigree, importance: Importance(zeroFor: pedigree), target: 1)?.pedigree.layers[0].heads.count
        == 1)
  }
}
