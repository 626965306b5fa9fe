import Accuracy
import Architectures
import ArgumentParser
import CoSearch
import Foundation
import Workbench

struct AccuracyPredict: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict",
    abstract: "Predict the accuracy of architectures from rows of accuracy measure.",
    discussion: """
        edgetwin accuracy predict --accuracy measured=accuracy --architectures a.jsonl

      What is predicted is the score that a model reaches with the budget of the rows; without --accuracy, the GLUE score after \
      BERT's training, from published scores.
      """)

  @Option(
    help: ArgumentHelp(
      "published, or measured=PATH: rows of accuracy measure, or the folder that has them.", valueName: "source"),
    transform: PlaceOptions.accuracySource)
  var accuracy: AccuracySource = .published

  @Option(help: "File of architectures, or - for standard input.")
  var architectures: String

  @Option(help: "Probability of the intervals.")
  var level: Double = 0.9

  @OptionGroup var output: FormatOption

  func validate() throws {
    guard level > 0, level < 1 else { throw ValidationError("--level must be above 0 and below 1, such as 0.9") }
  }

  func run() throws {
    let predictor = try accuracy.predictor()
    let rows = try ArchitectureReader.read(architectures).map(\.architecture)
    if output.format == .table {
      var table = TextTable([
        .init("id"), .init("parameters", right: true), .init("accuracy", right: true), .init("interval"),
      ])
      for row in rows {
        let estimate = predictor.predict(row, level: level)
        table.add([
          row.id, Humane.count(Double(row.parameterCount(.native).total)), Humane.digits(estimate.median),
          "\(Humane.digits(estimate.lower))–\(Humane.digits(estimate.upper))",
        ])
      }
      try Console.write(table.text)
    } else {
      try Console.write(rows.map { AccuracyRecord.record($0, predictor, level: level) }, format: output.format)
    }
    Console.say(predictor.caption)
  }
}
