import Architectures
import Numerics

/// What a search knows between generations. Only one task has it; what it takes in, it takes in order.
struct SearchState {
  let evaluator: CandidateEvaluator
  /// Fixed by the problem: what hypervolume is reported in.
  let reportBox: ObjectiveBox
  private let samples: SamplePoints
  private let capacity: Int

  /// The box of the archive, whose ideal follows what is found.
  private(set) var box: ObjectiveBox
  private(set) var archive: ParetoArchive
  /// What the archive's payloads stand for.
  private var records: [Found] = []
  private var freeRecords: [Int] = []
  /// The best of each objective, then of the scalar.
  private var leaders: [Found?]
  /// The least violating candidates, while nothing is feasible.
  private var pool: [Found] = []
  private(set) var evaluations = 0
  private(set) var feasibleCount = 0
  private var leastRatios: [Budget: (ratio: Double, point: DesignPoint, device: Int)] = [:]

  private static let poolCapacity = 64

  init(evaluator: CandidateEvaluator, box: ObjectiveBox, capacity: Int) throws(NumericsError) {
    self.evaluator = evaluator
    reportBox = box
    self.box = box
    self.capacity = capacity
    let dimension = box.objectives.count
    samples = try SamplePoints(dimension: dimension, count: 65_536)
    archive = ParetoArchive(dimension: dimension, capacity: capacity, samples: samples)
    leaders = Array(repeating: nil, count: dimension + 1)
  }

  var members: [Found] { archive.members.map { records[$0.payload] } }

  /// Archive and leaders, without repeats.
  var candidates: [Found] {
    var result = members
    var seen = Set(result.map { Key(point: $0.point, device: $0.device) })
    for leader in leaders.compactMap(\.self) where seen.insert(Key(point: leader.point, device: leader.device)).inserted
    {
      result.append(leader)
    }
    return result
  }

  private struct Key: Hashable {
    var point: DesignPoint
    var device: Int
  }

  /// The best by the problem's scalar.
  var scalarLeader: Found? { leaders.last.flatMap(\.self) }

  /// The least violating candidate.
  var closest: Found? { pool.first }

  func leastRatio(of budget: Budget) -> (ratio: Double, point: DesignPoint, device: Int)? { leastRatios[budget] }

  mutating func take(_ result: ChunkResult) {
    evaluations += result.evaluations
    feasibleCount += result.feasibleCount
    for (budget, holder) in result.leastPoints {
      let ratio = result.leastRatios[budget.lane]
      if ratio < leastRatios[budget]?.ratio ?? .infinity {
        leastRatios[budget] = (ratio, holder.point, holder.device)
      }
    }
    for found in result.found {
      if found.violation > 0 {
        takeInfeasible(found)
      } else {
        takeFeasible(found)
      }
    }
  }

  private mutating func takeFeasible(_ found: Found) {
    pool.removeAll()
    let dimension = box.objectives.count
    for lane in 0..<dimension where Self.leads(found, leaders[lane], lane) { leaders[lane] = found }
    if found.scalar < leaders[dimension]?.scalar ?? .infinity { leaders[dimension] = found }
    insert(found)
  }

  /// Better in the objective, or as good in it and better in the sum.
  private static func leads(_ found: Found, _ leader: Found?, _ lane: Int) -> Bool {
    guard let leader else { return true }
    let (new, old) = (found.coordinates, leader.coordinates)
    return new[lane] < old[lane] || (new[lane] == old[lane] && new.sum() < old.sum())
  }

  private mutating func insert(_ found: Found) {
    let slot = freeRecords.last ?? records.count
    guard let left = archive.insert(SIMD8<Float>(box.normalised(found.coordinates)), payload: slot) else { return }
    if slot == records.count {
      records.append(found)
    } else {
      freeRecords.removeLast()
      records[slot] = found
    }
    freeRecords += left
  }

  private mutating func takeInfeasible(_ found: Found) {
    guard feasibleCount == 0 else { return }
    if pool.count == Self.poolCapacity, let last = pool.last, found.violation >= last.violation { return }
    if pool.contains(where: { $0.point == found.point && $0.device == found.device }) { return }
    let position = pool.firstIndex { $0.violation > found.violation } ?? pool.count
    pool.insert(found, at: position)
    if pool.count > Self.poolCapacity { pool.removeLast() }
  }

