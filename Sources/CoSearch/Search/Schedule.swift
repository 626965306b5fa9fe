import Numerics

/// How a search spends what it is granted: sizes of generations and chunks, seeds, and which devices get children. None of it
/// depends on the number of threads.
struct Schedule: Sendable {
  private let limit: Int?
  private let secondsLimit: Double?
  private let generationSize: Int
  private let chunkSize: Int

  init(_ extent: Explorer.Extent) throws(SearchError) {
    switch extent {
    case .evaluations(let count):
      guard count > 0 else { throw .nothingToDo("a search needs at least one evaluation, not \(count)") }
      limit = count
      secondsLimit = nil
      generationSize = min(max(count / 64, 32), 8_192)
    case .seconds(let seconds):
      guard seconds > 0, seconds.isFinite else {
        throw .nothingToDo("a search needs a positive number of seconds, not \(seconds)")
      }
      limit = nil
      secondsLimit = seconds
      generationSize = 8_192
    }
    chunkSize = min(max(generationSize / 8, 8), 256)
  }

  func goesOn(evaluations: Int, seconds: Double) -> Bool {
    if let limit { return evaluations < limit }
    // However little time there is, an answer needs a generation.
    return evaluations == 0 || seconds < secondsLimit ?? 0
  }

  /// Evaluations for models read off the twins' structure: a quarter of all; none of a search that is too short for the sweep to pay.
  var structuredCount: Int {
    guard let limit else { return Self.mostForStructure }
    return limit >= Self.fewestForStructure ? limit / 4 : 0
  }

  private static let fewestForStructure = 2_000
  private static let mostForStructure = 1_000_000

  /// Generations of such models: of every device in turn.
  func structuredChunks(_ counts: [Int]) -> ArraySlice<[Chunk]> {
    var generations: [[Chunk]] = []
    var start = 0
    let longest = counts.max() ?? 0
    while start < longest {
      // As many of each device as make a generation.
      let step = max(generationSize / max(counts.count, 1), 1)
      var chunks: [Chunk] = []
      for (device, count) in counts.enumerated() {
        var first = start
        while first < min(start + step, count) {
          let end = min(first + chunkSize, min(start + step, count))
          chunks.append(Chunk(device: device, count: end - first, kind: .structured(first..<end)))
          first = end
        }
      }
      generations.append(chunks)
      start += step
    }
    return generations[...]
  }

  /// Seeds to take of those that there are, over all devices: at most a quarter of all evaluations.
  func seedCount(available: Int) -> Int { min(available, limit.map { max($0 / 4, 1) } ?? available) }

  /// The next generation.
  func chunks(evaluations: Int, snapshot: Snapshot, seed: UInt64, seeds: Range<Int>) -> [Chunk] {
    var remaining = min(generationSize, limit.map { $0 - evaluations } ?? generationSize)
    var chunks: [Chunk] = []
    let deviceCount = snapshot.parents.count
    if !seeds.isEmpty {
      // The same seeds on every device.
      let count = max(min(seeds.count, remaining / deviceCount), 1)
      let numbers = seeds.prefix(count)
      for device in 0..<deviceCount {
        var start = numbers.lowerBound
        while start < numbers.upperBound && remaining > 0 {
          let end = min(start + min(chunkSize, remaining), numbers.upperBound)
          chunks.append(Chunk(device: device, count: end - start, kind: .seeds(start..<end)))
          remaining -= end - start
          start = end
        }
      }
      return chunks
    }
    var first = 0
    while remaining > 0 {
      let count = min(chunkSize, remaining)
      chunks.append(
        Chunk(device: device(snapshot, seed, chunks.count), count: count, kind: .children(first: first)))
      first += count
      remaining -= count
    }
    return chunks
  }

  /// A device as often as it has parents, and a tenth of the time any.
  private func device(_ snapshot: Snapshot, _ seed: UInt64, _ chunk: Int) -> Int {
    var random = CounterRandom(seed: seed, stream: 0xD, UInt64(snapshot.generation), UInt64(chunk))
    if snapshot.allParents.isEmpty || random.nextUniform() < 0.1 {
      return random.nextIndex(below: snapshot.parents.count)
    }
    var position = random.nextIndex(below: snapshot.allParents.count)
    for (device, parents) in snapshot.parents.enumerated() {
      position -= parents.count
      if position < 0 { return device }
    }
    return 0
  }
}
