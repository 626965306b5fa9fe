/// What a safetensors file's tensors may be made of.
enum SafetensorsElement: String, CaseIterable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case brainFloat16 = "BF16"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case unsigned64 = "U64"
  case unsigned32 = "U32"
  case unsigned16 = "U16"
  case unsigned8 = "U8"
  case boolean = "BOOL"
  case float8E4M3 = "F8_E4M3"
  case float8E5M2 = "F8_E5M2"

  var byteCount: Int {
    switch self {
    case .float64, .int64, .unsigned64: 8
    case .float32, .int32, .unsigned32: 4
    case .float16, .brainFloat16, .int16, .unsigned16: 2
    case .int8, .unsigned8, .boolean, .float8E4M3, .float8E5M2: 1
    }
  }

  /// True for those that a weight may be stored as.
  var isReadableAsFloat: Bool {
    switch self {
    case .float64, .float32, .float16, .brainFloat16: true
    default: false
    }
  }

  /// The numbers in `bytes` (little-endian, at any address) as 32-bit floats; empty for what is no float.
  func floats(in bytes: UnsafeRawBufferPointer) -> [Float] {
    let count = bytes.count / byteCount
    return Array(unsafeUninitializedCapacity: isReadableAsFloat ? count : 0) { buffer, initialised in
      initialised = buffer.count < count ? 0 : count
      for index in 0..<initialised {
        let value: Float
        switch self {
        case .float64:
          let bits = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
          value = Float(Double(bitPattern: bits))
        case .float32:
          let bits = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
          value = Float(bitPattern: bits)
        case .brainFloat16:
          let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
          value = Float(bitPattern: UInt32(bits) << 16)
        default:
          let bits = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
          value = Self.float(halfBits: bits)
        }
        (buffer.baseAddress.map { $0 + index })?.initialize(to: value)
      }
    }
  }

  /// IEEE 754 binary16 to binary32, exact. Written out since `Float16` is not on every platform.
  static func float(halfBits bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = UInt32(bits >> 10 & 0x1F)
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
      // Subnormal: a multiple of 2⁻²⁴.
      let magnitude = Float(fraction) * 0x1p-24
      return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
