import Architectures
import ArgumentParser
import Foundation
import Training

struct WordNetCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wordnet",
    abstract: "Write WordNet's glosses as a corpus and as a task, for machines without GLUE.",
    discussion: """
        apt-get install wordnet-base
        edgetwin wordnet --output wordnet

      corpus.txt has the glosses, a line each; train.tsv and dev.tsv have those of nouns with the class of the noun. One \
      noun in ten is in dev.tsv, and in no other file.
      """)

  @Option(help: "Folder of WordNet's data files.")
  var source = WordNet.standardFolder

  @Option(help: ArgumentHelp("Folder to write; made where it does not exist.", valueName: "folder"))
  var output: String

  func run() throws {
    let contents = try WordNet.read(folder: source)
    do {
      try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: true)
    } catch { throw OutputError(description: "\(output): cannot be made a folder: \(error.localizedDescription)") }
    try Console.write(contents.corpus.map { $0 + "\n" }.joined(), to: output + "/corpus.txt")
    try Console.write(WordNet.table(contents.train), to: output + "/train.tsv")
    try Console.write(WordNet.table(contents.dev), to: output + "/dev.tsv")
    Console.say(
      "\(output): \(contents.corpus.count) texts, \(contents.train.count) rows to train, \(contents.dev.count) to judge"
    )
  }
}
