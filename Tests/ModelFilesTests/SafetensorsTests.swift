import Foundation
import Testing

@testable import ModelFiles

@Suite struct SafetensorsTests {
  @Test func whatIsWrittenReadsBack() throws {
    let folder = try Folder()
    let a = try #require(Tensor(shape: [2, 3], values: [1, -2, 3.5, .infinity, .leastNonzeroMagnitude, -0.0]))
    let scalar = try #require(Tensor(shape: [], values: [7]))
    let empty = try #require(Tensor(shape: [0, 4], values: []))
    try SafetensorsWriter.write(["b.weight": a, "a": scalar, "c\"é": empty], to: folder.path("x.safetensors"))
    #expect(folder.contents == ["x.safetensors"])
    let file = try SafetensorsFile(path: folder.path("x.safetensors"))
    #expect(file.names == ["a", "b.weight", "c\"é"])
    let back = try file.tensor("b.weight")
    #expect(back.shape == [2, 3] && back.isMapped)
    #expect(back.values.map(\.bitPattern) == a.values.map(\.bitPattern))
    #expect(try file.tensor("a").values == [7] && file.tensor("a").shape == [])
    #expect(try file.tensor("c\"é").count == 0)
    #expect(file.metadata == ["format": "pt"])
    // The numbers start at a multiple of eight, so that every reader can map them.
    let raw = try Data(contentsOf: URL(filePath: folder.path("x.safetensors")))
    #expect(raw[0] % 8 == 0 && raw.count == 8 + Int(raw[0]) + Int(raw[1]) << 8 + 28)
  }

