import Architectures

/// A pair that a sampler wants evaluated: a design point on one of the problem's devices.
public struct Proposal: Sendable, Hashable {
  public var point: DesignPoint
  /// Position of the device among the problem's.
  public var device: Int

  public init(point: DesignPoint, device: Int) {
    self.point = point
    self.device = device
  }
}

extension Proposal: Codable {
  /// `[device, then hidden size, feed-forward stack and heads of each layer]`.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let numbers = try container.decode([Int].self)
    guard numbers.count % 3 == 1, numbers.count <= 1 + 3 * DesignPoint.maximumLayerCount,
      numbers.allSatisfy({ $0 >= 0 })
    else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "is not a device and layers")
    }
    device = numbers[0]
    point = DesignPoint(
      layers: stride(from: 1, to: numbers.count, by: 3).map {
        DesignPoint.Layer(hidden: numbers[$0], feedForward: numbers[$0 + 1], heads: numbers[$0 + 2])
      })
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode([device] + point.layers.flatMap { [$0.hidden, $0.feedForward, $0.heads] })
  }
}
