/// One number about a device, with where it comes from.
public struct Fact: Sendable, Hashable, Codable {
  /// How much a number can be trusted.
  public enum Provenance: String, Sendable, Hashable, Codable, CaseIterable {
    /// Read off this very device.
    case measured
    /// A coefficient that regression on measurements gave.
    case fitted
    /// From the vendor's or a reviewer's specification, or computed from it.
    case datasheet
    /// Taken from devices of the same class, or from experience.
    case assumed
  }

  public var value: Double
  public var unit: String
  public var provenance: Provenance
  /// The document, or how the number was computed.
  public var source: String?

  public init(value: Double, unit: String, provenance: Provenance, source: String? = nil) {
    self.value = value
    self.unit = unit
    self.provenance = provenance
    self.source = source
  }
}
