import ArgumentParser

@main
struct EdgeTwin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "edgetwin",
    abstract: "A simulation-first digital twin for transformer inference on edge devices.")
}
