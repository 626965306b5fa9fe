import Architectures
import ArgumentParser
import Foundation
import Workbench

struct Space: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a design space: its choices, and exactly how many architectures they make.",
    discussion: """
        edgetwin space show
        edgetwin space show my-space.yaml --format json
        edgetwin space show --format yaml > my-space.yaml
      """,
    subcommands: [SpaceShow.self], defaultSubcommand: SpaceShow.self)
}

struct SpaceShow: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show a design space: its choices, and exactly how many architectures they make.")

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, yaml
  }

  @Argument(help: ArgumentHelp("File of a design space (YAML); by default FlexiBERT 2.0.", valueName: "file"))
  var space: String?

  @Option(help: "table (for people), json, or yaml (the space's own file).")
  var format: Format = .table

  func run() throws {
    let space = try Sample.space(space)
    switch format {
    case .table: try Console.write(SpaceSummary(space).text)
    case .json: try Console.write(SpaceSummary(space).record.json + "\n")
    case .yaml: try Console.write(space.yaml)
    }
  }
}
