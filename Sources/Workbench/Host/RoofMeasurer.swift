import Architectures
import Boards
import Foundation
import Kernels
import Numerics
import Twins

/// Times the engine's kernels one by one: what a device file keeps as its roofs.
///
/// Rounds over all kernels, in an order that is shuffled anew, until the time is spent. One product that is timed before and after each says
/// how fast the cores were just then; a kernel's time is that of its faster rounds, each brought to the best pace of all.
public struct RoofMeasurer {
  public var space: DesignSpace
  /// Numbers of threads.
  public var threads: [Int]
  /// Time for everything.
  public var seconds: Double
  public var maximumRounds = 12
  /// Size of the last cache; nil where the system does not say.
  public var cacheBytes: Double?
  public var seed: UInt64 = 1
  public var shouldStop: () -> Bool = { false }
  /// Share of the time that is spent.
  public var progress: (Double) -> Void = { _ in }

  /// Least time of one timing.
  private static let chunkSeconds = 0.0005
  /// A product that would take longer says nothing that a smaller one of the same shape does not.
  private static let largestFLOPs = 5e9
  private static let emptySteps = 401
  /// Kernels that take longer in all need not be brought into cache.
  private static let warmSeconds = 0.002
  /// Kernels between two calls of the model that rows are brought to one pace by.
  private static let paceTurns = 40

  public init(space: DesignSpace = .flexibert2, threads: [Int], seconds: Double, cacheBytes: Double? = nil) {
    self.space = space
    self.threads = threads
    self.seconds = seconds
    self.cacheBytes = cacheBytes
  }

  /// What a timing is for.
  private enum Purpose: Hashable {
    case empty(Int)
    case tinyHeads(Int)
    case epilogue(KernelProbe.Epilogue, isNorm: Bool)
    case softmax
    case stream(Int)
    case weights(WeightTiming)
    case head(HeadOperation, RoofPlan.Head, isRelative: Bool)
    case product(RoofPlan.Shape, KernelPrecision)

    var isOverhead: Bool {
      switch self {
      case .head, .product: false
      default: true
      }
    }
  }

  private struct Timing {
    var purpose: Purpose
    var probe: KernelProbe
    var kernels = 0
    var isLong = false
    var times: [Looks.Time] = []

    /// Runs it once more.
    mutating func time(_ bench: KernelBench) -> Double {
      if case .weights(let timing) = purpose { return timing.seconds(probe, bench: bench) }
      // Threads wake up and caches fill with the first kernel.
      if !isLong { probe.run(kernels: 1) }
      if kernels == 0 {
        let once = probe.seconds(kernels: 2)
        kernels = max(1, min(10_000, Int((RoofMeasurer.chunkSeconds / max(once, 1e-8)).rounded(.up))))
        isLong = once > RoofMeasurer.warmSeconds
      }
      return probe.seconds(kernels: kernels)
    }
  }

  /// One product, timed between all others.
  private struct Looks {
    /// A time, and the look that came before it.
    typealias Time = (seconds: Double, look: Int)

    let probe: KernelProbe
    var seconds: [Double] = []
    var best: Double { seconds.min() ?? .infinity }

    init(_ bench: KernelBench) throws {
      probe = try KernelProbe(.linear(rows: 96, inputs: 256, outputs: 256, epilogue: .none), bench: bench)
    }

    mutating func look() {
      probe.run(kernels: 1)
      seconds.append(probe.seconds(kernels: 2))
    }

    /// The lower quartile at the best pace. Whatever comes in between a kernel's calls adds to them; what comes in between both looks, of which
    /// the better says what the cores were good for, makes it seem faster than it is.
    func atBestPace(_ times: [Time]) -> Double? {
      let own = times.map { time in
        time.seconds * best / (seconds[time.look...min(time.look + 1, seconds.count - 1)].min() ?? best)
      }.sorted()
      return own.isEmpty ? nil : own[own.count / 4]
    }
  }

  /// - Throws: `KernelError` where the engine cannot run.
  public func measure() throws -> Roofs {
    var roofs = Roofs(provenance: .measured)
    roofs.cacheBytes = cacheBytes
    var weights: [Int: [WeightTiming: Double]] = [:]
    var rounds: [Int] = []
    let clock = SystemClock()
    let start = clock.now()
    for (index, count) in threads.enumerated() where !shouldStop() {
      // On the cores that models run on.
      let allowed = CoreAffinity.allowed
      let cores = CoreAffinity.choice(count, allowed: allowed)
      if !cores.isEmpty { try CoreAffinity.bind(cores) }
      defer { if !allowed.isEmpty { try? CoreAffinity.bind(allowed) } }
      let bench = try KernelBench(threads: count, cores: cores)
      roofs.library = bench.library.description
      // A later number of threads is faster through its round, but has fewer kernels only.
      let end = start + seconds * Double(index + 1) / Double(threads.count)
      let gauge = try PaceGauge(threads: count, cores: cores)
      let (times, pace, begun) = try time(bench, gauge: gauge, until: end, from: start, clock: clock)
      if let pace { roofs.paces.append(.init(threads: count, seconds: pace)) }
      rounds.append(begun)
      write(times, threads: count, isFirst: index == 0, to: &roofs)
      for case (.weights(let timing), let seconds) in times { weights[count, default: [:]][timing] = seconds }
    }
    if let cacheBytes { roofs.weights = WeightTiming.weights(weights, cacheBytes: cacheBytes) }
    roofs.source =
      "timed one by one on this machine with edgetwin calibrate --board local, in \(rounds.map(String.init).joined(separator: " and ")) rounds"
    return roofs
  }

