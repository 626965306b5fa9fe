import Accuracy
import Architectures
import Twins

/// Everything that is needed to judge design points on the devices of a problem.
public struct CandidateEvaluator: Sendable {
  public let problem: Problem
  public let space: DesignSpace
  public let devices: [any CandidateCosting]
  public let judge: Judge
  public let accuracyLevel: Double
  public let predictor: AccuracyPredictor
  let parameters: ParameterTable
  /// For what is shown.
  private let accuracy: CompiledAccuracy
  /// For the budget.
  private let accuracyBound: CompiledAccuracy

  /// - Parameters:
  ///   - devices: one a device of the problem, in the problem's order.
  ///   - intervalLevel: of the accuracy estimates of candidates.
  /// - Throws: ``SearchError`` where the problem or the devices are not usable.
  public init(
    problem: Problem, space: DesignSpace, devices: [any CandidateCosting], accuracy predictor: AccuracyPredictor,
    parameterConvention: ParameterCount.Convention = .protran, intervalLevel: Double = 0.9
  ) throws(SearchError) {
    try problem.validate()
    guard devices.count == problem.devices.count else {
      throw .devices(problem: "the problem names \(problem.devices.count), \(devices.count) twins were given")
    }
    self.problem = problem
    self.space = space
    self.devices = devices
    self.predictor = predictor
    judge = Judge(problem)
    accuracyLevel = intervalLevel
    parameters = ParameterTable(space: space, convention: parameterConvention)
    accuracy = CompiledAccuracy(predictor, space: space, level: intervalLevel)
    accuracyBound = CompiledAccuracy(predictor, space: space, level: judge.accuracyLevel)
  }

  /// Candidates of points of the space on one device, in order.
  public func candidates(of points: [DesignPoint], device: Int) -> [Candidate] {
    let twin = devices[device]
    var costs: [CostEstimate] = []
    twin.costs(of: points, into: &costs)
    var memory: [Double] = []
    if judge.limitsMemory || twin.memoryLimitBytes != nil { twin.memoryBytes(of: points, into: &memory) }
    return points.indices.map { index in
      let point = points[index]
      let estimate = accuracy.estimate(of: point)
      let count = parameters.count(of: point)
      return Candidate(
        point: point, deviceIndex: device, device: twin.deviceID, costs: costs[index], accuracy: estimate,
        parameters: count,
        assessment: judge.assess(
          costs: costs[index], intervalLevel: twin.intervalLevel, accuracy: estimate.median,
          accuracyBound: judge.needsAccuracyBound ? accuracyBound.estimate(of: point).lower : estimate.median,
          accuracyProbability: { predictor.probability(of: estimate, atLeast: $0) },
          parameters: count, memoryBytes: memory.isEmpty ? nil : memory[index],
          memoryLimitBytes: twin.memoryLimitBytes))
    }
  }

  /// How an architecture does, of the space or not, given what a twin says of it on the device.
  /// - Parameter memoryBytes: needed only where a budget or the device limits memory.
  public func assess(
    _ architecture: Architecture, device: Int, costs: CostEstimate, memoryBytes: Double?
  ) -> Assessment {
    let accuracy = predictor.predict(architecture)
    return judge.assess(
      costs: costs, intervalLevel: devices[device].intervalLevel, accuracy: accuracy.median,
      accuracyBound: predictor.predict(architecture, level: judge.accuracyLevel).lower,
      accuracyProbability: { predictor.probability(of: accuracy, atLeast: $0) },
      parameters: architecture.parameterCount(parameters.convention).total, memoryBytes: memoryBytes,
      memoryLimitBytes: devices[device].memoryLimitBytes)
  }

  /// One candidate.
  public func candidate(of point: DesignPoint, device: Int) -> Candidate? {
    candidates(of: [point], device: device).first
  }

  /// Buffers of one task.
  struct Workspace {
    var costs: [CostEstimate] = []
    var medians: [Double] = []
    var bounds: [AccuracyEstimate] = []
    var memory: [Double] = []
  }

  /// Calls `body` for each point, in order, with its quantities and the ratios of its budgets' use: the search's fast path.
  @inline(__always)
  func visit(
    _ points: [DesignPoint], device: Int, _ workspace: inout Workspace,
    ratio: (Int, Budget, Double) -> Void, body: (Int, Judge.Quantities) -> Void
  ) {
    let twin = devices[device]
    let limit = twin.memoryLimitBytes
    let usesMemory = judge.limitsMemory || limit != nil
    let scale = judge.scale(twin.intervalLevel)
    twin.costs(of: points, into: &workspace.costs)
    accuracy.medians(of: points, into: &workspace.medians)
    if judge.needsAccuracyBound { accuracyBound.estimates(of: points, into: &workspace.bounds) }
    if usesMemory { twin.memoryBytes(of: points, into: &workspace.memory) }
    for index in points.indices {
      let costs = workspace.costs[index]
      let quantities = Judge.quantities(
        costs, workspace.medians[index], parameters.count(of: points[index]),
        usesMemory ? workspace.memory[index] : 0)
      judge.forEachRatio(
        quantities, costs, scale,
        accuracyBound: judge.needsAccuracyBound ? workspace.bounds[index].lower : workspace.medians[index],
        memoryLimitBytes: limit
      ) { ratio(index, $0, $1) }
      body(index, quantities)
    }
  }
}
