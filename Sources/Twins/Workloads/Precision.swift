/// The number format that weights and activations are kept in.
public enum Precision: String, Sendable, Hashable, CaseIterable, Codable {
  case fp32, fp16, bf16, int8

  /// Size of one element.
  public var bytes: Double {
    switch self {
    case .fp32: 4
    case .fp16, .bf16: 2
    case .int8: 1
    }
  }
}
