import Architectures
import Foundation
import Numerics

/// The roofs of a device at a precision and a number of threads, ready to be asked for the time of a kernel of any shape.
///
/// Products that were measured are fitted by `a·mkn + b·mk + c·kn + d·mn + e` (arithmetic, reading both operands, writing the result, the
/// call), non-negative; what single shapes deviate by is interpolated on the log scale. Without measurements the coefficients follow from
/// peak rate and bandwidth.
public struct RoofTable: Sendable {
  public let threads: Int
  /// What one call of the runtime costs before any kernel runs, in seconds.
  public let callSeconds: Double
  /// What a head costs beside its kernels, on one thread.
  public let headSeconds: Double
  /// Starting a kernel on all threads.
  public let dispatchSeconds: Double
  /// Bytes of an encoder's weights up to which the last cache holds them from call to call, and over how many more it comes to hold none.
  let cachedWeightBytes: Double
  let cachedWeightSpan: Double
  /// What a call of the settings' tokens waits for a byte of weights that comes from memory.
  let weightWaitSecondsPerByte: Double
  /// Seconds a byte of weights that is read from memory.
  public let streamSecondsPerByte: Double
  private let shared: ProductModel
  private let single: ProductModel
  /// Of products that a residual sum and a layer norm follow: how much longer than the same without, norm apart, on the log scale.
  private var normalised = ShapeDeviations()
  /// Products of heads run side by side: how many times faster all threads are than one.
  let speedup: Double
  private let elementSeconds: [Roofs.Elementwise.Kernel: Double]
  private let secondsPerFLOP: Double
  private let streams: [(logBytes: Double, secondsPerByte: Double)]
  /// Measured heads of each kind: how much longer than their parts they take, on the log scale.
  private var headDeviations: [HeadKind: [HeadDeviation]] = [:]
  let bytesPerElement: Double
  /// The same device with one thread, where there are several and a batch that they can divide.
  private let alone: [RoofTable]
  var ofOneThread: RoofTable { alone.first ?? self }

  struct HeadKind: Hashable {
    var operation: HeadOperation
    var isRelative: Bool
  }

  struct HeadDeviation {
    var logHeadSize: Double
    var logLength: Double
    var log: Double
  }

  /// Shares of the peak rate, and bandwidth of the caches in multiples of the memory's, where nothing was measured.
  private static let productEfficiency = 0.5
  private static let vectorEfficiency = 0.06
  private static let cacheBandwidth = 5.0
  private static let assumedDispatchSeconds = 1e-6
  private static let assumedCallSeconds = 1e-5
  private static let assumedHeadSeconds = 1e-6
  private static let assumedCacheBytes = 4e6
  /// Products hide about half of what they read.
  private static let streamedShare = 0.5
  private static let threadEfficiency = 0.9
  private static let normFLOPsPerElement = 9.0
  /// Of a measured time, what is left at least when other parts of it are taken off.
  private static let leastOwnShare = 0.2

