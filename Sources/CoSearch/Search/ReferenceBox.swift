import Architectures

/// Derives the box of a problem's hypervolume: from the problem alone, so that it is the same for every search of it.
///
/// The reference is the problem's own, else the budget, else the worst value of models of equal layers across the space. The ideal
/// is the best value of those. They are evaluated beside the search's own count.
enum ReferenceBox {
  private static let spreadCount = 2_000

  static func box(_ evaluator: CandidateEvaluator, _ seeds: Seeds) throws(SearchError) -> ObjectiveBox {
    let objectives = evaluator.problem.objectives
    let points = seeds.corners() + seeds.spread(spreadCount)
    var low = SIMD8<Double>(repeating: .infinity)
    var high = SIMD8<Double>(repeating: -.infinity)
    var workspace = CandidateEvaluator.Workspace()
    for device in evaluator.devices.indices {
      evaluator.visit(points, device: device, &workspace) { _, _, _ in
      } body: { _, quantities in
        let coordinates = ObjectiveBox.coordinates(objectives, quantities)
        guard (coordinates - coordinates) == SIMD8(repeating: 0) else { return }
        low = pointwiseMin(low, coordinates)
        high = pointwiseMax(high, coordinates)
      }
    }
    guard objectives.indices.allSatisfy({ low[$0].isFinite && high[$0].isFinite }) else {
      throw .devices(problem: "no twin gives finite values for the models of this space")
    }
    var ideal: [Double] = []
    var reference: [Double] = []
    for (lane, objective) in objectives.enumerated() {
      let given = evaluator.problem.referencePoint[objective] ?? evaluator.problem.budgets[objective]
      let worst = given.map { ObjectiveBox.coordinate(objective, $0) } ?? high[lane]
      // Where even the best is no better than the reference, a unit box keeps the arithmetic sound.
      let best = low[lane] < worst ? low[lane] : worst - 1
      reference.append(ObjectiveBox.value(objective, coordinate: worst))
      ideal.append(ObjectiveBox.value(objective, coordinate: best))
    }
    return ObjectiveBox(objectives: objectives, ideal: ideal, reference: reference)
  }
}
