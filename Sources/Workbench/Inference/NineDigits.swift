import Foundation

/// Writes 32-bit floats with nine significant digits, without trailing zeros: as many as it takes to tell any two of them apart.
struct NineDigits {
  /// Room for a sign, nine digits, a point and an exponent.
  private var buffer = [CChar](repeating: 0, count: 24)

  mutating func text(_ value: Float) -> String {
    let length = withVaList([Double(value)]) { arguments in
      vsnprintf(&buffer, buffer.count, "%.9g", arguments)
    }
    return String(decoding: buffer.prefix(Int(length)).lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
