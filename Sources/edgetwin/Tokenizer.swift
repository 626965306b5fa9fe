import Architectures
import ArgumentParser
import Foundation
import Text
import Training
import Workbench

struct TokenizerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tokenizer", abstract: "Learn a tokeniser from text.",
    discussion: """
        edgetwin tokenizer train --corpus books.txt --vocabulary-size 8192 --kind wordpiece --output tokenizer
      """, subcommands: [TokenizerTrain.self])
}

struct TokenizerTrain: ParsableCommand {
  enum Kind: String, ExpressibleByArgument, CaseIterable {
    case wordpiece
    case bpe
  }

  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Learn a vocabulary of word pieces or of byte-level BPE.",
    discussion: """
        edgetwin tokenizer train --corpus books.txt --vocabulary-size 8192 --kind wordpiece --output tokenizer

      Writes BERT's files (vocab.txt) or RoBERTa's (vocab.json, merges.txt), with tokenizer_config.json. The most frequent \
      pair of neighbouring tokens becomes a token, again and again; of equally frequent ones that whose parts came \
      first. The order of the lines changes nothing.
      """)

  @Option(help: ArgumentHelp("Text files, a text a line; several with commas between them.", valueName: "files"))
  var corpus: String

  @Option(help: "Most tokens, special ones among them; fewer where the corpus has no more to give.")
  var vocabularySize: Int

  @Option(help: "wordpiece (BERT's) or bpe (RoBERTa's).")
  var kind: Kind

  @Flag(help: "Word pieces that tell upper from lower case and keep accents.")
  var cased = false

  @Option(help: "Neighbours that occur together less often than this do not become a token.")
  var minimumCount = 2

  @Option(help: ArgumentHelp("Folder to write; made where it does not exist.", valueName: "folder"))
  var output: String

  func validate() throws {
    guard (1...10_000_000).contains(vocabularySize) else {
      throw ValidationError("--vocabulary-size must be from 1 to 10000000")
    }
    guard minimumCount > 0 else { throw ValidationError("--minimum-count must be 1 or more") }
    guard !(cased && kind == .bpe) else {
      throw ValidationError("--cased is for --kind wordpiece; bpe keeps all bytes")
    }
  }

  func run() throws {
    var trainer: any TokenizerTrainer =
      switch kind {
      case .wordpiece:
        try WordPieceTrainer(vocabularySize: vocabularySize, lowercase: !cased, minimumCount: minimumCount)
      case .bpe: try ByteLevelTrainer(vocabularySize: vocabularySize, minimumCount: minimumCount)
      }
    try CorpusText.forEachLine(of: listed(corpus)) { trainer.add($0) }
    let trained = try trainer.train { Console.progress("\($0) of \(vocabularySize) tokens") }
    Console.endProgress()
    try trained.write(folder: output)
    let count = trained.vocabulary.count
    Console.say("\(output): \(count) tokens\(count < vocabularySize ? "; the corpus has no more to give" : "")")
  }
}
