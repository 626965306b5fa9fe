import Foundation

/// The box that hypervolume is measured in: from the ideal to the reference, accuracy as it is, costs by their logarithm, so that
/// equal ratios of a cost count alike. All lanes are to be minimised.
public struct ObjectiveBox: Sendable, Hashable {
  public let objectives: [Objective]
  /// Best value of each objective, in its unit.
  public let ideal: [Double]
  /// Worst value that counts.
  public let reference: [Double]

  let idealCoordinates: SIMD8<Double>
  private let inverseRange: SIMD8<Double>

  public init(objectives: [Objective], ideal: [Double], reference: [Double]) {
    self.objectives = objectives
    self.ideal = ideal
    self.reference = reference
    var low = SIMD8<Double>(repeating: 0)
    var inverse = SIMD8<Double>(repeating: 0)
    for (lane, objective) in objectives.enumerated() {
      low[lane] = Self.coordinate(objective, ideal[lane])
      let range = Self.coordinate(objective, reference[lane]) - low[lane]
      inverse[lane] = range > 0 ? 1 / range : 1
    }
    idealCoordinates = low
    inverseRange = inverse
  }

  /// Share of the box that a set of values (one row a candidate, in the order of ``objectives``) dominates, exactly.
  public func hypervolume(_ rows: [[Double]]) -> Double {
    hypervolume(rows.filter { $0.count == objectives.count }.map(coordinates(_:)))
  }

  func hypervolume(_ coordinates: [SIMD8<Double>]) -> Double {
    var reference = SIMD8<Double>(repeating: 0)
    for lane in objectives.indices { reference[lane] = 1 }
    return Hypervolume.exact(coordinates.map(normalised), reference: reference, dimension: objectives.count)
  }

  func coordinates(_ row: [Double]) -> SIMD8<Double> {
    var result = SIMD8<Double>(repeating: 0)
    for (lane, objective) in objectives.enumerated() { result[lane] = Self.coordinate(objective, row[lane]) }
    return result
  }

  @inline(__always) static func coordinates(_ objectives: [Objective], _ quantities: SIMD8<Double>) -> SIMD8<Double> {
    var result = SIMD8<Double>(repeating: 0)
    for lane in objectives.indices {
      let objective = objectives[lane]
      result[lane] = coordinate(objective, quantities[objective.lane])
    }
    return result
  }

  @inline(__always) static func coordinate(_ objective: Objective, _ value: Double) -> Double {
    objective == .accuracy ? -value : log(max(value, 1e-30))
  }

  static func value(_ objective: Objective, coordinate: Double) -> Double {
    objective == .accuracy ? -coordinate : exp(coordinate)
  }

  @inline(__always) func normalised(_ coordinates: SIMD8<Double>) -> SIMD8<Double> {
    (coordinates - idealCoordinates) * inverseRange
  }

  /// The same box with a nearer ideal.
  func withIdeal(_ coordinates: SIMD8<Double>) -> ObjectiveBox {
    ObjectiveBox(
      objectives: objectives,
      ideal: objectives.enumerated().map { Self.value($1, coordinate: coordinates[$0]) }, reference: reference)
  }
}
