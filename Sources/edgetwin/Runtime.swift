import ArgumentParser
import Boards
import Foundation

struct Runtime: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Set up other software to measure.",
    discussion: """
        edgetwin runtime install onnxruntime
        edgetwin runtime list
      """,
    subcommands: [Install.self, List.self])

  enum Name: String, ExpressibleByArgument, CaseIterable {
    case onnxruntime

    var environment: PythonEnvironment { ONNXRuntime.environment }
  }

  struct Install: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a Python environment of its own with the runtime in it.",
      discussion:
        "It is made below $XDG_DATA_HOME/edgetwin (~/.local/share/edgetwin); remove it by deleting the folder.")

    @Argument(help: "onnxruntime.")
    var name: Name

    @Option(help: "Python to make the environment with.")
    var python = "python3"

    func run() throws {
      try name.environment.install(python: python, say: Console.say)
      try Console.write("\(name.environment.folder)\n")
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say what is set up, and where.")

    func run() throws {
      try Console.write("native  built in\n")
      for name in Name.allCases {
        let environment = name.environment
        try Console.write("\(name.rawValue)  \(environment.isInstalled ? environment.python : "not set up")\n")
      }
    }
  }
}
