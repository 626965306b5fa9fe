import Accuracy
import Architectures
import CoSearch
import Foundation
import Twins

/// The paper's claims beside what twins, calibrated on the same measurements, say is attainable.
///
/// All figures have a share of the process's start-up in them and are at the batch size that each device was profiled with, as the
/// published ones are.
struct ClaimCheck: Sendable {
  typealias Claim = PublishedRecords.Claim

  /// How many times less than BERT-Base on the A100 a candidate takes (of accuracy: points more), with a 90 % interval.
  struct Ratio: Sendable, Hashable {
    var median: Double
    var lower: Double
    var upper: Double
    /// Probability that it is at least what is claimed.
    var chance: Double
  }

  /// What one device can do.
  struct Device: Sendable {
    var name: String
    var scope: PowerScope
    /// The most of each claim by itself, by models that are predicted to be as accurate as BERT-Base; nil where there is none.
    var alone: [Claim: Ratio]
    /// The most accurate model that keeps all four claims about costs at once, with what it comes to; nil where there is none.
    var together: (candidate: Candidate, architectureID: String, ratios: [Claim: Ratio])?
    /// Why there is none.
    var problem: String?
  }

  let level: Double
  let baseline: Prediction
  let baselineAccuracy: AccuracyEstimate
  let baselineScope: PowerScope
  /// The device of the claims first.
  let devices: [Device]
  let caption: String
  let leaveOneOutError: Double

  static let claimedDevice = "m1-pro-gpu"
  static let baselineDevice = "a100"
  private static let claimsOnCosts: [Claim] = [.parameters, .latency, .energy, .peakPower]

  /// BERT-Base in the space's own form: relative positions, the space's vocabulary.
  static func bertBase(in space: DesignSpace) -> Architecture {
    Architecture(
      vocabularySize: space.vocabularySize, maximumPositions: space.maximumPositions,
      typeVocabularySize: space.typeVocabularySize, position: space.position,
      layers: Array(
        repeating: Architecture.Layer(
          hiddenSize: 768, headSize: 64, heads: Array(repeating: .scaledDotProduct, count: 12), feedForward: [3072]),
        count: 12))
  }

  /// - Parameters:
  ///   - setup: of the published problem; its first device is the baseline's.
  ///   - evaluations: of each search; there are five a device.
  init(_ setup: SearchSetup, evaluations: Int, seed: UInt64, threads: Int) async throws {
    let level = setup.evaluator.accuracyLevel
    let twin = setup.twins[0]
    let bert = Self.bertBase(in: setup.space)
    let baseline = try twin.predict(bert, level: level)
    let accuracy = setup.predictor.predict(bert, level: level)
    self.level = level
    self.baseline = baseline
    baselineAccuracy = accuracy
    baselineScope = twin.device.power.scope
    caption = setup.predictor.caption
    leaveOneOutError = setup.predictor.leaveOneOutError
    let base = Baseline(prediction: baseline, accuracy: accuracy, level: level)
    let edge = setup.problem.devices.indices.dropFirst()
    let order =
      edge.filter { setup.problem.devices[$0] == Self.claimedDevice }
      + edge.filter { setup.problem.devices[$0] != Self.claimedDevice }
    var devices: [Device] = []
    for index in order {
      let extent = Explorer.Extent.evaluations(evaluations)
      func search(_ objectives: [Objective], _ budgets: Budgets) async throws -> (SearchSetup, Exploration) {
        let problem = Problem(
          devices: [], includesStartup: true, objectives: objectives, budgets: budgets, confidence: 0.5)
        let own = try setup.asking(problem, devices: [index])
        return (own, try await Explorer(own.evaluator).explore(extent, seed: seed, threads: threads))
      }
      var alone: [Claim: Ratio] = [:]
      for claim in Self.claimsOnCosts {
        // As accurate as BERT-Base by the same predictor, whose common errors then cancel.
        let (_, found) = try await search([claim.objective, .accuracy], Budgets(minAccuracy: accuracy.median))
        let sign = { (candidate: Candidate) in candidate.assessment.values[claim.objective] ?? .infinity }
        if let best = found.front.min(by: { sign($0) < sign($1) }) { alone[claim] = base.ratio(best, claim) }
      }
      let costs = baseline.costs
      let budgets = Budgets(
        maxLatencySeconds: costs.latencySeconds.median / Claim.latency.published,
        maxEnergyJoules: costs.energyJoules.median / Claim.energy.published,
        maxPowerWatts: costs.peakPowerWatts.median / Claim.peakPower.published,
        maxParameters: Double(baseline.parameters) / Claim.parameters.published)
      let (own, found) = try await search([.accuracy, .latency], budgets)
      let best = found.front.max { $0.accuracy.median < $1.accuracy.median }
      devices.append(
        Device(
          name: setup.problem.devices[index], scope: setup.twins[index].device.power.scope, alone: alone,
          together: best.map { candidate in
            (
              candidate, own.space.architecture(of: candidate.point).id,
              Dictionary(uniqueKeysWithValues: Claim.allCases.map { ($0, base.ratio(candidate, $0)) })
            )
          }, problem: found.infeasibility.map { "\($0)" }))
    }
    self.devices = devices
  }

  /// What candidates are compared with.
  private struct Baseline {
    var prediction: Prediction
    var accuracy: AccuracyEstimate
    var level: Double

    func ratio(_ candidate: Candidate, _ claim: Claim) -> Ratio {
      switch claim {
      case .parameters:
        let ratio = Double(prediction.parameters) / Double(candidate.parameters)
        return Ratio(median: ratio, lower: ratio, upper: ratio, chance: ratio >= claim.published ? 1 : 0)
      case .accuracy: return difference(candidate.accuracy)
      case .latency: return ratio(prediction.costs.latencySeconds, candidate.costs.latencySeconds, claim)
      case .energy: return ratio(prediction.costs.energyJoules, candidate.costs.energyJoules, claim)
      case .peakPower: return ratio(prediction.costs.peakPowerWatts, candidate.costs.peakPowerWatts, claim)
      }
    }

    /// Errors of two devices' twins are independent: half-widths add in squares, on the logarithm.
    private func ratio(_ base: Estimate, _ other: Estimate, _ claim: Claim) -> Ratio {
      let median = base.median / other.median
      let down = hypot(log(base.median / base.lower), log(other.upper / other.median))
      let up = hypot(log(base.upper / base.median), log(other.median / other.lower))
      let estimate = Estimate(median: median, lower: median * exp(-down), upper: median * exp(up))
      return Ratio(
        median: median, lower: estimate.lower, upper: estimate.upper,
        chance: 1 - Uncertain(estimate, level: level).probability(atMost: claim.published))
    }

    private func difference(_ other: AccuracyEstimate) -> Ratio {
      let median = other.median - accuracy.median
      let down = hypot(accuracy.upper - accuracy.median, other.median - other.lower)
      let up = hypot(accuracy.median - accuracy.lower, other.upper - other.median)
      let estimate = AccuracyEstimate(median: median, standardDeviation: 0, lower: median - down, upper: median + up)
      return Ratio(
        median: median, lower: estimate.lower, upper: estimate.upper,
        chance: 1 - Uncertain(estimate, level: level).probability(atMost: Claim.accuracy.published))
    }
  }
}
