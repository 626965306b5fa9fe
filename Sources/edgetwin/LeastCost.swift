import ArgumentParser
import CoSearch
import Foundation
import Workbench

struct LeastCost: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bound",
    abstract: "Say what no model of a space can be better than.",
    discussion: """
        edgetwin bound --devices rpi4-cpu --min-accuracy 78
        edgetwin bound --cost energy --min-parameters 60M

      For each device the least median cost of all models of the space that reach the accuracy and keep to the \
      parameters: the cheapest that was found, and a bound that none is below, by the twin. A bound is certain, and \
      not always near: with a least accuracy a tenth may lie between the two, at times half.
      """)

  @OptionGroup(title: "Where to look") var place: PlaceOptions

  enum Cost: String, CaseIterable, ExpressibleByArgument {
    case latency, energy
  }

  @Option(help: "What is to be least: latency or energy.")
  var cost = Cost.latency

  @Option(help: "Least predicted accuracy, in points such as 80.")
  var minAccuracy: Double?

  @Option(help: "Least parameters, such as 12M.", transform: Quantities.count)
  var minParameters: Double?

  @Option(help: "Most parameters, such as 60M.", transform: Quantities.count)
  var maxParameters: Double?

  @Option(help: "Share of the cost that may lie between it and the bound, above 0 and below 1.")
  var tolerance = 0.01

  @OptionGroup var output: FormatOption

  func validate() throws {
    guard tolerance > 0, tolerance < 1 else {
      throw ValidationError("--tolerance must be above 0 and below 1, such as 0.01")
    }
    if let minAccuracy, !(minAccuracy > 0 && minAccuracy < 100) {
      throw ValidationError("--min-accuracy must be above 0 and below 100 points, such as 80")
    }
    if let minParameters, let maxParameters, minParameters > maxParameters {
      throw ValidationError("--min-parameters is above --max-parameters")
    }
  }

  func run() async throws {
    let library = DeviceLibrary.standard()
    var problem = Problem(devices: [])
    place.apply(to: &problem)
    if problem.devices.isEmpty { problem.devices = try PlaceOptions.standardDevices(library) }
    let setup = try SearchSetup(problem, document: nil, library: library, runtime: place.runtime)
    let certificates = try await CostCertificates(
      setup, latencyWeight: cost == .latency ? 1 : 0, energyWeight: cost == .energy ? 1 : 0, minAccuracy: minAccuracy,
      minParameters: minParameters, maxParameters: maxParameters, tolerance: tolerance,
      threads: max(ProcessInfo.processInfo.activeProcessorCount, 1))
    if output.format == .table {
      try Console.write(certificates.table)
    } else {
      try Console.write(certificates.records, format: output.format)
    }
    for caption in setup.captions(setup.twins.indices) { Console.say(caption) }
    if certificates.areAllEmpty {
      Console.complain("no model of the space is allowed on any device")
      throw ExitCode(1)
    }
  }
}