  private func time(
    _ bench: KernelBench, gauge: PaceGauge, until end: Double, from start: Double, clock: SystemClock
  ) throws -> (seconds: [Purpose: Double], pace: Double?, rounds: Int) {
    var timings = try probes(bench)
    var looks = try Looks(bench)
    var gauged: [Looks.Time] = []
    var rounds = 0
    for round in 0..<maximumRounds {
      if shouldStop() || clock.now() >= end { break }
      rounds += 1
      var random = CounterRandom(seed: seed, stream: UInt64(round), UInt64(bench.threads))
      // What everything else rests on comes first, should the time not be enough for one round.
      let overheads = timings.indices.filter { timings[$0].purpose.isOverhead }
      let rest = timings.indices.filter { !timings[$0].purpose.isOverhead }
      for (turn, position) in (overheads + rest.shuffled(using: &random)).enumerated() {
        if shouldStop() || clock.now() >= end { break }
        if case .weights = timings[position].purpose, round >= WeightTiming.rounds { continue }
        // Streams and weights that are spread have left nothing in cache.
        if turn == overheads.count { bench.warm(bytes: WeightTiming.cachedBytes(of: cacheBytes)) }
        looks.look()
        if turn % Self.paceTurns == 0 {
          gauged.append((gauge.seconds(), looks.seconds.count - 1))
          looks.look()
        }
        timings[position].times.append((timings[position].time(bench), looks.seconds.count - 1))
        progress(min(1, (clock.now() - start) / seconds))
      }
    }
    looks.look()
    let paced = timings.compactMap { timing in looks.atBestPace(timing.times).map { (timing.purpose, $0) } }
    return (Dictionary(paced, uniquingKeysWith: { first, _ in first }), looks.atBestPace(gauged), rounds)
  }

  private func probes(_ bench: KernelBench) throws -> [Timing] {
    var result: [Timing] = []
    func add(_ purpose: Purpose, _ kind: KernelProbe.Kind) throws {
      result.append(Timing(purpose: purpose, probe: try KernelProbe(kind, bench: bench)))
    }
    for count in [1, Self.emptySteps] { try add(.empty(count), .emptySteps(count)) }
    for count in [2, 34] {
      try add(
        .tinyHeads(count), .heads(.scaledDotProduct, count: count, headSize: 16, length: 1, isRelative: false))
    }
    for (epilogue, isNorm) in [(KernelProbe.Epilogue.none, false), (.gelu, false), (.none, true), (.norm, true)] {
      try add(
        .epilogue(epilogue, isNorm: isNorm),
        .linear(rows: 128, inputs: 128, outputs: isNorm ? 512 : 2_048, epilogue: epilogue))
    }
    if bench.threads == 1 { try add(.softmax, .softmax(rows: 14, columns: 128)) }
    for bytes in streamSizes(bench.threads) { try add(.stream(bytes), .stream(bytes: bytes)) }
    let isRelative = space.position == .relativeKey
    for head in RoofPlan.heads(space: space) {
      for operation in space.operations {
        try add(
          .head(operation, head, isRelative: isRelative),
          .heads(
            operation, count: headCount(head, threads: bench.threads), headSize: head.headSize, length: head.length,
            isRelative: isRelative))
      }
    }
    let cachedBytes = WeightTiming.cachedBytes(of: cacheBytes)
    for timing in WeightTiming.all(cacheBytes: cacheBytes) {
      try add(.weights(timing), timing.kind(cacheBytes: cacheBytes))
    }
    var isThird = 0
    for shape in RoofPlan(space: space).shapes
    where 2 * Double(shape.m * shape.k * Self.columns(shape)) <= Self.largestFLOPs {
      if shape.isOfHead {
        if bench.threads == 1 { try add(.product(shape, .fp32), .product(m: shape.m, k: shape.k, n: shape.n)) }
      } else {
        // Of a lower precision fewer shapes: what differs is mostly the rate.
        isThird = (isThird + 1) % 3
        for precision in bench.hasInt8 && isThird == 0 ? [KernelPrecision.fp32, .int8] : [.fp32] {
          try add(
            .product(shape, precision),
            .linear(
              rows: shape.m, inputs: shape.k, outputs: Self.columns(shape),
              epilogue: shape.isNormalised ? .norm : .none, precision: precision, weightBytes: cachedBytes))
        }
      }
    }
    return result
  }

