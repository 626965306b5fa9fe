import Architectures
import Foundation

/// A safetensors file, mapped into memory: eight bytes with the header's length, a JSON header, then the numbers
/// (<https://github.com/huggingface/safetensors>, "Format").
///
/// Everything that the header says is checked against the file before a number is read: a file from anywhere can be
/// opened.
public struct SafetensorsFile: Sendable {
  struct Entry: Sendable, Equatable {
    var element: SafetensorsElement
    var shape: [Int]
    var count: Int
    /// From the start of the file.
    var byteOffset: Int
  }

  /// The longest header that the format's own reader accepts.
  static let maximumHeaderBytes = 100_000_000

  private let file: MappedFile
  private let entries: [String: Entry]
  public let path: String
  /// The header's `__metadata__`.
  public let metadata: [String: String]

  /// Opens and checks a file.
  ///
  /// - Throws: ``ModelFileError`` where it is not there, is no such file or contradicts itself.
  public init(path: String) throws(ModelFileError) {
    let file = try MappedFile(path: path)
    (entries, metadata) = try Self.header(of: file.bytes, source: path)
    self.file = file
    self.path = path
  }

  /// Names of all tensors, sorted.
  public var names: [String] { entries.keys.sorted() }

  /// Shape of a tensor; nil where there is none of that name.
  public func shape(of name: String) -> [Int]? { entries[name]?.shape }

  /// True where the tensor is there and holds floating-point numbers that this reader knows.
  public func hasFloats(_ name: String) -> Bool { entries[name]?.element.isReadableAsFloat ?? false }

  /// A tensor of floats: those of the file where they are F32 and aligned, else converted (F16, BF16, F64).
  ///
  /// - Throws: ``ModelFileError`` where there is no tensor `name`, or its elements are of another kind.
  public func tensor(_ name: String) throws(ModelFileError) -> Tensor {
    guard let entry = entries[name] else {
      throw ModelFileError(source: path, field: name, problem: "there is no such tensor")
    }
    guard entry.element.isReadableAsFloat else {
      throw ModelFileError(
        source: path, field: name,
        problem: "holds \(entry.element.rawValue); weights must be F32, F16, BF16 or F64")
    }
    if entry.element == .float32, entry.byteOffset % MemoryLayout<Float>.alignment == 0, entry.count > 0 {
      return Tensor(shape: entry.shape, count: entry.count, file: file, byteOffset: entry.byteOffset)
    }
    let range = entry.byteOffset..<(entry.byteOffset + entry.count * entry.element.byteCount)
    let values = entry.element.floats(in: UnsafeRawBufferPointer(rebasing: file.bytes[range]))
    guard let tensor = Tensor(shape: entry.shape, values: values) else {
      throw ModelFileError(source: path, field: name, problem: "could not be converted to F32")
    }
    return tensor
  }

  // MARK: Header

  /// Reads and checks the header of a whole file in memory.
  static func header(
    of bytes: UnsafeRawBufferPointer, source: String
  ) throws(ModelFileError) -> (entries: [String: Entry], metadata: [String: String]) {
    func failure(_ problem: String, _ field: String? = nil) -> ModelFileError {
      ModelFileError(source: source, field: field, problem: problem)
    }
    guard bytes.count >= 8 else {
      throw failure("is no safetensors file: it has \(bytes.count) bytes, and the length of a header alone takes 8")
    }
    let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(maximumHeaderBytes) else {
      throw failure("is no safetensors file: its header would be \(length) bytes long, and 100 MB are allowed")
    }
    let start = 8 + Int(length)
    guard start <= bytes.count else {
      throw failure("ends inside its header, which is \(length) bytes long; was it copied or loaded completely?")
    }
    let text = [UInt8](bytes[8..<start])
    guard text.first == UInt8(ascii: "{") else { throw failure("is no safetensors file: its header is not JSON") }
    let document: DocumentValue
    do {
      try InputBytes.check(text, source: source, line: 1)
      document = try JSONParser.document(text, source: source)
    } catch {
      throw ModelFileError(error, source: source)
    }
    guard let members = document.members else { throw failure("has a header that is no JSON object") }
    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    for member in members {
      if member.name == "__metadata__" {
        for item in member.value.members ?? [] { metadata[item.name] = item.value.string }
      } else {
        entries[member.name] = try entry(member, source: source, start: start, dataBytes: bytes.count - start)
      }
    }
    try checkLayout(entries, source: source, start: start, end: bytes.count)
    return (entries, metadata)
  }

  private static func entry(
    _ member: DocumentValue.Member, source: String, start: Int, dataBytes: Int
  ) throws(ModelFileError) -> Entry {
    func failure(_ problem: String) -> ModelFileError {
      ModelFileError(source: source, field: member.name, problem: problem)
    }
    func sizes(_ name: String) throws(ModelFileError) -> [Int] {
      guard case .list(let items) = member.value[name]?.content else { throw failure("`\(name)` is no list") }
      var result: [Int] = []
      for item in items {
        guard case .integer(let size) = item.content, size >= 0 else {
          throw failure("`\(name)` must hold whole numbers from 0 on, and has \(item.shown)")
        }
        result.append(size)
      }
      return result
    }
    guard let name = member.value["dtype"]?.string else { throw failure("has no `dtype`") }
    guard let element = SafetensorsElement(rawValue: name) else {
      let known = SafetensorsElement.allCases.map(\.rawValue).joined(separator: ", ")
      throw failure("`dtype` \"\(InputFileError.printable(name, limit: 20))\" is not known; known are \(known)")
    }
    let shape = try sizes("shape")
    let offsets = try sizes("data_offsets")
    guard offsets.count == 2, offsets[0] <= offsets[1] else {
      throw failure("`data_offsets` must be a start and an end that is not before it")
    }
    guard offsets[1] <= dataBytes else {
      throw failure(
        "ends at byte \(offsets[1]) of the numbers, of which the file has \(dataBytes); was it copied or loaded completely?"
      )
    }
    guard let count = Tensor.elementCount(of: shape) else { throw failure("its shape \(shape) is too large") }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: element.byteCount)
    guard !overflow, byteCount == offsets[1] - offsets[0] else {
      throw failure(
        "its shape \(shape) of \(name) does not fill its \(offsets[1] - offsets[0]) bytes")
    }
    return Entry(element: element, shape: shape, count: count, byteOffset: start + offsets[0])
  }

  /// Tensors must lie side by side from the first byte to the last: where two share bytes, or bytes belong to none,
  /// the file is damaged or made to deceive.
  private static func checkLayout(
    _ entries: [String: Entry], source: String, start: Int, end: Int
  ) throws(ModelFileError) {
    var position = start
    for (name, entry) in entries.sorted(by: {
      ($0.value.byteOffset, $0.value.count) < ($1.value.byteOffset, $1.value.count)
    }) {
      guard entry.byteOffset == position else {
        let problem = entry.byteOffset < position ? "overlaps another tensor" : "leaves a gap before it"
        throw ModelFileError(source: source, field: name, problem: problem)
      }
      position += entry.count * entry.element.byteCount
    }
    guard position == end else {
      throw ModelFileError(source: source, problem: "has \(end - position) bytes after its last tensor")
    }
  }
}
