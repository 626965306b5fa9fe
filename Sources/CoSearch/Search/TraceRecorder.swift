import Numerics

/// Keeps the front at moments an eighth of the work apart, and works out their hypervolume when the search is over.
struct TraceRecorder {
  private struct Moment {
    var evaluations: Int
    var seconds: Double
    var coordinates: [SIMD8<Double>]
  }

  private var moments: [Moment] = []
  private var next = 0

  mutating func note(_ state: SearchState, seconds: Double) {
    guard state.evaluations >= next else { return }
    add(state, seconds)
    next = state.evaluations + max(state.evaluations / 8, 1)
  }

  mutating func finish(_ state: SearchState, seconds: Double) {
    if moments.last?.evaluations != state.evaluations { add(state, seconds) }
  }

  private mutating func add(_ state: SearchState, _ seconds: Double) {
    moments.append(
      Moment(
        evaluations: state.evaluations, seconds: seconds, coordinates: state.candidates.map(\.coordinates)))
  }

  func trace(_ box: ObjectiveBox) throws(NumericsError) -> [Exploration.TracePoint] {
    let estimator = box.objectives.count > 3 ? try VolumeEstimator(dimension: box.objectives.count) : nil
    return moments.map { moment in
      Exploration.TracePoint(
        evaluations: moment.evaluations, seconds: moment.seconds, frontCount: moment.coordinates.count,
        hypervolume: estimator.map { $0.volume(of: moment.coordinates.map(box.normalised)) }
          ?? box.hypervolume(moment.coordinates))
    }
  }
}

/// Estimates the share of the unit box that vectors dominate, on quasi-random points other than an archive's own.
struct VolumeEstimator {
  private let points: SamplePoints

  init(dimension: Int) throws(NumericsError) {
    points = try SamplePoints(dimension: dimension, count: 65_536, kind: .halton)
  }

  func volume(of vectors: [SIMD8<Double>]) -> Double {
    let vectors = vectors.map { SIMD8<Float>($0) }
    let covered = vectors.withUnsafeBufferPointer { vectors in
      points.points.count { point in vectors.contains { all($0 .<= point) } }
    }
    return Double(covered) / Double(points.points.count)
  }
}
