import Numerics

/// A bounded set of mutually non-dominated vectors that keeps as much hypervolume as it can.
///
/// Volume is counted on fixed quasi-random points of the box between an ideal and the reference (0 to 1 in each lane here): what a
/// member contributes is the number of points that it alone covers. A vector enters if it covers points that none does; where the
/// archive is full, only if these are more than the least member contributes, which then leaves. So the counted volume never
/// shrinks, whatever the order, and the same insertions in the same order give the same archive.
struct ParetoArchive: Sendable {
  struct Member: Sendable {
    /// Normalised: 0 is the ideal, 1 the reference; unused lanes are 0.
    var vector: SIMD8<Float>
    /// What the owner knows the member by.
    var payload: Int
    fileprivate var tag: UInt32
    fileprivate(set) var contribution: Int
  }

  let dimension: Int
  let capacity: Int
  private(set) var members: [Member] = []

  private let samples: SamplePoints
  private let blockBottoms: [SIMD8<Float>]
  private let blockTops: [SIMD8<Float>]
  /// Members that cover each point.
  private var coverage: [UInt16]
  /// Exclusive or of their tags: where one covers the point, its tag.
  private var owners: [UInt32]
  /// Position of the member with a tag.
  private var positions: [UInt32: Int] = [:]
  private var nextTag: UInt32 = 1
  private(set) var coveredCount = 0

  init(dimension: Int, capacity: Int, samples: SamplePoints) {
    self.dimension = dimension
    self.capacity = max(capacity, 1)
    self.samples = samples
    coverage = Array(repeating: 0, count: samples.points.count)
    owners = Array(repeating: 0, count: samples.points.count)
    let starts = stride(from: 0, to: samples.points.count, by: SamplePoints.blockSize)
    blockBottoms = starts.map { start in
      samples.points[start..<start + SamplePoints.blockSize].reduce(samples.points[start], pointwiseMin)
    }
    blockTops = starts.map { start in
      samples.points[start..<start + SamplePoints.blockSize].reduce(samples.points[start], pointwiseMax)
    }
  }

  func encode(to writer: inout CheckpointWriter) {
    writer.put(Int(nextTag))
    writer.put(members.count)
    for member in members {
      writer.put(Int(member.tag))
      writer.put(member.payload)
      writer.put(SIMD8<Double>(member.vector))
    }
  }

  /// Makes the members those that were written, as they were: what else the archive keeps follows from them.
  mutating func decode(from reader: inout CheckpointReader, payloads: Range<Int>) throws(SearchError) {
    members = []
    positions = [:]
    coveredCount = 0
    for index in coverage.indices {
      coverage[index] = 0
      owners[index] = 0
    }
    nextTag = UInt32(try reader.int(in: 1..<Int(UInt32.max)))
    for _ in 0..<(try reader.int(in: 0..<capacity + 1)) {
      let tag = UInt32(try reader.int(in: 1..<Int(nextTag)))
      let payload = try reader.int(in: payloads)
      let vector = SIMD8<Float>(try reader.vector())
      positions[tag] = members.count
      members.append(Member(vector: vector, payload: payload, tag: tag, contribution: 0))
      visitCovered(by: vector) { archive, index in
        archive.coverage[index] += 1
        archive.owners[index] ^= tag
      }
    }
    for index in coverage.indices where coverage[index] > 0 {
      coveredCount += 1
      if coverage[index] == 1, let position = positions[owners[index]] { members[position].contribution += 1 }
    }
  }

  /// Share of the box that is covered, as counted.
  var volume: Double { Double(coveredCount) / Double(samples.points.count) }

  /// What a vector must cover anew, in points, to be worth trying.
  var threshold: Int {
    members.count < capacity ? 0 : members.reduce(Int.max) { min($0, $1.contribution) }
  }

