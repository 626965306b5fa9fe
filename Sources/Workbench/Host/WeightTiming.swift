import Foundation
import Kernels
import Twins

/// A square map whose weights are cached, spread over more and more memory, or read from memory: what maps wait for, and from how many bytes on.
struct WeightTiming: Hashable {
  enum Place: Hashable {
    case cache
    case memory
    /// Other weights from call to call, until so many bytes were used.
    case spread(bytes: Int)
  }

  var rows: Int
  var width: Int
  var place: Place

  private static let rows = [16, 32, 64, 128]
  /// Rows at which weights are spread: few enough to wait, as many as a short text has.
  private static let spreadRows = 32
  /// Sizes between all cached and none, in shares of the last cache, which others may use too.
  private static let spreads = [0.1875, 0.25, 0.375, 0.5, 0.625, 0.75, 1, 1.25]
  /// Larger caches than can be overrun by what is timed here hold a model's weights, mostly.
  private static let largestCache = 48e6
  /// More rounds take time from the kernels that models are made of.
  static let rounds = 5
  private static let coldKernels = 16
  /// Waits of less than this share of a call say nothing of the size of the cache.
  private static let clearShare = 0.05

  /// What the weights of one kind of map are spread over: more than a second-level cache, and little of a last-level one, of which others
  /// may use their part.
  static func cachedBytes(of cacheBytes: Double?) -> Int {
    max(256 << 10, min(KernelBench.cachedBytes, Int(min(cacheBytes ?? 32e6, 1e12) / 8)))
  }

  /// Two, of which a cache holds several maps: 512 and 768 where it is not small.
  private static func widths(cacheBytes: Double) -> [Int] {
    let width = max(64, Int((Double(cachedBytes(of: cacheBytes)) / 16).squareRoot()) / 64 * 64)
    return [width, width * 3 / 2]
  }

  static func all(cacheBytes: Double?) -> [WeightTiming] {
    guard let cacheBytes, cacheBytes <= largestCache else { return [] }
    return widths(cacheBytes: cacheBytes).flatMap { width in
      rows.flatMap { rows in
        [WeightTiming(rows: rows, width: width, place: .cache), WeightTiming(rows: rows, width: width, place: .memory)]
      }
        + spreads.map {
          WeightTiming(rows: spreadRows, width: width, place: .spread(bytes: Int($0 * cacheBytes)))
        }
    }
  }

  private var weightBytes: Int { 4 * width * width }

  func kind(cacheBytes: Double?) -> KernelProbe.Kind {
    let bytes =
      switch place {
      case .cache: Self.cachedBytes(of: cacheBytes)
      case .memory: KernelBench.weightBytes
      case .spread(let bytes): bytes
      }
    return .linear(rows: rows, inputs: width, outputs: width, epilogue: .none, weightBytes: bytes)
  }

  func seconds(_ probe: KernelProbe, bench: KernelBench) -> Double {
    if place == .memory {
      // All weights pass by, as those of a large model do from call to call; then come some that have not been needed for long.
      bench.warm(bytes: KernelBench.weightBytes)
      probe.skip(to: probe.count / 4)
      return probe.seconds(kernels: min(Self.coldKernels, max(probe.count / 4, 1)))
    }
    probe.run(kernels: probe.count)
    return probe.seconds(kernels: probe.count)
  }

  /// - Parameter seconds: a call of each timing, by number of threads.
  /// - Returns: nil where nothing was timed.
  static func weights(_ seconds: [Int: [WeightTiming: Double]], cacheBytes: Double) -> Roofs.Weights? {
    let widths = widths(cacheBytes: cacheBytes)
    var waits: [Roofs.Weights.Wait] = []
    var (gained, whole, calls) = ([Double](repeating: 0, count: spreads.count), 0.0, 0.0)
    for (threads, times) in seconds.sorted(by: { $0.key < $1.key }) {
      var own: [(tokens: Int, secondsPerByte: Double)] = []
      for rows in rows {
        let perByte = widths.compactMap { width -> Double? in
          let timing = WeightTiming(rows: rows, width: width, place: .cache)
          guard let cached = times[timing],
            let cold = times[WeightTiming(rows: rows, width: width, place: .memory)]
          else { return nil }
          return (cold - cached) / Double(timing.weightBytes)
        }
        guard perByte.count == widths.count else { continue }
        own.append((rows, perByte.reduce(0, +) / Double(perByte.count)))
      }
      let falling = falling(own.map(\.secondsPerByte))
      waits += zip(own, falling).map { .init(tokens: $0.tokens, threads: threads, secondsPerByte: max(0, $1)) }
      for width in widths {
        func at(_ place: Place) -> Double? { times[WeightTiming(rows: spreadRows, width: width, place: place)] }
        let spread = spreads.compactMap { at(.spread(bytes: Int($0 * cacheBytes))) }
        guard let cached = at(.cache), let cold = at(.memory), spread.count == spreads.count else { continue }
        for (index, time) in spread.enumerated() { gained[index] += (time - cached) / cached }
        whole += (cold - cached) / cached
        calls += 1
      }
    }
    guard !waits.isEmpty else { return nil }
    var (from, to) = (0.5 * cacheBytes, 1.5 * cacheBytes)
    if calls > 0, whole / calls > clearShare {
      (from, to) = ramp(zip(spreads, gained).map { ($0, $1 / whole) }, cacheBytes: cacheBytes)
    }
    return Roofs.Weights(cachedBytes: from, streamedBytes: to, waits: waits)
  }

  /// The values that do not rise and are nearest to these (pool adjacent violators): more rows leave memory more time, and what a map waits
  /// longer than one of fewer rows is noise.
  static func falling(_ values: [Double]) -> [Double] {
    var pools: [(sum: Double, count: Int)] = []
    for value in values {
      pools.append((value, 1))
      while let last = pools.last, let before = pools.dropLast().last,
        last.sum / Double(last.count) > before.sum / Double(before.count)
      {
        pools.removeLast(2)
        pools.append((before.sum + last.sum, before.count + last.count))
      }
    }
    return pools.flatMap { Array(repeating: $0.sum / Double($0.count), count: $0.count) }
  }

  /// The straight rise from 0 to 1, over a quarter of the cache or more, that is nearest to the shares of the wait that were seen.
  private static func ramp(_ seen: [(size: Double, share: Double)], cacheBytes: Double) -> (Double, Double) {
    let (steps, fewest) = (40, 8)
    var best = (error: Double.infinity, from: 0.5, to: 1.5)
    for first in 0...(steps - fewest) {
      for last in (first + fewest)...steps {
        let (from, to) = (1.25 * Double(first) / Double(steps), 1.25 * Double(last) / Double(steps))
        let error = seen.reduce(0) { sum, one in
          let difference = one.share - min(1, max(0, (one.size - from) / (to - from)))
          return sum + difference * difference
        }
        if error < best.error { best = (error, from, to) }
      }
    }
    return (best.from * cacheBytes, best.to * cacheBytes)
  }
}
