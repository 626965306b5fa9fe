/// A stretch of a measured series during which the device was in one state.
public struct Regime: Sendable, Hashable, Codable {
  /// First and last position in the series (0-based, inclusive).
  public var first: Int
  public var last: Int
  /// Rows that were used.
  public var rows: Int
  /// Cost in this state relative to the one that predictions are for.
  public var factor: Double

  public init(first: Int, last: Int, rows: Int, factor: Double) {
    self.first = first
    self.last = last
    self.rows = rows
    self.factor = factor
  }
}