  /// Gathers the points that nobody covers.
  func gatherUncovered(into uncovered: inout UncoveredSamples) {
    uncovered.removeAll()
    for index in samples.points.indices where coverage[index] == 0 { uncovered.append(samples.points[index]) }
  }

  /// - Returns: the payloads that left, or nil where the vector was not taken.
  mutating func insert(_ vector: SIMD8<Float>, payload: Int) -> [Int]? {
    let gain = gain(of: vector)
    if gain == 0 { return nil }
    if members.count >= capacity && gain <= threshold {
      // Taking the place of members that it dominates may be worth it still.
      guard members.contains(where: { all(vector .<= $0.vector) }) else { return nil }
    }
    var left: [Int] = []
    for index in members.indices.reversed() where all(vector .<= members[index].vector) {
      left.append(remove(at: index))
    }
    add(vector, payload: payload)
    if members.count > capacity {
      var least = 0
      for index in members.indices where members[index].contribution < members[least].contribution { least = index }
      left.append(remove(at: least))
    }
    return left
  }

  private func gain(of vector: SIMD8<Float>) -> Int {
    var gain = 0
    forEachCovered(by: vector) { if coverage[$0] == 0 { gain += 1 } }
    return gain
  }

  private mutating func add(_ vector: SIMD8<Float>, payload: Int) {
    let tag = nextTag
    nextTag &+= 1
    positions[tag] = members.count
    members.append(Member(vector: vector, payload: payload, tag: tag, contribution: 0))
    var contribution = 0
    var covered = 0
    visitCovered(by: vector) { archive, index in
      archive.coverage[index] += 1
      if archive.coverage[index] == 1 {
        contribution += 1
        covered += 1
      } else if archive.coverage[index] == 2, let position = archive.positions[archive.owners[index]] {
        archive.members[position].contribution -= 1
      }
      archive.owners[index] ^= tag
    }
    coveredCount += covered
    if let position = positions[tag] { members[position].contribution = contribution }
  }

  private mutating func remove(at position: Int) -> Int {
    let member = members[position]
    var uncovered = 0
    visitCovered(by: member.vector) { archive, index in
      archive.coverage[index] -= 1
      archive.owners[index] ^= member.tag
      if archive.coverage[index] == 0 {
        uncovered += 1
      } else if archive.coverage[index] == 1, let owner = archive.positions[archive.owners[index]] {
        archive.members[owner].contribution += 1
      }
    }
    coveredCount -= uncovered
    positions[member.tag] = nil
    // The last member takes the place: order follows from the insertions alone.
    let last = members.removeLast()
    if position < members.count {
      members[position] = last
      positions[last.tag] = position
    }
    return member.payload
  }

  @inline(__always) private func forEachCovered(by vector: SIMD8<Float>, _ body: (Int) -> Void) {
    Self.forEachCovered(by: vector, samples.points, bottoms: blockBottoms, tops: blockTops, body)
  }

  @inline(__always)
  private mutating func visitCovered(by vector: SIMD8<Float>, _ body: (inout ParetoArchive, Int) -> Void) {
    // The samples are shared, not copied: what is visited does not change while the counts do.
    let (points, bottoms, tops) = (samples.points, blockBottoms, blockTops)
    Self.forEachCovered(by: vector, points, bottoms: bottoms, tops: tops) { body(&self, $0) }
  }

  @inline(__always)
  private static func forEachCovered(
    by vector: SIMD8<Float>, _ points: [SIMD8<Float>], bottoms: [SIMD8<Float>], tops: [SIMD8<Float>],
    _ body: (Int) -> Void
  ) {
    points.withUnsafeBufferPointer { points in
      for block in tops.indices where all(vector .<= tops[block]) {
        let start = block * SamplePoints.blockSize
        let isWhole = all(vector .<= bottoms[block])
        for index in start..<start + SamplePoints.blockSize where isWhole || all(vector .<= points[index]) {
          body(index)
        }
      }
    }
  }
}
