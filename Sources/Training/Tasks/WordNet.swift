import Architectures
import Foundation
import Numerics

/// Real English text and labels from Princeton's WordNet 3.0 (Miller 1995; Fellbaum 1998), as Debian's package `wordnet-base` installs it: the glosses
/// are a corpus, and the class of a noun's synonym set (its lexicographer file, such as `noun.animal`) is a label for its gloss.
public enum WordNet {
  /// Where the package puts the files.
  public static let standardFolder = "/usr/share/wordnet"

  /// The lexicographer files of nouns, 03 to 28 (lexnames(5WN)).
  public static let nounClasses = [
    "noun.Tops", "noun.act", "noun.animal", "noun.artifact", "noun.attribute", "noun.body", "noun.cognition",
    "noun.communication", "noun.event", "noun.feeling", "noun.food", "noun.group", "noun.location", "noun.motive",
    "noun.object", "noun.person", "noun.phenomenon", "noun.plant", "noun.possession", "noun.process", "noun.quantity",
    "noun.relation", "noun.shape", "noun.state", "noun.substance", "noun.time",
  ]
  private static let firstNounClass = 3

  /// Glosses of all parts of speech, and the nouns' as rows of a task.
  public struct Contents: Sendable {
    /// A line each.
    public var corpus: [String]
    public var train: [TaskData.Row]
    public var dev: [TaskData.Row]
  }

  /// Reads the four data files. One noun in ten, drawn by its place in the file, is kept for `dev`; no gloss of those in `dev` is in the corpus or in
  /// `train`, where several sets of words have the same.
  ///
  /// - Throws: `InputFileError` where a file is missing or is not in the format of wndb(5WN).
  public static func read(folder: String = standardFolder) throws -> Contents {
    guard FileManager.default.fileExists(atPath: folder + "/data.noun") else {
      throw InputFileError(
        source: folder, problem: "has no data.noun; install WordNet (on Debian: apt-get install wordnet-base)")
    }
    var contents = Contents(corpus: [], train: [], dev: [])
    for part in ["noun", "verb", "adj", "adv"] {
      let path = "\(folder)/data.\(part)"
      var lines = try LineReader(path: path)
      while let (number, bytes) = try lines.next() {
        // The licence at the head of each file is indented.
        guard bytes.first != 0x20 else { continue }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let bar = text.range(of: " | ") else {
          throw InputFileError(source: path, line: number, problem: "has no gloss after \" | \"")
        }
        let gloss = text[bar.upperBound...].trimmingCharacters(in: .whitespaces)
        guard part == "noun" else {
          contents.corpus.append(gloss)
          continue
        }
        let fields = text[..<bar.lowerBound].split(separator: " ", maxSplits: 2)
        guard fields.count == 3, let file = Int(fields[1]), nounClasses.indices.contains(file - firstNounClass) else {
          throw InputFileError(
            source: path, line: number, field: "lex_filenum", problem: "must be a number from 03 to 28")
        }
        let row = TaskData.Row(text: gloss, pair: nil, target: Double(file - firstNounClass), line: number)
        var random = CounterRandom(seed: 0, stream: UInt64(number))
        if random.nextIndex(below: 10) == 0 {
          contents.dev.append(row)
        } else {
          contents.train.append(row)
          contents.corpus.append(gloss)
        }
      }
    }
    let kept = Set(contents.dev.map(\.text))
    contents.corpus.removeAll { kept.contains($0) }
    contents.train.removeAll { kept.contains($0.text) }
    return contents
  }

  /// Rows as a table with a header, for files.
  public static func table(_ rows: [TaskData.Row]) -> String {
    "gloss\tclass\n" + rows.map { "\($0.text)\t\(nounClasses[Int($0.target)])\n" }.joined()
  }
}
