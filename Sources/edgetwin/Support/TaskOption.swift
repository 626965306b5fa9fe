import ArgumentParser
import Training

/// A task by its name, and where its rows come from.
struct TaskOption: ParsableArguments {
  enum Part {
    case train
    case dev
  }

  @Option(help: "The task, such as sst2.", transform: Self.task)
  var task: TextTask

  static func task(_ text: String) throws -> TextTask {
    guard let task = TextTask.named(text) else {
      let known = TextTask.all.map(\.id).joined(separator: ", ")
      throw ValidationError("\"\(text)\" is no task; take one of \(known)")
    }
    return task
  }

  func rows(_ path: String?, of part: Part, flag: String) throws -> TaskData {
    try Self.rows(task, path, of: part, flag: flag)
  }

  /// Rows of a file, or of WordNet where there is none.
  static func rows(_ task: TextTask, _ path: String?, of part: Part, flag: String) throws -> TaskData {
    if let path {
      let data = try TaskData.read(path, task: task)
      if data.brokenLineCount > 0 {
        Console.say("\(path): \(data.brokenLineCount) lines that end too soon are left out")
      }
      return data
    }
    guard task == .wordnet else { throw UsageError("give \(flag), a file with the rows of \(task.name)") }
    let contents = try WordNet.read()
    return TaskData(
      task: task, source: WordNet.standardFolder, rows: part == .train ? contents.train : contents.dev)
  }
}
