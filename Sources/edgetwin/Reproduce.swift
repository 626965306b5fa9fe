import ArgumentParser
import Foundation
import Workbench

struct Reproduce: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "The published claims, line by line, beside what calibrated twins say is attainable.",
    discussion: """
        edgetwin reproduce
        EDGETWIN_DATA=data edgetwin reproduce --format json

      With EDGETWIN_DATA the authors' records (edgetran/*.json) are read, and the published objective is searched with \
      surrogates refitted to them; without it the records that are built in are printed.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  @Option(help: "Candidates of each of the some thirty searches.")
  var evaluations = 60_000

  @Option(help: "Seed of the searches.")
  var seed: UInt64 = 1

  @Option(help: "Threads; by default one a core.")
  var threads: Int?

  @Option(help: "table (for people) or json (one object).")
  var format: Format = .table

  func validate() throws {
    guard (100...100_000_000).contains(evaluations) else {
      throw ValidationError("--evaluations must be from 100 to 100000000")
    }
    if let threads, !(1...1_024).contains(threads) { throw ValidationError("--threads must be from 1 to 1024") }
  }

  func run() async throws {
    // The variable may name a folder that has other data only.
    let folder = ProcessInfo.processInfo.environment["EDGETWIN_DATA"].flatMap { folder in
      let records = URL(filePath: folder).appending(path: "edgetran").path
      return !folder.isEmpty && FileManager.default.fileExists(atPath: records) ? folder : nil
    }
    let (evaluations, seed) = (evaluations, seed)
    let threadCount = threads ?? max(ProcessInfo.processInfo.activeProcessorCount, 1)
    let result = try await Reproduction(
      library: .standard(), dataFolder: folder, evaluations: evaluations, seed: seed, threads: threadCount
    ) { Console.progress($0) }
    Console.endProgress()
    switch format {
    case .table: try Console.write(result.text)
    case .json: try Console.write(result.record.json + "\n")
    }
  }
}
