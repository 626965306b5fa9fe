/// A counter-based generator: Philox 4×32 with 10 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random
/// numbers: as easy as 1, 2, 3", SC 2011), keyed by a seed, with a 64-bit stream number in the counter.
///
/// The n-th number of (seed, stream) is the same on every machine and in every thread, so work that is split
/// by stream gives the same result however it is scheduled. Streams do not overlap; each has 2⁶⁵ numbers.
public struct CounterRandom: RandomNumberGenerator, Sendable, Equatable {
  @usableFromInline let seed: UInt64
  @usableFromInline let stream: UInt64
  @usableFromInline var block: UInt64 = 0
  @usableFromInline var spare: UInt64 = 0
  @usableFromInline var hasSpare = false

  @inlinable public init(seed: UInt64, stream: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
  }

  /// A stream named by several numbers, such as (generation, index): they are folded into one by Philox
  /// itself, so that distinct tuples collide with probability 2⁻⁶⁴.
  public init(seed: UInt64, stream first: UInt64, _ others: UInt64...) {
    var folded = first
    for other in others {
      folded = Self.philox(counter: (folded, other), key: 0x6564_6765_7477_696E).0
    }
    self.init(seed: seed, stream: folded)
  }

  @inlinable public mutating func next() -> UInt64 {
    if hasSpare {
      hasSpare = false
      return spare
    }
    let (first, second) = Self.philox(counter: (block, stream), key: seed)
    block &+= 1
    spare = second
    hasSpare = true
    return first
  }

  /// Uniform in [0, 1), a multiple of 2⁻⁵³.
  @inlinable public mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// Uniform in 0..<`bound`, which must be positive: the high half of a product, biased by less than
  /// `bound`·2⁻⁶⁴.
  @inlinable public mutating func nextIndex(below bound: Int) -> Int {
    Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(truncatingIfNeeded: bound)).high)
  }

  /// Standard normal, by the inverse of its distribution function: one number of the stream each.
  public mutating func nextNormal() -> Double {
    Distributions.normalQuantile((Double(next() >> 12) + 0.5) * 0x1p-52)
  }

  /// One block: counter words c₀…c₃ (low half of each number first) to output words, paired likewise.
  @inlinable static func philox(counter: (UInt64, UInt64), key: UInt64) -> (UInt64, UInt64) {
    var c0 = UInt32(truncatingIfNeeded: counter.0)
    var c1 = UInt32(truncatingIfNeeded: counter.0 >> 32)
    var c2 = UInt32(truncatingIfNeeded: counter.1)
    var c3 = UInt32(truncatingIfNeeded: counter.1 >> 32)
    var k0 = UInt32(truncatingIfNeeded: key)
    var k1 = UInt32(truncatingIfNeeded: key >> 32)
    for _ in 0..<10 {
      let first = UInt64(c0) &* 0xD251_1F53
      let second = UInt64(c2) &* 0xCD9E_8D57
      (c0, c1, c2, c3) = (
        UInt32(truncatingIfNeeded: second >> 32) ^ c1 ^ k0, UInt32(truncatingIfNeeded: second),
        UInt32(truncatingIfNeeded: first >> 32) ^ c3 ^ k1, UInt32(truncatingIfNeeded: first)
      )
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (UInt64(c1) << 32 | UInt64(c0), UInt64(c3) << 32 | UInt64(c2))
  }
}
