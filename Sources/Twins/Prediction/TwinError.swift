/// Why a twin cannot be had, or cannot predict.
public enum TwinError: Error, Sendable, CustomStringConvertible, Equatable {
  case unknownDevice(String, known: [String])
  case unknownRuntime(String, device: String, known: [String])
  case setting(String, value: Int, range: ClosedRange<Int>)
  case precision(Precision, device: String, known: [Precision])
  case override(String, problem: String)
  case doesNotFit(architecture: String, device: String, neededBytes: Double, availableBytes: Double)

  public var description: String {
    switch self {
    case .unknownDevice(let id, let known):
      "no device \"\(id)\": known are \(known.joined(separator: ", ")), or give the path of a device file, with a slash or .yaml in it"
    case .unknownRuntime(let runtime, let device, let known):
      "\(device) has no runtime \"\(runtime)\": its file names \(known.joined(separator: ", "))"
    case .setting(let name, let value, let range):
      "\(name) \(value) is outside of \(range.lowerBound) to \(range.upperBound)"
    case .precision(let precision, let device, let known):
      "\(device) does not compute in \(precision.rawValue): its file has rates for"
        + " \(known.map(\.rawValue).joined(separator: ", "))"
    case .override(let path, let problem): "--set \(path): \(problem)"
    case .doesNotFit(let architecture, let device, let needed, let available):
      "\(architecture) needs \(Self.megabytes(needed)) and \(device) has \(Self.megabytes(available)) for a model"
    }
  }

  private static func megabytes(_ bytes: Double) -> String { "\(Int((bytes / 1e6).rounded())) MB" }
}
