import Accuracy
import Architectures
import Foundation
import Numerics
import Testing
import Twins

@testable import CoSearch

@Suite struct JudgeTests {
  static let space = DesignSpace.flexibert2

  static func costs(latency: Double, energy: Double, power: Double, factor: Double = 1.5) -> CostEstimate {
    func estimate(_ value: Double) -> Estimate {
      Estimate(median: value, lower: value / factor, upper: value * factor)
    }
    return CostEstimate(
      latencySeconds: estimate(latency), energyJoules: estimate(energy), peakPowerWatts: estimate(power))
  }

  static func assess(_ problem: Problem, memory: Double? = nil, limit: Double? = nil) -> Assessment {
    Judge(problem).assess(
      costs: costs(latency: 1, energy: 2, power: 3), intervalLevel: 0.9, accuracy: 80, accuracyBound: 75,
      accuracyProbability: { $0 <= 80 ? 0.75 : 0.25 }, parameters: 1000, memoryBytes: memory, memoryLimitBytes: limit)
  }

  @Test func mediansDecideByDefault() {
    var problem = Problem(devices: ["a"])
    problem.budgets = Budgets(
      maxLatencySeconds: 1.0001, maxEnergyJoules: 2.0001, maxPowerWatts: 3.0001, maxParameters: 1000)
    #expect(Self.assess(problem).isFeasible)
    problem.budgets.maxEnergyJoules = 1.9999
    #expect(Self.assess(problem).brokenBudgets == [.energy])
    #expect(Self.assess(problem).values.energyJoules == 2)
  }

  @Test func confidenceReadsTheQuantileOfTheInterval() {
    var problem = Problem(devices: ["a"])
    problem.confidence = 0.95
    // The upper end of a 90 % interval is the 95 % quantile.
    problem.budgets.maxLatencySeconds = 1.4999
    #expect(Self.assess(problem).brokenBudgets == [.latency])
    problem.budgets.maxLatencySeconds = 1.5001
    #expect(Self.assess(problem).isFeasible)
    // A lower one lies at 1.5^(z₀.₈/z₀.₉₅).
    problem.confidence = 0.8
    problem.budgets.maxLatencySeconds = 1.23
    #expect(Self.assess(problem).brokenBudgets == [.latency])
    problem.budgets.maxLatencySeconds = 1.232
    #expect(Self.assess(problem).isFeasible)
  }

  @Test func accuracyAndMemory() {
    var problem = Problem(devices: ["a"])
    problem.budgets.minAccuracy = 76
    #expect(Self.assess(problem).brokenBudgets == [.accuracy])
    problem.budgets.minAccuracy = 74
    #expect(Self.assess(problem).isFeasible)
    problem.budgets.maxMemoryBytes = 500
    #expect(Self.assess(problem, memory: 400).isFeasible)
    #expect(Self.assess(problem, memory: 600).brokenBudgets == [.memory])
    #expect(Self.assess(problem).brokenBudgets == [.memory])
    #expect(Self.assess(problem, memory: 400, limit: 300).brokenBudgets == [.deviceMemory])
  }