  /// - Parameters:
  ///   - device: the facts, overrides included.
  ///   - reference: the facts that its roofs were measured with; rates and bandwidths follow what differs.
  public init(device: Device, reference: Device? = nil, settings: Settings) {
    let reference = reference ?? device
    let cores = max(1, device.cores?.value ?? 1)
    let threads = settings.threads ?? Int(min(cores, 1e6))
    self.threads = threads
    var ofOne = settings
    ofOne.threads = 1
    alone =
      threads > 1 && settings.batchSize > 1 ? [RoofTable(device: device, reference: reference, settings: ofOne)] : []
    let roofs = device.roofs ?? Roofs()
    func peak(_ device: Device, _ precision: Precision) -> Double {
      (device.compute[precision] ?? device.compute.fp32 ?? device.compute.fp16 ?? device.compute.int8)?.value ?? 1e11
    }
    let precision = settings.precision
    // A precision that was not measured is faster by what the datasheet says.
    let isMeasured = roofs.products.contains { $0.precision == precision }
    let formatRatio = isMeasured ? 1 : peak(reference, precision) / peak(reference, .fp32)
    let rateRatio = peak(device, precision) / peak(reference, precision) * formatRatio
    let bandwidthRatio = device.memory.bandwidth.value / reference.memory.bandwidth.value
    let hostRatio =
      device.host.clock.value * device.host.workPerCycle.value
      / (reference.host.clock.value * reference.host.workPerCycle.value)
    // 8-bit integers are what linear maps multiply; between them, and in heads, activations stay floating-point numbers.
    let isQuantised = isMeasured && precision == .int8
    let bytes = isQuantised ? Precision.fp32.bytes : precision.bytes
    let threadShare = min(1, Double(threads) / cores)
    let memoryBandwidth = 0.5 * device.memory.bandwidth.value
    func assumed(share: Double) -> [Double] {
      let rate = Self.productEfficiency * peak(device, precision) * share
      let traffic = bytes / (Self.cacheBandwidth * device.memory.bandwidth.value * share)
      return [2 / rate, traffic, traffic, traffic, Self.assumedDispatchSeconds]
    }
    let usable = roofs.products.filter { $0.precision == (isMeasured ? precision : .fp32) }
    func model(_ products: [Roofs.Product], threads wanted: Int, rateRatio: Double) -> ProductModel {
      let plain = products.filter { !$0.isNormalised }
      guard let count = Roofs.nearest(wanted, among: plain.map(\.threads)) else {
        return ProductModel(coefficients: assumed(share: min(1, Double(wanted) / cores)), scale: 1)
      }
      let scale = pow(Double(count) / Double(wanted), count == wanted ? 0 : Self.threadEfficiency) / rateRatio
      return ProductModel(
        plain.filter { $0.threads == count }, prior: assumed(share: min(1, Double(count) / cores)), scale: scale)
    }
    let ofHeads = isQuantised ? roofs.products.filter { $0.precision == .fp32 } : usable
    let headRatio = isQuantised ? peak(device, .fp32) / peak(reference, .fp32) : rateRatio
    single = model(ofHeads, threads: 1, rateRatio: headRatio)
    let together = threads == 1 ? single : model(ofHeads, threads: threads, rateRatio: headRatio)
    shared = isQuantised ? model(usable, threads: threads, rateRatio: rateRatio) : together
    let large = ProductShape(m: 512, k: 768, n: 768)
    speedup = max(1, single.seconds(large) / together.seconds(large))
    callSeconds = (roofs.callSeconds ?? Self.assumedCallSeconds) / hostRatio
    headSeconds = (roofs.headSeconds ?? Self.assumedHeadSeconds) / hostRatio
    let dispatchCount = Roofs.nearest(threads, among: roofs.dispatch.map(\.threads))
    dispatchSeconds =
      (roofs.dispatch.first { $0.threads == dispatchCount }?.seconds ?? Self.assumedDispatchSeconds) / hostRatio
    let cacheBytes = roofs.cacheBytes ?? Self.assumedCacheBytes
    cachedWeightBytes = roofs.weights?.cachedBytes ?? cacheBytes / 2
    cachedWeightSpan = roofs.weights.map { $0.streamedBytes - $0.cachedBytes } ?? cacheBytes
    secondsPerFLOP = 1 / (Self.vectorEfficiency * peak(device, .fp32) * threadShare)
    var elementSeconds: [Roofs.Elementwise.Kernel: Double] = [:]
    for kernel in Roofs.Elementwise.Kernel.allCases {
      let entries = roofs.elementwise.filter { $0.kernel == kernel }
      guard let count = Roofs.nearest(threads, among: entries.map(\.threads)),
        let entry = entries.first(where: { $0.threads == count })
      else { continue }
      elementSeconds[kernel] =
        pow(Double(count) / Double(threads), count == threads ? 0 : Self.threadEfficiency)
        / entry.elementsPerSecond / (peak(device, .fp32) / peak(reference, .fp32))
    }
    self.elementSeconds = elementSeconds
    let streamCount = Roofs.nearest(threads, among: roofs.streams.map(\.threads))
    let measured = roofs.streams.filter { $0.threads == streamCount }.sorted { $0.bytes < $1.bytes }
    streams = measured.map { (log($0.bytes), 1 / $0.bytesPerSecond / bandwidthRatio) }
    streamSecondsPerByte =
      measured.last(where: { $0.bytes > 2 * (roofs.cacheBytes ?? 0) }).map { 1 / $0.bytesPerSecond / bandwidthRatio }
      ?? 1 / memoryBandwidth
    let tokens = Double(settings.batchSize) * Double(settings.sequenceLength)
    weightWaitSecondsPerByte =
      roofs.weights?.secondsPerByte(tokens: tokens, threads: threads).map { $0 / bandwidthRatio }
      ?? Self.streamedShare * streamSecondsPerByte
    bytesPerElement = bytes
    let ended = usable.filter(\.isNormalised)
    if let count = Roofs.nearest(threads, among: ended.map(\.threads)) {
      let scale = pow(Double(count) / Double(threads), count == threads ? 0 : Self.threadEfficiency) / rateRatio
      normalised = ShapeDeviations(
        ended.filter { $0.threads == count }.map { entry in
          let shape = ProductShape(m: Double(entry.m), k: Double(entry.k), n: Double(entry.n))
          let whole = scale * shape.flops / entry.flopsPerSecond
          let own = max(whole - normSeconds(elements: shape.m * shape.n), Self.leastOwnShare * whole)
          return (shape, Foundation.log(own / shared.seconds(shape)))
        })
    }
    // Heads compute in fp32 whatever the weights are stored in.
    guard let headCount = Roofs.nearest(threads, among: roofs.heads.map(\.threads)) else { return }
    let scale = pow(Double(headCount) / Double(threads), headCount == threads ? 0 : Self.threadEfficiency)
    for entry in roofs.heads where entry.threads == headCount {
      let d = Double(entry.headSize)
      let n = Double(entry.length)
      let parts = HeadParts(
        entry.operation, headSize: d, length: n, isRelative: entry.isRelative, isEngine: true, roofs: self)
      let own = entry.seconds * scale / headRatio * formatRatio - headSeconds / Double(threads)
      guard parts.sum > 0, own > 0 else { continue }
      headDeviations[HeadKind(operation: entry.operation, isRelative: entry.isRelative), default: []].append(
        HeadDeviation(
          logHeadSize: Foundation.log(d), logLength: Foundation.log(n), log: Foundation.log(own / parts.sum)))
    }
  }