  @Test func otherFloatsAreConverted() throws {
    let folder = try Folder()
    let halves: [UInt16] = [0x3C00, 0xC000, 0x7BFF, 0x0001, 0x03FF, 0x8001, 0x7C00, 0x3555, 0x0400, 0x8000]
    let header = """
      {"h":{"dtype":"F16","shape":[10],"data_offsets":[0,20]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[20,24]},\
      "d":{"dtype":"F64","shape":[1],"data_offsets":[24,32]},"i":{"dtype":"I64","shape":[1],"data_offsets":[32,40]}}
      """
    let data = bytes(halves) + bytes([0x3F80, 0xC049] as [UInt16]) + bytes([(0.1).bitPattern]) + bytes([Int64(5)])
    let file = try SafetensorsFile(path: folder.write(safetensors(header, data: data), to: "x"))
    let read = try file.tensor("h").values
    // From IEEE 754: 1, −2, the largest, the least, the largest subnormal, …, 1/3 rounded, the least normal, −0.
    #expect(
      read == [1, -2, 65504, 0x1p-24, 1023 * 0x1p-24, -0x1p-24, .infinity, 0.333251953125, 0x1p-14, 0])
    #expect(read[9].sign == .minus)
    #expect(try file.tensor("b").values == [1, -3.140625])
    #expect(try file.tensor("d").values == [0.1])
    let error = try #require(expectedError { () throws(ModelFileError) in try file.tensor("i") })
    #expect(error.description.contains("i: holds I64"))
    #expect(SafetensorsElement.float(halfBits: 0x7E00).isNaN)
  }

  @Test func everyHalfAgreesWithTheHardware() throws {
    #if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
      for bits in UInt16.min ... .max {
        let expected = Float(Float16(bitPattern: bits))
        let found = SafetensorsElement.float(halfBits: bits)
        #expect(found.bitPattern == expected.bitPattern || (found.isNaN && expected.isNaN))
      }
    #endif
  }

  @Test func unalignedFloatsAreCopied() throws {
    let folder = try Folder()
    let header = #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
    let padding = String(repeating: " ", count: (4 - header.utf8.count % 4) % 4 + 1)
    let values: [Float] = [1.5, -2.25]
    let path = try folder.write(safetensors(header + padding, data: bytes(values.map(\.bitPattern))), to: "x")
    let tensor = try SafetensorsFile(path: path).tensor("a")
    #expect(!tensor.isMapped && tensor.values == values)
  }

  @Test(arguments: [
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
      "overlaps"
    ),
    (
      #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]},"a":{}}"#,
      "twice"
    ),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, "gap"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, "4 bytes after"),
    (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}"#, "ends at byte 12"),
    (#"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}"#, "does not fill"),
    (#"{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}"#, "F99"),
    (#"{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}"#, "-2"),
    (#"{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}"#, "nan"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,Infinity]}}"#, "inf"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,1e400]}}"#, "inf"),
    (#"{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#, "2.5"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}"#, "start and an end"),
    (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}"#, "start and an end"),
    (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}"#, "too large"),
    (#"{"a":{"dtype":"F64","shape":[4611686018427387904],"data_offsets":[0,8]}}"#, "does not fill"),
    (#"{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}"#, "`shape` is no list"),
    (#"{"a":{"shape":[2],"data_offsets":[0,8]}}"#, "dtype"),
    (#"{"a":7}"#, "dtype"),
    (#"[]"#, "not JSON"),
    (#"{"a":"#, "ends early"),
    ("{}", "8 bytes after"),
  ])
  func badHeaders(header: String, message: String) throws {
    let folder = try Folder()
    let path = try folder.write(safetensors(header, data: Array(repeating: 0, count: 8)), to: "x.safetensors")
    let error = try #require(expectedError { () throws(ModelFileError) in try SafetensorsFile(path: path) })
    #expect(error.description.contains(message), "\(error)")
    #expect(error.description.contains("x.safetensors"))
  }

  @Test func badFiles() throws {
    let folder = try Folder()
    let cases: [([UInt8], String)] = [
      ([], "is empty"), ([1, 2, 3], "3 bytes"),
      (bytes([UInt64(100)]) + [0x7B], "ends inside its header"),
      (bytes([UInt64(100_000_001)]) + [0x7B], "100 MB"),
      (bytes([UInt64.max]) + [0x7B], "100 MB"),
      (bytes([UInt64(0)]), "not JSON"),
      (bytes([UInt64(4)]) + [0x7B, 0xFF, 0xFE, 0x7D], "UTF-8"),
    ]
    for (content, message) in cases {
      let path = try folder.write(content, to: "x")
      let error = try #require(expectedError { () throws(ModelFileError) in try SafetensorsFile(path: path) })
      #expect(error.description.contains(message), "\(error)")
    }
    for path in [folder.path("none"), folder.url.path, "", "/dev/null", "a\0b"] {
      let error = try #require(expectedError { () throws(ModelFileError) in try SafetensorsFile(path: path) })
      #expect(error.kind == .input)
    }
  }

  @Test func unwritablePlacesAreErrorsAndLeaveNothing() throws {
    let folder = try Folder()
    let tensor = try #require(Tensor(shape: [1], values: [1]))
    for path in [folder.path("no/such/folder/x"), folder.url.path, ""] {
      let error = try #require(
        expectedError { () throws(ModelFileError) in try SafetensorsWriter.write(["a": tensor], to: path) })
      #expect(error.kind == .output)
    }
    #expect(folder.contents.isEmpty)
  }

  /// Damaged files are read or refused, and what is read lies within the file.
  @Test func damagedFiles() throws {
    let header =
      #"{"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"#
      + #""b":{"dtype":"F16","shape":[4],"data_offsets":[24,32]},"c":{"dtype":"I64","shape":[1],"data_offsets":[32,40]}}"#
    let sample = safetensors(header, data: (0..<40).map { UInt8($0) })
    var mutator = FileMutator(seed: 5)
    var accepted = 0
    for _ in 0..<10_000 {
      let damaged = mutator.damage(sample)
      damaged.withUnsafeBytes { buffer in
        do {
          let (entries, _) = try SafetensorsFile.header(of: buffer, source: "x")
          accepted += 1
          for entry in entries.values {
            #expect(entry.byteOffset >= 8)
            #expect(entry.byteOffset + entry.count * entry.element.byteCount <= buffer.count)
          }
        } catch { #expect(error is ModelFileError) }
      }
    }
    // Damage to the numbers alone is no damage that a reader could see.
    #expect(accepted > 100 && accepted < 9_000)
  }
}

/// Damages files: bits, bytes, lengths, digits of the header, tails.
struct FileMutator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  private mutating func below(_ bound: Int) -> Int {
    // SplitMix64.
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return Int((z ^ (z >> 31)) % UInt64(max(bound, 1)))
  }

  private static let words = [
    "0", "-1", "8", "24", "40", "1e3", "NaN", "-Infinity", "9223372036854775807", "18446744073709551616", "F32", "F64",
    "BOOL",
    "null", "[", "]", "{", "}", "\"", ",", "[[[[", "\\u0000", "\u{0}", "__metadata__", "shape", "data_offsets", "é",
  ]

  mutating func damage(_ sample: [UInt8]) -> [UInt8] {
    var bytes = sample
    for _ in 0...below(3) {
      guard bytes.count > 8 else { return bytes }
      let place = below(bytes.count)
      switch below(7) {
      case 0: bytes[place] ^= 1 << UInt8(below(8))
      case 1: bytes[below(8)] = UInt8(below(256))
      case 2: bytes.removeLast(below(bytes.count))
      case 3: bytes.append(contentsOf: Array(repeating: 0, count: below(20)))
      case 4:
        let digits = bytes.indices.filter { $0 >= 8 && bytes[$0] &- 0x30 < 10 }
        if !digits.isEmpty { bytes[digits[below(digits.count)]] = 0x30 + UInt8(below(10)) }
      default:
        let word = Array(Self.words[below(Self.words.count)].utf8)
        let end = min(bytes.count, place + below(6))
        bytes.replaceSubrange(place..<end, with: word)
        // Half of the time the header's length is made right again, so that its content is reached.
        if below(2) == 0 {
          let length = UInt64(max(0, bytes.count - 48))
          withUnsafeBytes(of: length.littleEndian) { bytes.replaceSubrange(0..<8, with: $0) }
        }
      }
    }
    return bytes
  }
}
