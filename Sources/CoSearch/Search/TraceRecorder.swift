import Numerics

/// The front that is reported: all that the archive held at moments an eighth of the work apart, as far as nothing dominates it; and
/// its hypervolume at these moments, worked out when the search is over.
///
/// The archive itself is bounded and counts volume on sample points, so that it now and then lets go of a member that covers a little
/// that no other does; what was once noted stays, so that the reported front never shrinks.
struct TraceRecorder {
  private struct Moment {
    var evaluations: Int
    var seconds: Double
    var coordinates: [SIMD8<Double>]
  }

  private var moments: [Moment] = []
  /// Mutually non-dominated, in the order in which they were noted.
  private(set) var front: [Found] = []
  private var next = 0

  /// - Returns: whether this was a moment to note.
  mutating func note(_ state: SearchState, seconds: Double) -> Bool {
    guard state.evaluations >= next else { return false }
    add(state, seconds)
    next = state.evaluations + max(state.evaluations / 8, 1)
    return true
  }

  /// - Returns: whether the end was a moment to note still.
  mutating func finish(_ state: SearchState, seconds: Double) -> Bool {
    guard moments.last?.evaluations != state.evaluations else { return false }
    add(state, seconds)
    return true
  }

  private mutating func add(_ state: SearchState, _ seconds: Double) {
    merge(state.candidates)
    moments.append(
      Moment(evaluations: state.evaluations, seconds: seconds, coordinates: front.map(\.coordinates)))
  }

  /// Takes in what nothing in the front dominates or equals, and lets go of what it dominates.
  private mutating func merge(_ candidates: [Found]) {
    let all = front + candidates
    front = Dominance.nonDominated(all.map(\.coordinates)).map { all[$0] }
  }

  func encode(to writer: inout CheckpointWriter, dimension: Int) {
    writer.put(next)
    writer.put(front)
    writer.put(moments.count)
    for moment in moments {
      writer.put(moment.evaluations)
      writer.put(moment.seconds)
      writer.put(moment.coordinates.count)
      for coordinates in moment.coordinates {
        for lane in 0..<dimension { writer.put(coordinates[lane]) }
      }
    }
  }

  mutating func decode(from reader: inout CheckpointReader, evaluator: CandidateEvaluator) throws(SearchError) {
    let dimension = evaluator.problem.objectives.count
    next = try reader.int(in: 0..<CheckpointReader.largestCount)
    front = try reader.allFound(evaluator)
    moments = []
    for _ in 0..<(try reader.count()) {
      var moment = Moment(evaluations: try reader.int(), seconds: try reader.double(), coordinates: [])
      for _ in 0..<(try reader.count()) {
        var coordinates = SIMD8<Double>(repeating: 0)
        for lane in 0..<dimension { coordinates[lane] = try reader.double() }
        moment.coordinates.append(coordinates)
      }
      moments.append(moment)
    }
  }

  func trace(_ box: ObjectiveBox) throws(NumericsError) -> [Exploration.TracePoint] {
    var estimator = box.objectives.count > 3 ? try VolumeEstimator(dimension: box.objectives.count) : nil
    return moments.map { moment in
      Exploration.TracePoint(
        evaluations: moment.evaluations, seconds: moment.seconds, frontCount: moment.coordinates.count,
        hypervolume: estimator?.volume(with: moment.coordinates.map(box.normalised))
          ?? box.hypervolume(moment.coordinates))
    }
  }
}

/// Estimates the share of the unit box that vectors dominate, on quasi-random points other than an archive's own.
struct VolumeEstimator {
  private let points: SamplePoints
  /// Points that no vector so far dominates.
  private var uncovered: [SIMD8<Float>]

  init(dimension: Int) throws(NumericsError) {
    points = try SamplePoints(dimension: dimension, count: 65_536, kind: .halton)
    uncovered = points.points
  }

  /// The share with these vectors and all that were given before.
  mutating func volume(with vectors: [SIMD8<Double>]) -> Double {
    let vectors = vectors.map { SIMD8<Float>($0) }
    vectors.withUnsafeBufferPointer { vectors in
      uncovered.removeAll { point in vectors.contains { all($0 .<= point) } }
    }
    return 1 - Double(uncovered.count) / Double(points.points.count)
  }
}
