import Architectures
import ArgumentParser
import Boards
import Foundation
import Measurements
import Twins
import Workbench

struct Trace: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write the timeline of one inference, predicted and measured, for Perfetto or Chrome.",
    discussion: """
        edgetwin trace --device rpi4-cpu --architectures a.json --output t.json
        edgetwin trace --device this.yaml --architectures a.json \\
          --measured --output t.json

      Open the file in ui.perfetto.dev or chrome://tracing. Of a file of several architectures the first is taken.
      Measured power is the mean of many calls, by a meter of this machine where there is one.
      """)

  @OptionGroup var twin: TwinOptions

  @Option(
    name: [.customLong("architectures"), .customLong("architecture")],
    help: "File of an architecture, or - for standard input.")
  var architectures: String

  @Flag(help: "Also run it here with this project's kernels, and add what was measured.")
  var measured = false

  @OptionGroup var meterOption: MeterOption

  @Option(name: .shortAndLong, help: "File for the trace; - is standard output.")
  var output: String = "-"

  func run() async throws {
    try Console.checkFolder(of: output)
    let request = try twin.request()
    let model = try request.twin()
    let source = InputBytes.name(of: architectures)
    guard let row = try ArchitectureRow.read(architectures).first else {
      throw InputFileError(source: source, problem: "holds no architecture")
    }
    let architecture = try row.model(source: source)
    var document = TraceDocument()
    document.metadata.add("architecture", .text(architecture.id))
    document.metadata.add("device", .text(model.device.id))
    document.metadata.add("runtime", .text(model.runtime))
    document.metadata.add("batch_size", .whole(model.settings.batchSize))
    document.metadata.add("sequence_length", .whole(model.settings.sequenceLength))
    document.add(
      try PredictedTimeline(twin: model, architecture: architecture),
      name: "predicted: \(model.device.name), \(model.runtime)")
    if measured {
      try architecture.checkLength(model.settings.sequenceLength, source: source, line: row.line)
      let job = LocalJob(
        work: try LocalWork(model, runtime: .native), plan: MeasuringProtocol(repeats: 3), meter: meterOption.meter,
        profiles: 9)
      let report = try await Interrupt.cancelling { try await job.measure([architecture]) { _, _ in } }
      Console.endProgress()
      if let failure = report.failures.first { throw failure.error }
      if report.wasStopped { throw ExitCode(Failure.interrupted) }
      guard let (steps, row) = report.profiles[0] else { throw ExitCode(Failure.interrupted) }
      let watts = row.energyJoules.flatMap { joules in row.latencySeconds.map { joules / $0 } }
      document.metadata.add("power_meter", row.meter.map(FieldValue.text) ?? .null)
      if let watts { document.metadata.add("mean_power_w", .number(watts)) }
      if let peak = row.peakPowerWatts { document.metadata.add("peak_power_w", .number(peak)) }
      document.add(measured: steps, name: "measured: this machine, native", watts: watts)
    }
    try Console.write(document.json, to: output)
  }
}