  /// What a head of the engine takes over what its parts add up to: interpolated between the measured ones.
  func headFactor(_ operation: HeadOperation, headSize d: Double, length n: Double, isRelative: Bool) -> Double {
    let known = headDeviations[HeadKind(operation: operation, isRelative: isRelative)] ?? []
    guard !known.isEmpty else { return 1 }
    let (x, y) = (Foundation.log(d), Foundation.log(n))
    // Inverse distances (Shepard 1968): exact where measured, and level beyond.
    var (sum, weights) = (0.0, 0.0)
    for one in known {
      let (u, v) = (x - one.logHeadSize, y - one.logLength)
      let weight = 1 / (u * u + v * v + 1e-4)
      let sharp = weight * weight
      sum += sharp * one.log
      weights += sharp
    }
    return exp(sum / weights)
  }

  /// One product of `m×k` and `k×n` on all threads.
  public func productSeconds(m: Double, k: Double, n: Double) -> Double {
    shared.seconds(ProductShape(m: m, k: k, n: n))
  }

  /// One that a residual sum and a layer norm follow, which themselves come on top (``normSeconds(elements:)``).
  func normalisedProductSeconds(m: Double, k: Double, n: Double) -> Double {
    let shape = ProductShape(m: m, k: k, n: n)
    return shared.seconds(shape) * exp(normalised.log(at: shape))
  }

  /// A residual sum and a layer norm.
  func normSeconds(elements: Double) -> Double {
    elementwiseSeconds(
      .layerNorm, elements: elements, flopsPerElement: Self.normFLOPsPerElement, bytes: 3 * bytesPerElement * elements)
  }

  /// One of many products that run side by side, each on a thread of its own.
  func headProductSeconds(m: Double, k: Double, n: Double) -> Double {
    single.seconds(ProductShape(m: m, k: k, n: n)) / speedup
  }

  /// An element-wise kernel: by its measured rate where there is one, else arithmetic or traffic, whichever is longer.
  func elementwiseSeconds(
    _ kernel: Roofs.Elementwise.Kernel?, elements: Double, flopsPerElement: Double, bytes: Double
  ) -> Double {
    let compute =
      kernel.flatMap { elementSeconds[$0] }.map { $0 * elements } ?? elements * flopsPerElement * secondsPerFLOP
    return smoothMaximum(compute, bytes * secondsPerByte(workingSet: bytes))
  }

  /// Seconds a byte of a working set that is passed over repeatedly.
  private func secondsPerByte(workingSet: Double) -> Double {
    guard let first = streams.first, let last = streams.last else { return streamSecondsPerByte / Self.cacheBandwidth }
    let x = log(max(workingSet, 1))
    if x <= first.logBytes { return first.secondsPerByte }
    if x >= last.logBytes { return last.secondsPerByte }
    let upper = streams.firstIndex { $0.logBytes > x } ?? streams.count - 1
    let (a, b) = (streams[upper - 1], streams[upper])
    let t = (x - a.logBytes) / max(b.logBytes - a.logBytes, 1e-9)
    return exp((1 - t) * log(a.secondsPerByte) + t * log(b.secondsPerByte))
  }
}

