import Architectures
import Foundation
import ModelFiles
import Text

/// A corpus as token ids: text files, a text a line, tokenised once into a file that is then mapped into memory, so that a corpus may be larger
/// than the memory.
///
/// The file begins with a mark, a key (a hash of texts and vocabulary) and the numbers of lines and tokens, eight bytes each; then come the ids
/// and the lengths of the lines, four bytes each, little-endian.
public struct TokenCorpus: Sendable {
  private static let mark: UInt64 = 0x3153_4E45_4B4F_5445  // "ETOKENS1"
  private static let headerBytes = 32

  /// Of the texts and the vocabulary that they were tokenised with.
  public let key: UInt64
  public let tokenCount: Int
  let lineLengths: [UInt32]
  let classifierID: Int32
  let separatorID: Int32
  private let file: Data

  /// Opens the token file of a corpus, which is made where it does not exist or is that of another corpus.
  ///
  /// - Parameters:
  ///   - paths: text files, read one after another.
  ///   - cache: where the token file is.
  ///   - progress: told how many bytes of text are done.
  /// - Throws: `InputFileError` where a text cannot be read or none has a token, `ModelFileError` where the token file cannot be written.
  public static func open(
    _ paths: [String], tokenizer: any Tokenizer, cache: String, progress: (Int) -> Void = { _ in }
  ) throws -> TokenCorpus {
    let key = try key(of: paths, tokenizer: tokenizer)
    if let corpus = TokenCorpus(cache: cache, key: key, tokenizer: tokenizer) { return corpus }
    try write(paths, tokenizer: tokenizer, key: key, to: cache, progress: progress)
    guard let corpus = TokenCorpus(cache: cache, key: key, tokenizer: tokenizer) else {
      throw InputFileError(source: cache, problem: "cannot be read back after it was written")
    }
    guard corpus.tokenCount > 0 else {
      throw InputFileError(source: paths.joined(separator: ","), problem: "has no text to learn from")
    }
    return corpus
  }

  private init?(cache: String, key: UInt64, tokenizer: any Tokenizer) {
    guard let file = try? Data(contentsOf: URL(fileURLWithPath: cache), options: .alwaysMapped),
      file.count >= Self.headerBytes
    else { return nil }
    func number(_ index: Int) -> UInt64 {
      file.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)) }
    }
    let (lines, tokens) = (number(2), number(3))
    guard number(0) == Self.mark, number(1) == key, lines < 1 << 40, tokens < 1 << 48,
      file.count == Self.headerBytes + 4 * Int(lines + tokens)
    else { return nil }
    let start = Self.headerBytes + 4 * Int(tokens)
    lineLengths = file.withUnsafeBytes { bytes in
      (0..<Int(lines)).map {
        UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + 4 * $0, as: UInt32.self))
      }
    }
    guard lineLengths.reduce(0, { $0 + UInt64($1) }) == tokens else { return nil }
    self.key = key
    tokenCount = Int(tokens)
    classifierID = tokenizer.classifierID
    separatorID = tokenizer.separatorID
    self.file = file
  }

  func tokens(from start: Int, count: Int) -> [Int32] {
    file.withUnsafeBytes { bytes in
      (start..<start + count).map {
        Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: Self.headerBytes + 4 * $0, as: Int32.self))
      }
    }
  }

  func has(from start: Int, count: Int, where condition: (Int32) -> Bool) -> Bool {
    file.withUnsafeBytes { bytes in
      (start..<start + count).contains {
        condition(Int32(littleEndian: bytes.loadUnaligned(fromByteOffset: Self.headerBytes + 4 * $0, as: Int32.self)))
      }
    }
  }

  /// What ``key`` is of.
  static func key(of paths: [String], tokenizer: any Tokenizer) throws -> UInt64 {
    var hash = StableHash()
    for path in paths {
      guard path != "-" else {
        throw InputFileError(source: path, problem: "a corpus is read more than once; name a file")
      }
      let handle = try InputBytes.open(path)
      do {
        while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty { hash.combine(chunk) }
      } catch { throw InputFileError(source: path, problem: "cannot be read: \(error.localizedDescription)") }
      hash.combine([0])
    }
    for token in tokenizer.vocabulary { hash.combine(Array(token.utf8) + [0]) }
    return hash.value
  }

  private static func write(
    _ paths: [String], tokenizer: any Tokenizer, key: UInt64, to cache: String, progress: (Int) -> Void
  ) throws {
    var lengths: [UInt32] = []
    var tokens = 0
    // Written in the order of the file, but for the header's counts: those need the texts first.
    let body = cache + ".ids"
    defer { try? FileManager.default.removeItem(atPath: body) }
    var ids = try AtomicFile(path: body)
    var bytesDone = 0
    for path in paths {
      var lines = try LineReader(path: path)
      var buffer: [Int32] = []
      while let (_, bytes) = try lines.next() {
        let pieces = tokenizer.pieces(of: String(decoding: bytes, as: UTF8.self))
        bytesDone += bytes.count + 1
        guard !pieces.isEmpty else { continue }
        lengths.append(UInt32(pieces.count))
        tokens += pieces.count
        buffer += pieces
        if buffer.count > 1 << 16 {
          try write(buffer, to: ids)
          buffer.removeAll(keepingCapacity: true)
          progress(bytesDone)
        }
      }
      try write(buffer, to: ids)
    }
    try ids.finish()
    var file = try AtomicFile(path: cache)
    let header = [mark, key, UInt64(lengths.count), UInt64(tokens)].map(\.littleEndian)
    try header.withUnsafeBytes { try file.write($0) }
    let handle = try InputBytes.open(body)
    while let chunk = try handle.read(upToCount: 1 << 22), !chunk.isEmpty {
      try file.write([UInt8](chunk))
    }
    try lengths.map(\.littleEndian).withUnsafeBytes { try file.write($0) }
    try file.finish()
  }

  private static func write(_ ids: [Int32], to file: borrowing AtomicFile) throws {
    try ids.map(\.littleEndian).withUnsafeBytes { try file.write($0) }
  }
}

