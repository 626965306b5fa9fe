import Foundation

/// Rates of a device that were fitted as a roofline: every kernel class of every layer takes
/// `max(FLOPs/rate, bytes/bandwidth) + launch · calls`, the maximum rounded where the two are alike.
public struct Roofline: Sendable, Hashable, Codable {
  /// Kernel classes that share a rate.
  public enum Group: Int, Sendable, Hashable, CaseIterable {
    /// Projections, feed-forward, joins and pooler.
    case linear
    /// Scores, relative scores and the product with v.
    case attention
    /// Fourier, cosine and convolution.
    case operation
    /// Embedding, softmax, activation, normalisation.
    case elementwise

    public init(_ kernelClass: KernelClass) {
      switch kernelClass {
      case .projection, .feedForward, .join, .pooler: self = .linear
      case .scores, .relativeScores, .context: self = .attention
      case .fourier, .cosine, .convolution: self = .operation
      case .embedding, .softmax, .activation, .normalisation: self = .elementwise
      }
    }
  }

  public var linearFLOPsPerSecond: Double
  public var attentionFLOPsPerSecond: Double
  public var operationFLOPsPerSecond: Double
  public var elementwiseFLOPsPerSecond: Double
  public var bytesPerSecond: Double
  /// Seconds a kernel launch.
  public var launchSeconds: Double

  enum CodingKeys: String, CodingKey {
    case linearFLOPsPerSecond = "linear_flop_per_s"
    case attentionFLOPsPerSecond = "attention_flop_per_s"
    case operationFLOPsPerSecond = "operation_flop_per_s"
    case elementwiseFLOPsPerSecond = "elementwise_flop_per_s"
    case bytesPerSecond = "bytes_per_s"
    case launchSeconds = "launch_s"
  }

  public init(
    linearFLOPsPerSecond: Double, attentionFLOPsPerSecond: Double, operationFLOPsPerSecond: Double,
    elementwiseFLOPsPerSecond: Double, bytesPerSecond: Double, launchSeconds: Double
  ) {
    self.linearFLOPsPerSecond = linearFLOPsPerSecond
    self.attentionFLOPsPerSecond = attentionFLOPsPerSecond
    self.operationFLOPsPerSecond = operationFLOPsPerSecond
    self.elementwiseFLOPsPerSecond = elementwiseFLOPsPerSecond
    self.bytesPerSecond = bytesPerSecond
    self.launchSeconds = launchSeconds
  }

  /// - Throws: `DecodingError` for a rate that is no rate, naming its place.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func positive(_ key: CodingKeys) throws -> Double {
      let value = try container.decode(Double.self, forKey: key)
      guard value > 0, value < 1e18 else {
        throw DecodingError.dataCorruptedError(forKey: key, in: container, debugDescription: "must be above 0")
      }
      return value
    }
    linearFLOPsPerSecond = try positive(.linearFLOPsPerSecond)
    attentionFLOPsPerSecond = try positive(.attentionFLOPsPerSecond)
    operationFLOPsPerSecond = try positive(.operationFLOPsPerSecond)
    elementwiseFLOPsPerSecond = try positive(.elementwiseFLOPsPerSecond)
    bytesPerSecond = try positive(.bytesPerSecond)
    launchSeconds = try positive(.launchSeconds)
  }

  public func flopsPerSecond(_ group: Group) -> Double {
    switch group {
    case .linear: linearFLOPsPerSecond
    case .attention: attentionFLOPsPerSecond
    case .operation: operationFLOPsPerSecond
    case .elementwise: elementwiseFLOPsPerSecond
    }
  }

  /// Seconds per sequence of a part of a model, such as one head: a maximum a kernel class.
  /// - Parameter batch: sequences that `work` is for.
  public func seconds(_ work: WorkByClass, batch: Double) -> Double {
    var sum = 0.0
    for kernelClass in KernelClass.allCases {
      let part = work[kernelClass]
      guard part.calls > 0 else { continue }
      sum += seconds(part, of: kernelClass)
    }
    return sum / batch
  }

  func seconds(_ work: Work, of kernelClass: KernelClass) -> Double {
    smoothMaximum(work.flops / flopsPerSecond(Group(kernelClass)), work.bytes / bytesPerSecond)
      + launchSeconds * work.calls
  }

  /// The same device with other facts.
  func scaled(rates: Double, bandwidth: Double, host: Double) -> Roofline {
    Roofline(
      linearFLOPsPerSecond: linearFLOPsPerSecond * rates, attentionFLOPsPerSecond: attentionFLOPsPerSecond * rates,
      operationFLOPsPerSecond: operationFLOPsPerSecond * rates,
      elementwiseFLOPsPerSecond: elementwiseFLOPsPerSecond * rates, bytesPerSecond: bytesPerSecond * bandwidth,
      launchSeconds: launchSeconds / host)
  }
}
