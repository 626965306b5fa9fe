/// A member of a design space, as indices into the space's lists: 64 bytes, trivially copied.
///
/// An index means something only together with its ``DesignSpace``; `DesignSpace.architecture(of:)` and
/// `DesignSpace.point(of:)` translate.
public struct DesignPoint: Hashable, Sendable {
  /// One layer's choices, packed into 32 bits: hidden size (4 bits), feed-forward stack (12 bits), heads (16 bits).
  public struct Layer: Hashable, Sendable {
    @usableFromInline let bits: UInt32

    /// - Parameters:
    ///   - hidden: index into the space's hidden sizes, below 16.
    ///   - feedForward: index of the feed-forward stack, below 4 096.
    ///   - heads: index of the head combination, below 65 536.
    @inlinable public init(hidden: Int, feedForward: Int, heads: Int) {
      bits =
        UInt32(truncatingIfNeeded: hidden) << 28 | (UInt32(truncatingIfNeeded: feedForward) & 0xFFF) << 16
        | (UInt32(truncatingIfNeeded: heads) & 0xFFFF)
    }

    @inlinable init(bits: UInt32) { self.bits = bits }

    @inlinable public var hidden: Int { Int(bits >> 28) }
    @inlinable public var feedForward: Int { Int(bits >> 16 & 0xFFF) }
    @inlinable public var heads: Int { Int(bits & 0xFFFF) }
  }

  /// The most layers that a design point can have.
  public static let maximumLayerCount = 12

  /// Lanes 0…11 hold the layers, lane 12 the number of layers; unused lanes are zero, so that equality is that of the bits.
  @usableFromInline var lanes: SIMD16<UInt32>

  /// - Parameter layers: 0 to 12 layers; further ones are dropped.
  public init(layers: some Sequence<Layer>) {
    lanes = SIMD16(repeating: 0)
    var count: UInt32 = 0
    for layer in layers.prefix(Self.maximumLayerCount) {
      lanes[Int(count)] = layer.bits
      count += 1
    }
    lanes[Self.maximumLayerCount] = count
  }

  @inlinable public var layerCount: Int { Int(lanes[12]) }

  /// The layer at `index`, which must be below ``layerCount``.
  @inlinable public subscript(index: Int) -> Layer {
    get { Layer(bits: lanes[index]) }
    set { lanes[index] = newValue.bits }
  }

  public var layers: [Layer] { (0..<layerCount).map { self[$0] } }
}