/// The maximum of two times, rounded where they are alike: what overlaps is never free at the corner.
@inline(__always)
package func smoothMaximum(_ a: Double, _ b: Double) -> Double {
  let (a2, b2) = (a * a, b * b)
  return (a2 * a2 + b2 * b2).squareRoot().squareRoot()
}

struct ProductShape {
  var m: Double
  var k: Double
  var n: Double

  var terms: [Double] { [m * k * n, m * k, k * n, m * n, 1] }
  var logs: (Double, Double, Double) { (log(m), log(k), log(n)) }
  var flops: Double { 2 * m * k * n }
}

/// What single shapes deviate from a model by, on the log scale, and what that says of shapes nearby.
struct ShapeDeviations: Sendable {
  private var entries: [(m: Double, k: Double, n: Double, log: Double)] = []

  /// Shapes within about a factor of 1.2 of each other deviate alike; numbers of rows further.
  private static let reach = 0.2
  private static let rowReach = 0.6
  private static let rowShare = reach * reach / (rowReach * rowReach)
  /// Squared distance from which on a shape says nothing.
  private static let farthest = 30 * reach * reach
  private static let doubt = 0.1

  init() {}

  init(_ deviations: [(shape: ProductShape, log: Double)]) {
    entries = deviations.map { shape, log in
      let logs = shape.logs
      return (logs.0, logs.1, logs.2, log)
    }
  }

  func log(at shape: ProductShape) -> Double {
    guard !entries.isEmpty else { return 0 }
    let logs = shape.logs
    var sum = 0.0
    var weights = Self.doubt
    for entry in entries {
      let (x, y, z) = (logs.0 - entry.m, logs.1 - entry.k, logs.2 - entry.n)
      let distance = x * x * Self.rowShare + y * y + z * z
      guard distance < Self.farthest else { continue }
      let weight = exp(-distance / (2 * Self.reach * Self.reach))
      sum += weight * entry.log
      weights += weight
    }
    return sum / weights
  }
}

/// Time of a matrix product as a function of its shape.
struct ProductModel: Sendable {
  private let coefficients: [Double]
  private let deviations: ShapeDeviations
  private let scale: Double

  private static let minimumFitted = 8

  init(coefficients: [Double], scale: Double) {
    self.coefficients = coefficients
    self.scale = scale
    deviations = ShapeDeviations()
  }

  /// - Parameters:
  ///   - prior: coefficients from the datasheet, for too few entries to fit.
  ///   - scale: factor on every time.
  init(_ entries: [Roofs.Product], prior: [Double], scale: Double) {
    let shapes = entries.map { ProductShape(m: Double($0.m), k: Double($0.k), n: Double($0.n)) }
    let seconds = zip(entries, shapes).map { $1.flops / $0.flopsPerSecond }
    var fitted = prior
    if entries.count >= Self.minimumFitted {
      // Relative errors; columns in units of their means.
      let rows = zip(shapes, seconds).map { shape, time in shape.terms.map { $0 / time } }
      let means = prior.indices.map { column in rows.reduce(0) { $0 + $1[column] } / Double(rows.count) }
      let scaled = rows.map { row in row.indices.map { row[$0] / means[$0] } }
      if let design = try? Matrix(rows: scaled),
        let fit = try? nonNegativeLeastSquares(
          design: design, target: [Double](repeating: 1, count: rows.count),
          ridge: [Double](repeating: 1e-4 * Double(rows.count), count: prior.count)),
        fit.coefficients.contains(where: { $0 > 0 })
      {
        fitted = zip(fit.coefficients, means).map { $0 / $1 }
      }
    } else {
      let ratios = zip(shapes, seconds).map { shape, time in
        log(time / zip(shape.terms, prior).reduce(0) { $0 + $1.0 * $1.1 })
      }
      let factor = ratios.isEmpty ? 1 : exp(Statistics.median(ratios))
      fitted = prior.map { factor * $0 }
    }
    coefficients = fitted
    self.scale = scale
    deviations = ShapeDeviations(
      zip(shapes, seconds).map { shape, time in
        let base = zip(shape.terms, fitted).reduce(0) { $0 + $1.0 * $1.1 }
        return (shape, base > 0 ? log(time / base) : 0)
      })
  }

  func seconds(_ shape: ProductShape) -> Double {
    let base = zip(shape.terms, coefficients).reduce(0) { $0 + $1.0 * $1.1 }
    return scale * base * exp(deviations.log(at: shape))
  }
}
