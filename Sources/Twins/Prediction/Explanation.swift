import Architectures
import Foundation

/// Where a predicted time and energy go: by kernel class, by layer, by what sets the pace, and how far from the roof.
///
/// The twin's terms are shared out over the kernel calls that they stand for (a head's launch over that head's calls, products over the
/// products by their FLOPs, weights over the layers that read them), then scaled so that the whole is the predicted median.
public struct Explanation: Sendable, Hashable {
  /// One kernel class, per sequence.
  public struct Part: Sendable, Hashable {
    public var kernelClass: KernelClass
    public var seconds: Double
    public var joules: Double
    /// Launches, FLOPs and bytes of one call of the runtime (a whole batch).
    public var work: Work
    /// What most of its time is spent on; nil where the twin has no term that it costs anything in.
    public var boundBy: Bound?
    /// Seconds per sequence at the datasheet's peak rate and bandwidth, whichever is longer.
    public var roofSeconds: Double
    /// True where the device hands this class to its host.
    public var runsOnHost: Bool
  }

  /// One layer, per sequence.
  public struct Layer: Sendable, Hashable {
    /// Nil for what belongs to no layer: embeddings, pooler, start-up.
    public var index: Int?
    public var seconds: Double
    public var joules: Double
  }

  public var prediction: Prediction
  /// Classes with work or cost, the costliest first.
  public var parts: [Part]
  public var layers: [Layer]
  /// Seconds by cause; with ``startupSeconds`` they sum to the predicted median.
  public var causes: [Bound: Double]
  /// Start-up in the predicted median: 0 for steady time.
  public var startupSeconds: Double
  /// Start-up in the predicted energy: 0 for steady time.
  public var startupJoules: Double
  /// Part of the predicted median that no kernel class stands for, such as what a call of the runtime costs whatever it computes. With
  /// those of ``parts`` and ``startupSeconds`` it sums to the median; likewise ``unplacedJoules``.
  public var unplacedSeconds: Double
  public var unplacedJoules: Double
  /// Start-up that steady time leaves out, per sequence, as far as the data identify it.
  public var omittedStartupSeconds: Double
  /// Seconds per sequence of the bare roofline over all kernel calls.
  public var roofSeconds: Double

  /// - Throws: ``TwinError`` where the model does not fit.
  public init(twin: Twin, architecture: Architecture, level: Double = 0.9) throws(TwinError) {
    prediction = try twin.predict(architecture, level: level)
    let features = twin.features(of: architecture)
    let calls = Workload(architecture, settings: twin.settings, variant: twin.variant).calls
    let time = CostAllocation(
      twin.model.latency, features: features, calls: calls, architecture: architecture, roofline: twin.model.roofline,
      includesStartup: twin.settings.includesStartup, total: prediction.costs.latencySeconds.median)
    let energy = CostAllocation(
      twin.model.energy, features: features, calls: calls, architecture: architecture, roofline: twin.model.roofline,
      includesStartup: twin.settings.includesStartup, total: prediction.costs.energyJoules.median)
    let roof = Roof(twin)
    let batch = Double(twin.settings.batchSize)
    let hostOnly = Set(twin.device.operations?.hostOnly ?? [])
    var parts: [Part] = []
    for kernelClass in KernelClass.allCases {
      let indices = calls.indices.filter { calls[$0].kernelClass == kernelClass }
      guard !indices.isEmpty else { continue }
      let work = indices.reduce(Work()) { $0 + calls[$1].work }
      let causes = indices.reduce(into: [Bound: Double]()) { sum, index in
        for (bound, seconds) in time.byCall[index] { sum[bound, default: 0] += seconds }
      }
      parts.append(
        Part(
          kernelClass: kernelClass, seconds: causes.total,
          joules: indices.reduce(0) { $0 + energy.byCall[$1].total }, work: work,
          boundBy: causes.total > 0 ? Bound.allCases.max { (causes[$0] ?? 0) < (causes[$1] ?? 0) } : nil,
          roofSeconds: indices.reduce(0) { $0 + roof.seconds(calls[$1].work) } / batch,
          runsOnHost: hostOnly.contains(kernelClass)))
    }
    self.parts = parts.sorted { ($0.seconds, $1.kernelClass.index) > ($1.seconds, $0.kernelClass.index) }
    func sum(_ allocation: CostAllocation, layer: Int?) -> Double {
      calls.indices.filter { calls[$0].layer == layer }.reduce(0) { $0 + allocation.byCall[$1].total }
        + (layer == nil ? allocation.startup + allocation.unplaced.total : 0)
    }
    layers = (architecture.layers.indices.map(Optional.some) + [nil]).map { index in
      Layer(index: index, seconds: sum(time, layer: index), joules: sum(energy, layer: index))
    }
    causes = time.byCall.reduce(into: time.unplaced) { sum, costs in
      for (bound, seconds) in costs { sum[bound, default: 0] += seconds }
    }
    startupSeconds = time.startup
    startupJoules = energy.startup
    unplacedSeconds = time.unplaced.total
    unplacedJoules = energy.unplaced.total
    omittedStartupSeconds = time.omittedStartup
    roofSeconds = calls.reduce(0) { $0 + roof.seconds($1.work) } / batch
  }
}

/// The bare roofline of a device: peak rate and bandwidth of its datasheet.
struct Roof {
  let flopsPerSecond: Double
  let bytesPerSecond: Double

  init(_ twin: Twin) {
    let compute = twin.device.compute
    let peak = compute[twin.settings.precision] ?? compute.fp32 ?? compute.fp16 ?? compute.int8
    flopsPerSecond = peak?.value ?? .infinity
    bytesPerSecond = twin.device.memory.bandwidth.value
  }

  func seconds(_ work: Work) -> Double { max(work.flops / flopsPerSecond, work.bytes / bytesPerSecond) }
}