  @Test func probabilitiesFollowFromIntervals() {
    var problem = Problem(devices: ["a"])
    // The interval's bounds hold 0.9: above the upper one are 0.05.
    problem.budgets = Budgets(
      maxLatencySeconds: 1.5, maxEnergyJoules: 2, maxPowerWatts: 2, maxParameters: 999, minAccuracy: 85)
    let assessment = Self.assess(problem)
    let expected: [Budget: Double] = [.latency: 0.95, .energy: 0.5, .power: 0.05, .parameters: 0, .accuracy: 0.25]
    #expect(assessment.probabilities.count == expected.count)
    for (budget, probability) in expected {
      #expect(abs((assessment.probabilities[budget] ?? .nan) - probability) < 1e-9)
    }
    #expect(assessment.jointProbability == (0, 0))
    #expect(abs(assessment.violation - (Foundation.log(1.5) + Foundation.log(1000 / 999.0) + 1)) < 1e-12)
    problem.budgets = Budgets(maxLatencySeconds: 1.5, maxEnergyJoules: 3)
    #expect(abs(Self.assess(problem).jointProbability.lower - 0.9) < 1e-9)
    #expect(Self.assess(problem, memory: 5, limit: 4).probabilities[.deviceMemory] == 0)
    #expect(Self.assess(Problem(devices: ["a"])).jointProbability == (1, 1))
    // What the confidence asks for is what the probability says.
    for confidence in [0.5, 0.8, 0.95, 0.99] {
      problem.confidence = confidence
      for latency in [0.7, 1, 1.2, 1.49, 1.51, 2] {
        problem.budgets = Budgets(maxLatencySeconds: latency)
        let assessment = Self.assess(problem)
        #expect(assessment.isFeasible == ((assessment.probabilities[.latency] ?? 0) >= confidence - 1e-12))
        #expect(assessment.isFeasible == (assessment.violation == 0))
      }
    }
  }

  @Test func accuracyProbabilityAgreesWithItsIntervals() throws {
    let predictor = try AccuracyPredictor.fitted()
    var random = CounterRandom(seed: 23)
    for _ in 0..<20 {
      let architecture = Self.space.architecture(of: Self.space.randomPoint(using: &random))
      for level in [0.5, 0.9] {
        let estimate = predictor.predict(architecture, level: level)
        #expect(abs(predictor.probability(of: estimate, atLeast: estimate.lower) - (1 + level) / 2) < 1e-6)
        #expect(abs(predictor.probability(of: estimate, atLeast: estimate.median) - 0.5) < 1e-9)
      }
    }
  }

  @Test func parametersAgreeWithArchitectures() {
    var random = CounterRandom(seed: 21)
    for convention in ParameterCount.Convention.allCases {
      let table = ParameterTable(space: Self.space, convention: convention)
      for _ in 0..<200 {
        let point = Self.space.randomPoint(using: &random)
        #expect(table.count(of: point) == Self.space.architecture(of: point).parameterCount(convention).total)
      }
    }
  }

  @Test func evaluatorAgreesForPointsAndArchitectures() throws {
    var problem = Problem(devices: ["board", "laptop", "card"])
    problem.confidence = 0.9
    problem.budgets = Budgets(maxLatencySeconds: 0.2, maxMemoryBytes: 3e8, minAccuracy: 70)
    problem.scalar = try Problem.decode(ProblemTests.text, name: "p").scalar
    let predictor = try AccuracyPredictor.fitted()
    let evaluator = try CandidateEvaluator(
      problem: problem, space: Self.space, devices: AnalyticTwin.trio(Self.space), accuracy: predictor)
    var random = CounterRandom(seed: 22)
    var feasible = 0
    for trial in 0..<200 {
      let point = Self.space.randomPoint(using: &random)
      let device = trial % 3
      let candidate = try #require(evaluator.candidate(of: point, device: device))
      var memory: [Double] = []
      evaluator.devices[device].memoryBytes(of: [point], into: &memory)
      let architecture = Self.space.architecture(of: point)
      let assessment = evaluator.assess(architecture, device: device, costs: candidate.costs, memoryBytes: memory[0])
      #expect(assessment.brokenBudgets == candidate.assessment.brokenBudgets)
      #expect(abs((assessment.scalar ?? 0) - (candidate.assessment.scalar ?? 1)) < 1e-6)
      #expect(candidate.parameters == architecture.parameterCount(.protran).total)
      #expect(abs(candidate.accuracy.median - predictor.predict(architecture).median) < 1e-5)
      if candidate.assessment.isFeasible { feasible += 1 }
    }
    #expect(feasible > 10 && feasible < 190)
  }

  @Test func devicesMustMatchTheProblem() throws {
    #expect(throws: SearchError.self) {
      try CandidateEvaluator(problem: Problem(devices: ["a"]), space: Self.space, devices: [], accuracy: .fitted())
    }
  }
}
