import Architectures
import Foundation
import Kernels
import Testing
import Text

@testable import Training

/// A folder with a small WordPiece tokeniser, removed with the value.
final class ScratchTokenizer {
  let folder = NSTemporaryDirectory() + "training-\(UUID().uuidString)"
  let tokenizer: any Tokenizer

  static let lines = (0..<40).map { index in
    "the \(["cat", "dog", "bird", "fish"][index % 4]) \(["sat", "ran", "flew"][index % 3]) \(["here", "there"][index % 2]) again"
  }

  init(size: Int = 40) throws {
    var trainer = try WordPieceTrainer(vocabularySize: size)
    for line in Self.lines { trainer.add(line) }
    try trainer.train().write(folder: folder)
    tokenizer = try TokenizerFolder.open(folder)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  func write(_ text: String, _ name: String) throws -> String {
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
    return "\(folder)/\(name)"
  }
}

@Suite struct BatchTests {
  @Test func everyRowOnceAnEpoch() {
    let order = EpochOrder(count: 103, seed: 5)
    for epoch in 0..<3 {
      let batches = order.batches(epoch: epoch, size: 10)
      #expect(batches.count == 11 && batches.last?.count == 3)
      #expect(batches.flatMap { $0 }.sorted() == Array(0..<103))
    }
    #expect(order.rows(epoch: 0) != order.rows(epoch: 1))
    #expect(order.rows(epoch: 1) == EpochOrder(count: 103, seed: 5).rows(epoch: 1))
    #expect(order.rows(epoch: 0) != EpochOrder(count: 103, seed: 6).rows(epoch: 0))
    #expect(EpochOrder(count: 1, seed: 0).rows(epoch: 0) == [0])
  }

  @Test func batchesHaveNoPadding() throws {
    let scratch = try ScratchTokenizer()
    let data = TaskData(
      task: .rte, source: "t",
      rows: ScratchTokenizer.lines.enumerated().map {
        TaskData.Row(text: $1, pair: $0 % 2 == 0 ? "a cat" : "the dog ran there", target: Double($0 % 2), line: $0)
      })
    let rows = EncodedRows(data, tokenizer: scratch.tokenizer, maximumLength: 12)
    #expect(rows.longest <= 12)
    let batch = try rows.batch([3, 0, 7], typeVocabularySize: 2)
    #expect(batch.tokenCount == [3, 0, 7].reduce(0) { $0 + rows.sequences[$1].count })
    #expect(Array(batch.ids.prefix(rows.sequences[3].count)) == rows.sequences[3])
    #expect(batch.types.contains(1))
    #expect(try rows.batch([0], typeVocabularySize: 1).types.allSatisfy { $0 == 0 })
    #expect(rows.targets([3, 0]) == .classes([1, 0]))
  }

  @Test func maskingKeepsItsShares() throws {
    let scratch = try ScratchTokenizer()
    let masking = try #require(TokenMasking(scratch.tokenizer))
    let sequence =
      [scratch.tokenizer.classifierID] + [Int32](repeating: 30, count: 100) + [scratch.tokenizer.separatorID]
    var (hidden, kept, other, total) = (0, 0, 0, 0)
    for stream in 0..<200 {
      let masked = masking.masked([sequence, sequence], seed: 1, stream: UInt64(stream))
      #expect(masked.words.count == 30 && masked.words.allSatisfy { $0 == 30 })
      #expect(zip(masked.positions, masked.positions.dropFirst()).allSatisfy(<))
      let all = masked.sequences.flatMap { $0 }
      for position in masked.positions {
        switch all[Int(position)] {
        case masking.maskID: hidden += 1
        case 30: kept += 1
        default: other += 1
        }
      }
      // Nothing changes but where something is to be guessed.
      let places = Set(masked.positions.map(Int.init))
      for (index, id) in all.enumerated() where !places.contains(index) { #expect(id == (sequence + sequence)[index]) }
      total += 30
    }
    // Four standard errors; a fortieth of the random tokens are 30 again, and some are the mask.
    #expect(abs(Double(hidden) / Double(total) - 0.8) < 0.03)
    #expect(abs(Double(kept) / Double(total) - 0.1) < 0.03)
    #expect(abs(Double(other) / Double(total) - 0.1) < 0.03)
    #expect(masking.masked([sequence], seed: 1, stream: 3) == masking.masked([sequence], seed: 1, stream: 3))
    #expect(masking.masked([sequence], seed: 1, stream: 3) != masking.masked([sequence], seed: 2, stream: 3))
    #expect(masking.masked([[2, 3]], seed: 1, stream: 0).words.isEmpty)
    #expect(masking.masked([[2, 30, 3]], seed: 1, stream: 0).words == [30])
  }

  @Test func corpusIsTokenisedOnceAndCutIntoEqualParts() throws {
    let scratch = try ScratchTokenizer()
    let text = ScratchTokenizer.lines.joined(separator: "\n") + "\n\n\u{200B}\n" + ScratchTokenizer.lines[0]
    let path = try scratch.write(text, "c.txt")
    let cache = scratch.folder + "/c.tokens"
    let corpus = try TokenCorpus.open([path], tokenizer: scratch.tokenizer, cache: cache)
    let expected = (ScratchTokenizer.lines + [ScratchTokenizer.lines[0]]).map { scratch.tokenizer.pieces(of: $0) }
    #expect(corpus.tokenCount == expected.reduce(0) { $0 + $1.count })
    let whole = CorpusSequences(corpus, maximumLength: 1000)
    #expect((0..<whole.count).map { whole[$0] } == expected.map { [2] + $0 + [3] })
    let cut = CorpusSequences(corpus, maximumLength: 5)
    #expect(cut.longest <= 5 && cut.count > whole.count)
    #expect((0..<cut.count).flatMap { cut[$0].dropFirst().dropLast() } == expected.flatMap { $0 })
    #expect((0..<cut.count).allSatisfy { cut[$0].count >= 4 })

    // A line of unknown characters has nothing to hide.
    let unknown = try TokenCorpus.open(
      [scratch.write("\u{4E00} \u{4E01}\n" + text, "u.txt")], tokenizer: scratch.tokenizer, cache: cache + "u")
    let masking = try #require(TokenMasking(scratch.tokenizer))
    #expect(CorpusSequences(unknown, maximumLength: 1000).count == whole.count + 1)
    #expect(CorpusSequences(unknown, maximumLength: 1000, masking: masking).count == whole.count)

    // The second time the file is used as it is; another text makes another.
    let modified = { try FileManager.default.attributesOfItem(atPath: cache)[.modificationDate] as? Date }
    let before = try modified()
    _ = try TokenCorpus.open([path], tokenizer: scratch.tokenizer, cache: cache)
    #expect(try modified() == before)
    let other = try scratch.write(text + "\nthe cat", "d.txt")
    #expect(try TokenCorpus.open([other], tokenizer: scratch.tokenizer, cache: cache).key != corpus.key)
    // A file that was cut short is made anew.
    let bytes = try Data(contentsOf: URL(filePath: cache))
    try bytes.dropLast(4).write(to: URL(filePath: cache))
    #expect(try TokenCorpus.open([path], tokenizer: scratch.tokenizer, cache: cache).tokenCount == corpus.tokenCount)
    let empty = try scratch.write("\u{200B}\n", "e.txt")
    #expect(throws: InputFileError.self) {
      try TokenCorpus.open([empty], tokenizer: scratch.tokenizer, cache: cache)
    }
  }
}
