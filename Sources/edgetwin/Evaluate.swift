import Architectures
import ArgumentParser
import Foundation
import Workbench

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Answer a search of your own: a candidate a line in, its values a line out.",
    discussion: """
        edgetwin evaluate --problem problem.yaml < candidates.jsonl

      Reads {"id","architecture" or "embedding","device"}; for each line at once prints {"id","values","scalar",\
      "feasible","error"}, in order. What is wrong with a line, also a blank one, is in its error; other fields are \
      handed through.
      """)

  @Option(help: "File of a problem (YAML).")
  var problem: String

  @Option(help: "Runtime of every device; by default each device's own.")
  var runtime: String?

  func validate() throws {
    if problem == "-" { throw ValidationError("--problem cannot be -: standard input holds the candidates") }
  }

  func run() throws {
    let document = try ProblemDocument(file: problem)
    let setup = try SearchSetup(document.problem, document: document, library: .standard(), runtime: runtime)
    let evaluation = LineEvaluation(setup)
    var number = 0
    while var line = readLine(strippingNewline: true) {
      number += 1
      if number == 1, line.first == "\u{FEFF}" { line.removeFirst() }
      try Console.write(evaluation.answer(line, number: number).json + "\n")
    }
    Console.say(setup.predictor.caption)
  }
}