  /// Of a map whose weights would not stay in cache, as many columns as do: the rate is that of a column. A norm is over all of them, and
  /// of widths that are few.
  private static func columns(_ shape: RoofPlan.Shape) -> Int {
    shape.isOfHead || shape.isNormalised ? shape.n : min(shape.n, max(64, (1 << 20) / shape.k / 64 * 64))
  }

  /// As many heads as the widest layers with heads of this size have, and as many on each thread where there is memory for them.
  private func headCount(_ head: RoofPlan.Head, threads: Int) -> Int {
    let counts = space.headCounts.filter { count in space.hiddenSizes.contains { $0 / count == head.headSize } }
    let whole = max(1, ((counts.max() ?? 4) + threads - 1) / threads) * threads
    let most = KernelProbe.mostHeads(headSize: head.headSize, length: head.length)
    return min(whole, most < threads ? most : most / threads * threads)
  }

  /// From the first cache to well beyond the last.
  private func streamSizes(_ threads: Int) -> [Int] {
    let last = Int(min(4 * (cacheBytes ?? 32e6), 512e6))
    let sizes = [16 << 10, 128 << 10, 512 << 10, 2 << 20, 8 << 20, Int(cacheBytes ?? 32e6) / 2, last]
    // Small sets are a matter of dispatch where several threads share them.
    return Set(sizes).sorted().filter { threads == 1 || $0 >= threads << 18 }
  }

  private func write(_ times: [Purpose: Double], threads: Int, isFirst: Bool, to roofs: inout Roofs) {
    var step = 0.0
    if let one = times[.empty(1)], let many = times[.empty(Self.emptySteps)] {
      step = max(0, (many - one) / Double(Self.emptySteps - 1))
      roofs.dispatch.append(.init(threads: threads, seconds: step))
      if isFirst { roofs.callSeconds = max(0, one - step) }
    }
    if isFirst, let few = times[.tinyHeads(2)], let many = times[.tinyHeads(34)] {
      roofs.headSeconds = max(0, (many - few) / 32) * Double(threads)
    }
    func rate(_ kernel: Roofs.Elementwise.Kernel, elements: Double, _ seconds: Double) {
      guard seconds > 0 else { return }
      roofs.elementwise.append(.init(kernel: kernel, threads: threads, elementsPerSecond: elements / seconds))
    }
    for (kernel, epilogue, isNorm) in [
      (Roofs.Elementwise.Kernel.gelu, KernelProbe.Epilogue.gelu, false), (.layerNorm, .norm, true),
    ] {
      if let with = times[.epilogue(epilogue, isNorm: isNorm)],
        let without = times[.epilogue(.none, isNorm: isNorm)]
      {
        rate(kernel, elements: 128 * (isNorm ? 512 : 2_048), max(with - without, 0.02 * with))
      }
    }
    if let softmax = times[.softmax] { rate(.softmax, elements: 14 * 128, softmax) }
    for (purpose, seconds) in times {
      switch purpose {
      case .stream(let bytes):
        roofs.streams.append(.init(bytes: Double(bytes), threads: threads, bytesPerSecond: Double(bytes) / seconds))
      case .head(let operation, let head, let isRelative):
        let share = max(seconds - step, 0.2 * seconds) / Double(headCount(head, threads: threads))
        roofs.heads.append(
          .init(
            operation: operation, headSize: head.headSize, length: head.length, isRelative: isRelative,
            threads: threads, seconds: share))
      case .product(let shape, let precision):
        let own = shape.isOfHead ? seconds : max(seconds - step, 0.2 * seconds)
        roofs.products.append(
          .init(
            m: shape.m, k: shape.k, n: shape.n, threads: threads, precision: precision == .int8 ? .int8 : .fp32,
            isNormalised: shape.isNormalised,
            flopsPerSecond: 2 * Double(shape.m) * Double(shape.k) * Double(Self.columns(shape)) / own))
      default: break
      }
    }
    roofs.streams.sort { ($0.threads, $0.bytes) < ($1.threads, $1.bytes) }
    func place(_ product: Roofs.Product) -> [Int] {
      [
        product.precision == .fp32 ? 0 : 1, product.threads, product.m, product.k, product.n,
        product.isNormalised ? 1 : 0,
      ]
    }
    roofs.products.sort { place($0).lexicographicallyPrecedes(place($1)) }
    roofs.heads.sort {
      ($0.threads, $0.operation.rawValue, $0.length, $0.headSize)
        < ($1.threads, $1.operation.rawValue, $1.length, $1.headSize)
    }
  }
}
