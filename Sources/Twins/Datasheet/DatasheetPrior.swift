import Architectures
import Foundation

/// What a device of a class costs, from its datasheet alone: the constants that all devices share.
///
/// A sequence costs
///
///     (start + load)/N + ops + compute + bytes
///
/// with N sequences in a process, `h` the host's speed (clock × work a cycle), P the parameters' bytes:
///
/// - start `= (a₀ + a₁·[not a CPU]) / h`, load `= (b₀/h + paging) · P`
/// - ops `= o · heads / h / B`: eager runtimes launch a head's kernels one by one, once a batch
/// - compute `= FLOPs / rate`; rate `= η·peak` on GPUs and accelerators, `η·√(peak · 240 GFLOP/s · h)` on CPUs, where the runtime's
///   single-threaded share holds the kernels back
/// - bytes `= (encoder parameters / B + relative-score traffic) / (½ bandwidth)`
/// - paging `= p₀ (· p₁ on GPUs and accelerators) · g(P)`, where g rises from 0 to 1 as the footprint goes from half to all of the memory.
///
/// Energy is latency times a mean power between idle and maximum; peak power likewise. The constants are a maximum a posteriori fit on
/// the seven profiled platforms (`DatasheetPriorFit` in Calibration); the centres of their log-normal priors are experience with eager
/// PyTorch. Predicting each platform from constants fitted on the other six is wrong by a factor of 1.35 in latency, 1.40 in energy and
/// 1.31 in peak power, in the geometric mean.
public struct DatasheetPrior: Sendable, Hashable {
  /// Seconds of start-up at host speed 1.
  public var startSeconds: Double
  /// Further seconds of start-up for a GPU or an accelerator.
  public var acceleratorStartSeconds: Double
  /// Seconds a byte of parameters at host speed 1.
  public var loadSecondsPerByte: Double
  /// Seconds a byte of parameters when nothing fits any more.
  public var pagingSecondsPerByte: Double
  /// Factor on paging for GPUs and accelerators.
  public var acceleratorPaging: Double
  /// Seconds a head and call at host speed 1.
  public var headSeconds: Double
  /// Share of `√(peak · 240 GFLOP/s · h)` that a CPU reaches.
  public var cpuEfficiency: Double
  /// Share of the peak that a GPU or an accelerator reaches.
  public var acceleratorEfficiency: Double
  /// Shares of the span between base and maximum power that a busy host and a busy device draw on average.
  public var hostPowerShare: Double
  public var computePowerShare: Double
  /// Share of the maximum that a metered host draws at least while it works.
  public var basePowerShare: Double
  /// Share of the span that the peak reaches.
  public var peakPowerShare: Double

  /// The maximum a posteriori fit on the 587 published rows of the seven platforms (`DatasheetPriorFit.fit`, to four digits).
  public static let standard = DatasheetPrior(
    startSeconds: 0.6242, acceleratorStartSeconds: 0.5710, loadSecondsPerByte: 2.284e-9, pagingSecondsPerByte: 2.818e-8,
    acceleratorPaging: 4.817, headSeconds: 2.605e-3, cpuEfficiency: 0.02546, acceleratorEfficiency: 0.3418,
    hostPowerShare: 0.08007, computePowerShare: 0.2560, basePowerShare: 0.1800, peakPowerShare: 0.4907)

  public init(
    startSeconds: Double, acceleratorStartSeconds: Double, loadSecondsPerByte: Double, pagingSecondsPerByte: Double,
    acceleratorPaging: Double, headSeconds: Double, cpuEfficiency: Double, acceleratorEfficiency: Double,
    hostPowerShare: Double, computePowerShare: Double, basePowerShare: Double, peakPowerShare: Double
  ) {
    self.startSeconds = startSeconds
    self.acceleratorStartSeconds = acceleratorStartSeconds
    self.loadSecondsPerByte = loadSecondsPerByte
    self.pagingSecondsPerByte = pagingSecondsPerByte
    self.acceleratorPaging = acceleratorPaging
    self.headSeconds = headSeconds
    self.cpuEfficiency = cpuEfficiency
    self.acceleratorEfficiency = acceleratorEfficiency
    self.hostPowerShare = hostPowerShare
    self.computePowerShare = computePowerShare
    self.basePowerShare = basePowerShare
    self.peakPowerShare = peakPowerShare
  }
}
