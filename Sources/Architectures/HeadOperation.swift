/// What one attention head of a FlexiBERT 2.0 layer computes on top of the shared q, k and v.
///
/// The order of the cases is the order of the published design space (EdgeTran, table 1), which the 37-number
/// embedding depends on.
public enum HeadOperation: UInt8, CaseIterable, Sendable, Hashable {
  /// Self-attention with a scaled dot product.
  case scaledDotProduct
  /// Self-attention with a learnt `d × d` matrix between q and k (weighted multiplicative attention).
  case weightedMultiplicative
  /// Linear transform: two-dimensional discrete Fourier transform of v.
  case discreteFourier
  /// Linear transform: two-dimensional discrete cosine transform of v.
  case discreteCosine
  /// Dynamic span-based convolution with 5 taps.
  case convolution5
  /// Dynamic span-based convolution with 9 taps.
  case convolution9
  /// Dynamic span-based convolution with 13 taps.
  case convolution13

  /// The name in files: `sa_sdp`, `sa_wma`, `l_dft`, `l_dct`, `c_5`, `c_9` or `c_13`.
  public var name: String {
    switch self {
    case .scaledDotProduct: "sa_sdp"
    case .weightedMultiplicative: "sa_wma"
    case .discreteFourier: "l_dft"
    case .discreteCosine: "l_dct"
    case .convolution5: "c_5"
    case .convolution9: "c_9"
    case .convolution13: "c_13"
    }
  }

  public init?(name: some StringProtocol) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// Number of taps of a convolution head; nil for the other kinds.
  public var taps: Int? {
    switch self {
    case .convolution5: 5
    case .convolution9: 9
    case .convolution13: 13
    default: nil
    }
  }

  /// True for the two kinds that multiply q with the keys.
  public var isSelfAttention: Bool { self == .scaledDotProduct || self == .weightedMultiplicative }

  /// True for the two kinds that transform v.
  public var isLinearTransform: Bool { self == .discreteFourier || self == .discreteCosine }
}
