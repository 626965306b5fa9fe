import Architectures

/// What a certificate is asked: the least cost of all models of a space on one device.
public struct CostQuery: Sendable, Hashable {
  /// Position of the device among the problem's.
  public var device: Int
  /// The cost is `latencyWeight · seconds + energyWeight · joules`, medians; at least one weight is positive, none negative.
  public var latencyWeight: Double
  public var energyWeight: Double
  /// Only models predicted at least so accurate, points of GLUE.
  public var minAccuracy: Double?
  /// Only models of at least, and of at most, so many parameters, as the twin's runtime counts them.
  public var minParameters: Double?
  public var maxParameters: Double?

  public init(
    device: Int, latencyWeight: Double = 1, energyWeight: Double = 0, minAccuracy: Double? = nil,
    minParameters: Double? = nil, maxParameters: Double? = nil
  ) {
    self.device = device
    self.latencyWeight = latencyWeight
    self.energyWeight = energyWeight
    self.minAccuracy = minAccuracy
    self.minParameters = minParameters
    self.maxParameters = maxParameters
  }
}

/// A cost that was found, and one that no model is below.
public struct CostCertificate: Sendable {
  public var query: CostQuery
  /// No model that the query allows costs less, by the twin; +∞ where none is allowed.
  public var lowerBound: Double
  /// The cheapest model that was found, and its cost; nil where none was.
  public var point: DesignPoint?
  public var cost: Double
  /// Boxes that were looked into.
  public var boxes: Int

  /// How far the cost is above the bound, as a share of the cost: 0.01 says that at most 1 % could be saved.
  public var gap: Double { cost.isFinite && cost > 0 ? max(0, 1 - lowerBound / cost) : .infinity }
}
