import Foundation
import Testing

@testable import Text

@Suite struct LearningTests {
  private func learnt(_ lines: [String], size: Int, minimumCount: Int = 2) throws -> [String] {
    var trainer = try WordPieceTrainer(vocabularySize: size, minimumCount: minimumCount)
    for line in lines { trainer.add(line) }
    return try trainer.train().vocabulary
  }

  /// The example of Sennrich et al. (2016), figure 1, with the merges that follow by hand.
  @Test func mergesInOrder() throws {
    let lines =
      Array(repeating: "low", count: 5) + Array(repeating: "lowest", count: 2) + Array(repeating: "newer", count: 6)
      + Array(repeating: "wider", count: 3)
    let vocabulary = try learnt(lines, size: 100, minimumCount: 3)
    let specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    let letters = ["l", "n", "w", "##d", "##e", "##i", "##o", "##r", "##s", "##t", "##w"]
    #expect(Array(vocabulary.prefix(16)) == specials + letters)
    // er occurs 9 times; lo and low 7 (letters first: l, ##o), then new(er) 6 and wid(er) 3.
    #expect(
      Array(vocabulary.dropFirst(16)) == [
        "##er", "lo", "low", "ne", "##wer", "newer", "wi", "##der", "wider",
      ])
  }

  @Test func theOrderOfLinesDoesNotMatter() throws {
    let lines = ["a rose is a rose", "is a rose", "Crème brûlée, crème", "prose and verse", "roses", "中文 中文"]
    let one = try learnt(lines, size: 60)
    #expect(try learnt(lines.reversed(), size: 60) == one)
    #expect(one.contains("rose") && one.contains("中") && one.contains("creme"))
    #expect(Set(one).count == one.count)
  }

  @Test func aSmallVocabularyKeepsTheFrequentLetters() throws {
    let vocabulary = try learnt(["aaab aaab aaab xyz"], size: 8)
    #expect(vocabulary.suffix(3) == ["a", "##a", "##b"])
  }

  @Test func whatCannotBeLearnt() throws {
    #expect(throws: TextError.vocabularyTooSmall(size: 5, minimum: 6)) { try WordPieceTrainer(vocabularySize: 5) }
    #expect(throws: TextError.vocabularyTooSmall(size: 260, minimum: 261)) {
      try ByteLevelTrainer(vocabularySize: 260)
    }
    #expect(throws: TextError.noWords) { try learnt([" ", ""], size: 10) }
  }

  /// Counts that are kept up to date as merges go equal counts that are made anew after each.
  @Test(arguments: 0..<20)
  func countsFollowMerges(seed: Int) throws {
    var state = UInt64(seed + 1) &* 0x9E37_79B9_7F4A_7C15
    func draw(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    // Few letters and runs of one, so that pairs overlap.
    var words = (0..<60).map { _ in (0..<1 + draw(9)).map { _ in Int32(draw(3)) } }
    let counts = words.map { _ in 1 + draw(5) }
    var learner = MergeLearner(words: words, counts: counts)
    var next: Int32 = 3
    while let merge = learner.next(minimumCount: 1, token: { _, _ in next }) {
      var pairs: [[Int32]: Int] = [:]
      for (word, count) in zip(words, counts) {
        for pair in zip(word, word.dropFirst()) { pairs[[pair.0, pair.1], default: 0] += count }
      }
      let best = pairs.max { a, b in a.value == b.value ? b.key.lexicographicallyPrecedes(a.key) : a.value < b.value }
      try #require(best?.key == [merge.first, merge.second])
      for index in words.indices { words[index] = Self.merged(words[index], merge) }
      next += 1
    }
    #expect(words.allSatisfy { $0.count == 1 })
  }

  private static func merged(_ word: [Int32], _ merge: MergeLearner.Merge) -> [Int32] {
    var result: [Int32] = []
    var index = 0
    while index < word.count {
      if index + 1 < word.count, word[index] == merge.first, word[index + 1] == merge.second {
        result.append(merge.token)
        index += 2
      } else {
        result.append(word[index])
        index += 1
      }
    }
    return result
  }

  @Test func foldersHoldOneTokeniser() throws {
    let scratch = NSTemporaryDirectory() + "learning-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: scratch) }
    #expect(throws: TextError.self) { try TokenizerFolder.open(scratch) }
    var pieces = try WordPieceTrainer(vocabularySize: 30, lowercase: false)
    pieces.add("Ein Satz, ein Wort")
    try pieces.train().write(folder: scratch)
    let tokenizer = try TokenizerFolder.open(scratch)
    #expect(tokenizer.pieces(of: "Ein") != tokenizer.pieces(of: "ein"))
    #expect(tokenizer.maskID == 4 && tokenizer.specialIDs == [0, 1, 2, 3, 4])
    var bytes = try ByteLevelTrainer(vocabularySize: 300)
    bytes.add("Ein Satz")
    let trained = try bytes.train()
    #expect(throws: TextError.self) { try trained.write(folder: scratch) }
    let other = scratch + "/copy"
    try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
    try TokenizerFolder.copy(from: scratch, to: other)
    #expect(try TokenizerFolder.open(other).vocabulary == tokenizer.vocabulary)
  }
}