  /// Moves the archive's ideal to just beyond the best found, so that its sample points lie where the front is.
  mutating func tightenBox() {
    let found = candidates
    guard let first = found.first else { return }
    let low = found.dropFirst().reduce(first.coordinates) { pointwiseMin($0, $1.coordinates) }
    let reference = box.coordinates(box.reference)
    let ideal = low - (reference - low) * 0.02
    guard (0..<box.objectives.count).allSatisfy({ ideal[$0] < reference[$0] }) else { return }
    box = box.withIdeal(ideal)
    let kept = members
    archive = ParetoArchive(dimension: box.objectives.count, capacity: capacity, samples: samples)
    records.removeAll()
    freeRecords.removeAll()
    for member in kept { insert(member) }
  }

  func snapshot(generation: Int) -> Snapshot {
    var snapshot = Snapshot(
      generation: generation, box: box, parents: Array(repeating: [], count: evaluator.devices.count))
    archive.gatherUncovered(into: &snapshot.uncovered)
    snapshot.threshold = archive.threshold
    for (lane, leader) in leaders.dropLast().enumerated() {
      if let leader { snapshot.bestCoordinates[lane] = leader.coordinates[lane] }
    }
    for lane in box.objectives.count..<8 { snapshot.bestCoordinates[lane] = 0 }
    snapshot.bestScalar = leaders.last??.scalar ?? .infinity
    let sources = feasibleCount > 0 ? candidates + leaders.compactMap(\.self) : pool + leastRatioHolders
    for found in sources {
      let parent = Parent(
        point: found.point,
        vector: feasibleCount > 0 ? SIMD8<Float>(box.normalised(found.coordinates)) : SIMD8(repeating: .infinity))
      snapshot.parents[found.device].append(parent)
      snapshot.allParents.append(parent)
    }
    if feasibleCount == 0 {
      snapshot.worstViolation =
        pool.count < Self.poolCapacity ? .infinity : pool.last?.violation ?? .infinity
    }
    return snapshot
  }

  private var leastRatioHolders: [Found] {
    Budget.allCases.compactMap { budget in
      leastRatios[budget].map {
        Found(
          point: $0.point, device: $0.device, coordinates: SIMD8(repeating: 0), scalar: .infinity,
          violation: .infinity)
      }
    }
  }
}

extension SearchState {
  func encode(to writer: inout CheckpointWriter) {
    writer.put(evaluations)
    writer.put(feasibleCount)
    writer.put(box.ideal)
    writer.put(records)
    writer.put(freeRecords.count)
    for slot in freeRecords { writer.put(slot) }
    archive.encode(to: &writer)
    for leader in leaders { writer.put(leader.map { [$0] } ?? []) }
    writer.put(pool)
    for budget in Budget.allCases {
      guard let least = leastRatios[budget] else {
        writer.put(0)
        continue
      }
      writer.put(1)
      writer.put(least.ratio)
      writer.put(least.point)
      writer.put(least.device)
    }
  }

  /// Takes the place of what a fresh state knows.
  mutating func decode(from reader: inout CheckpointReader) throws(SearchError) {
    evaluations = try reader.int(in: 0..<CheckpointReader.largestCount)
    feasibleCount = try reader.int(in: 0..<CheckpointReader.largestCount)
    let ideal = try reader.doubles()
    guard ideal.count == reportBox.objectives.count else { throw CheckpointReader.damaged }
    box = ObjectiveBox(objectives: reportBox.objectives, ideal: ideal, reference: reportBox.reference)
    records = try reader.allFound(evaluator)
    freeRecords = []
    for _ in 0..<(try reader.count()) { freeRecords.append(try reader.int(in: 0..<records.count)) }
    try archive.decode(from: &reader, payloads: 0..<records.count)
    for index in leaders.indices { leaders[index] = try reader.allFound(evaluator).first }
    pool = try reader.allFound(evaluator)
    leastRatios = [:]
    for budget in Budget.allCases where try reader.int(in: 0..<2) == 1 {
      leastRatios[budget] = (
        try reader.double(), try reader.point(of: evaluator.space), try reader.int(in: 0..<evaluator.devices.count)
      )
    }
  }
}
