import ArgumentParser
import Boards

/// Which power meter is read.
struct MeterOption: ParsableArguments, Sendable {
  @Option(help: "Power meter by its name, none, or auto: the one that sees most of the machine.")
  var meter = "auto"

  func validate() throws {
    guard meter != "none", meter != "auto" else { return }
    do { _ = try Meters.named(meter) } catch { throw ValidationError("--meter: \(error)") }
  }
}
