import Architectures
import Foundation
import Testing

@testable import GrowAndPrune

@Suite struct ConfigurationTests {
  /// What the paper and the authors' code say.
  @Test func publishedDefaults() {
    let published = RefinementConfiguration.published
    #expect(published.cycle == [.growHeads, .growFeedForward, .pruneHeads, .pruneFeedForward])
    #expect(published.children == 5 && published.patience == 5 && published.warmUpSteps == 1_000)
    let trainings = [Mode.growHeads, .growFeedForward, .pruneHeads, .pruneFeedForward, .pruneWidth].compactMap(
      published.training)
    #expect(trainings.map(\.steps) == [20_000, 50_000, 30_000, 20_000, 15_000])
    #expect(trainings.map(\.learningRate) == [1e-5, 1e-5, 5e-5, 1e-5, 5e-5])
    #expect(published.growFeedForward.width == 1_024 && published.growFeedForward.form == .stack)
    #expect(published.pruneHeads.count == 2 && published.pruneFeedForward.hiddenLayers == 2)
    #expect(published.pruneFeedForward.neurons == 128 && published.pruneFeedForward.choice == .leading)
    #expect(published.pruneWidth.channels == 48 && published.importance == .magnitude && published.growth == .fresh)
    #expect(published.batchSize == 32 && published.criterion == .trainingLoss)
  }

  /// Three cuts of 60 steps and one of 300; two rounds of two children and two of one, 60 steps each.
  @Test func mostStepsAndTheirScale() {
    let short = RefinementConfiguration.short
    #expect(short.most.steps == 3 * 60 + 300 + 6 * 60 && short.most.models == 4 + 6)
    let half = short.scalingSteps(by: 0.5)
    #expect(half.most.steps == 420 && half.growHeads.learningRate == short.growHeads.learningRate)
    let least = short.scalingSteps(by: 1e-6)
    #expect(least.most.steps == 10 && short.scalingSteps(by: 1) == short)
    var other = RefinementConfiguration.published
    other.finish = .init(steps: 7, learningRate: 1e-4)
    #expect(other.most.models == 8 + 25 * 10 + 50 + 1)
  }

  @Test(arguments: ["published", "short"]) func roundTrip(_ name: String) throws {
    let profile = try #require(RefinementConfiguration.profiles[name])
    #expect(try RefinementConfiguration(yaml: profile.yaml(), name: "t") == profile)
  }

  @Test func whatIsLeftOutIsTheBase() throws {
    let configuration = try RefinementConfiguration(
      yaml: """
        schema: edgetwin.refinement/1
        base: published
        cycle: [prune_heads, grow_layer]
        prune_heads: {steps: 10, count: 4}
        approach: {parts: [heads, neurons], recovery_steps: 3}
        """, name: "t")
    var expected = RefinementConfiguration.published
    expected.cycle = [.pruneHeads, .growLayer]
    expected.pruneHeads.training.steps = 10
    expected.pruneHeads.count = 4
    expected.approach.parts = [.heads, .neurons]
    expected.approach.recovery.steps = 3
    #expect(configuration == expected)
  }

  @Test(arguments: [
    ("children: 0", "children", 2), ("criterion: luck", "criterion", 2), ("cycle: [grow_heads, root]", "cycle", 2),
    ("cycle: [prune]", "cycle", 2),
    ("prune_heads:\n  cuont: 2", "prune_heads.cuont", 3), ("grow_heads: {width: 3}", "grow_heads.width", 2),
    ("dropout: 1.5", "dropout", 2), ("approach: {parts: [feet]}", "approach.parts", 2), ("base: long", "base", 2),
    ("steps: 3", "steps", 2), ("root: {learning_rate: -1}", "root.learning_rate", 2),
  ]) func mistakes(_ text: String, _ field: String, _ line: Int) {
    let error = #expect(throws: YAMLFileError.self) {
      try RefinementConfiguration(yaml: "schema: edgetwin.refinement/1\n" + text, name: "t")
    }
    #expect(error?.field == field && error?.line == line, "\(error.map { "\($0)" } ?? "")")
  }

  @Test func warmUpIsShort() {
    let short = RefinementConfiguration.short
    #expect(short.warmUp(for: .init(steps: 60, learningRate: 1)) == 6)
    #expect(RefinementConfiguration.published.warmUp(for: .init(steps: 50_000, learningRate: 1)) == 1_000)
  }
}
