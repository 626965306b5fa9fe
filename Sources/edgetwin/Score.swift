import ArgumentParser
import Foundation
import Training
import Workbench

struct Score: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Judge a fine-tuned model by the rows of a task.",
    discussion: """
        edgetwin score --model sst2 --task sst2 --data SST-2/dev.tsv --format json
        edgetwin score --model a --task sst2 --data SST-2/dev.tsv --model b --task cola --data CoLA/dev.tsv

      Metrics are GLUE's official ones; the score of a task is their mean. Of several tasks there is a mean too, named with the \
      tasks that it covers.
      """)

  @Option(help: ArgumentHelp("Model folder; once for all tasks, or one a task.", valueName: "folder"))
  var model: [String]

  @Option(help: "The task, such as sst2; may be repeated.", transform: TaskOption.task)
  var task: [TextTask]

  @Option(help: ArgumentHelp("Rows with their labels; one file a task.", valueName: "tsv"))
  var data: [String] = []

  @Option(help: ArgumentHelp("Table of predictions to write, in the order of the rows; one a task.", valueName: "tsv"))
  var predictions: [String] = []

  @Option(help: "Threads that share the work.")
  var threads: Int = 1

  @OptionGroup var output: FormatOption

  func validate() throws {
    guard !task.isEmpty else { throw ValidationError("give --task") }
    guard model.count == 1 || model.count == task.count else {
      throw ValidationError("give --model once, or once a task")
    }
    guard data.count == task.count || data.isEmpty && task == [.wordnet] else {
      throw ValidationError("give --data once a task")
    }
    guard predictions.isEmpty || predictions.count == task.count else {
      throw ValidationError("give --predictions once a task, or not at all")
    }
    guard (1...256).contains(threads) else { throw ValidationError("--threads must be from 1 to 256") }
  }

  func run() throws {
    for path in predictions { try Console.checkFolder(of: path) }
    var scores: [TaskScore] = []
    for (index, task) in task.enumerated() {
      let rows = try TaskOption.rows(task, data.isEmpty ? nil : data[index], of: .dev, flag: "--data")
      let evaluation = try TaskEvaluation(folder: model.count == 1 ? model[0] : model[index], threads: threads)
      scores.append(try evaluation.score(rows))
    }
    for (path, score) in zip(predictions, scores) { try Console.write(score.predictionsTSV, to: path) }
    try Console.write(text(scores))
  }

  private func text(_ scores: [TaskScore]) -> String {
    let mean = scores.count > 1 ? ScoreMean(scores) : nil
    switch output.format {
    case .table:
      let lines = scores.map { $0.line + "\n" }.joined()
      return lines + (mean.map { "\($0.name): \(TaskScore.shown($0.value))\n" } ?? "")
    case .json:
      guard let mean else { return scores.map { $0.json + "\n" }.joined() }
      return "{\"tasks\":[\(scores.map(\.json).joined(separator: ","))],\"mean\":\(mean.json)}\n"
    case .jsonl: return scores.map { $0.json + "\n" }.joined()
    case .csv:
      let rows = scores.flatMap { score in
        score.metrics.map { "\(score.task.id),\(score.rows),\(score.loss),\($0.metric.rawValue),\($0.value)\n" }
      }
      return "task,rows,loss,metric,value\n" + rows.joined()
    }
  }
}