/// The sequences that a corpus is trained in: a line each, between `[CLS]` and `[SEP]`; lines that are too long are cut into parts of equal
/// length. What stands on one line is never joined with the next.
public struct CorpusSequences: Sendable {
  private let corpus: TokenCorpus
  private var starts: [Int] = []
  private var lengths: [Int32] = []

  public var count: Int { starts.count }
  /// Tokens of the longest sequence.
  public let longest: Int

  /// Which lines of a corpus are meant.
  public enum Part: Sendable, Hashable {
    case all
    /// All but every n-th line.
    case training(heldOutEvery: Int)
    /// Every n-th line.
    case heldOut(every: Int)

    func contains(_ line: Int) -> Bool {
      switch self {
      case .all: true
      case .training(let n): line % max(n, 1) != max(n, 1) - 1
      case .heldOut(let n): line % max(n, 1) == max(n, 1) - 1
      }
    }
  }

  /// - Parameters:
  ///   - maximumLength: tokens of a sequence with its two special ones; at least 3.
  ///   - masking: sequences without a token that it may hide are left out; nil takes all.
  public init(_ corpus: TokenCorpus, maximumLength: Int, part: Part = .all, masking: TokenMasking? = nil) {
    self.corpus = corpus
    let room = max(maximumLength - 2, 1)
    var start = 0
    var longest = 0
    for (line, length) in corpus.lineLengths.lazy.map(Int.init).enumerated() {
      let parts = part.contains(line) ? (length + room - 1) / room : 0
      for part in 0..<parts {
        let (first, end) = (length * part / parts, length * (part + 1) / parts)
        guard masking.map({ corpus.has(from: start + first, count: end - first, where: $0.mayHide) }) ?? true else {
          continue
        }
        starts.append(start + first)
        lengths.append(Int32(end - first))
        longest = max(longest, end - first)
      }
      start += length
    }
    self.longest = longest + 2
  }

  public subscript(index: Int) -> [Int32] {
    [corpus.classifierID] + corpus.tokens(from: starts[index], count: Int(lengths[index])) + [corpus.separatorID]
  }
}

/// FNV-1a, 64 bits: the same on every machine and in every process, as `Hasher` is not. Not for defence against
/// people.
package struct StableHash {
  private var state: UInt64 = 0xCBF2_9CE4_8422_2325
  package private(set) var byteCount = 0

  package init() {}

  package mutating func combine(_ bytes: some Collection<UInt8>) {
    byteCount += bytes.count
    for byte in bytes { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
  }

  package var value: UInt64 { state ^ UInt64(byteCount) &* 0x9E37_79B9_7F4A_7C15 }
}
