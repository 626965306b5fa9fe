import Architectures
import Boards
import Foundation
import Twins

/// The twin of this machine, kept between runs of the program.
public struct HostTwinCache: Sendable {
  public let path: String

  /// `edgetwin/host.yaml` in `XDG_DATA_HOME`, by default `~/.local/share`.
  public init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let named = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    let home = environment["HOME"] ?? NSHomeDirectory()
    path = (named ?? home + "/.local/share") + "/edgetwin/host.yaml"
  }

  /// The device file, if it is of this processor and calibrated; nil where there is none, or one of another machine.
  public func file(for state: MachineState = MachineState()) -> DeviceFile? {
    guard let file = try? DeviceFile(path: path), file.runtimes["native"]?.model?.fit != nil,
      file.device.host.core == HostFacts.core(state), file.device.cores?.value == Double(max(state.cores, 1))
    else { return nil }
    return file
  }

  /// - Throws: what writing the file throws.
  public func store(_ file: DeviceFile) throws {
    let folder = URL(filePath: path).deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try OutputFile.write(file.encodedYAML(), to: path)
  }
}
