import ArgumentParser
import Foundation
import Workbench

@main
enum Main {
  static func main() async {
    // A reader that has had enough is met where it is written to, not by a signal.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try EdgeTwin.parseAsRoot(joiningNegatives(CommandLine.arguments.dropFirst()))
      do {
        if var command = command as? any AsyncParsableCommand {
          try await command.run()
        } else {
          try command.run()
        }
      } catch {
        Failure.end(error)
      }
    } catch {
      EdgeTwin.exit(withError: error)
    }
  }

  /// `--max-latency -20ms` as `--max-latency=-20ms`: else the parser takes the number for a flag, and says that a value is missing
  /// instead of what is wrong with it.
  private static func joiningNegatives(_ arguments: some Sequence<String>) -> [String] {
    var result: [String] = []
    for argument in arguments {
      let isNegative = argument.first == "-" && argument.dropFirst().first.map { $0.isNumber || $0 == "." } == true
      if isNegative, let option = result.last, option.hasPrefix("--"), option.count > 2, !option.contains("=") {
        result[result.count - 1] = "\(option)=\(argument)"
      } else {
        result.append(argument)
      }
    }
    return result
  }
}

struct EdgeTwin: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edgetwin",
    abstract: "A simulation-first digital twin for transformer inference on edge devices.",
    discussion: """
      Predicts what an encoder costs on a device, finds the best pairs of both within budgets, and learns from \
      measurements.

        edgetwin run
        edgetwin devices
        edgetwin sample --count 5 --seed 1 > a.jsonl
        edgetwin predict --device rpi4-cpu --architectures a.jsonl
        edgetwin explore --max-latency 20ms --max-energy 0.2J

      Results go to standard output, everything else to standard error; - names either as a file. Exit status: 0 \
      success, 64 wrong usage, 65 bad input data, 1 any other failure, 130 stopped by ctrl-C.

      Completion for your shell:
        edgetwin --generate-completion-script bash
      """,
    version: Workbench.Program.version,
    subcommands: [
      Run.self, Explore.self, LeastCost.self, StudyCommand.self, Reproduce.self, Evaluate.self, Predict.self,
      Explain.self, Devices.self, Import.self, Calibrate.self, Suggest.self, Space.self, Sample.self, Measure.self,
      Confirm.self, Trace.self, Init.self, Export.self, Infer.self, TokenizerCommand.self, Pretrain.self,
      Finetune.self, Score.self, Refine.self, AccuracyCommand.self, WordNetCommand.self, Runtime.self,
    ])
}
