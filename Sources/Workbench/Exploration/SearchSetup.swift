import Accuracy
import Architectures
import CoSearch
import Foundation
import Twins

/// A problem with everything that it names found and made ready.
public struct SearchSetup: Sendable {
  public let problem: Problem
  public let space: DesignSpace
  /// One a device of the problem, in its order.
  public let twins: [Twin]
  public let evaluator: CandidateEvaluator
  public var predictor: AccuracyPredictor { evaluator.predictor }

  /// - Parameters:
  ///   - file: path of the problem's file, for messages and for relative paths; nil where it was put together from flags.
  ///   - runtime: nil takes each device's default.
  ///   - level: of the intervals.
  /// - Throws: what reading the space and the devices throws, `TwinError`, `SearchError`, or `NumericsError`.
  public init(
    _ problem: Problem, file: String?, library: DeviceLibrary, runtime: String? = nil, level: Double = 0.9
  ) throws {
    let folder = file.flatMap { $0 == "-" ? nil : URL(filePath: $0).deletingLastPathComponent() }
    let space = try problem.designSpace(relativeTo: folder)
    var twins: [Twin] = []
    for (index, name) in problem.devices.enumerated() {
      do {
        let entry = try library.entry(name, relativeTo: folder)
        let request = PredictionRequest(
          file: entry.file, runtime: runtime, batchSize: problem.batchSize, sequenceLength: problem.sequenceLength,
          precision: problem.precision, includesStartup: problem.includesStartup)
        twins.append(try request.twin())
      } catch let error as TwinError {
        guard let file else { throw error }
        throw YAMLFileError(file: file, field: "devices.\(index)", problem: "\(error)")
      }
    }
    self.problem = problem
    self.space = space
    self.twins = twins
    let costings = zip(twins, problem.devices).map { twin, name in
      TwinCosting(CompiledTwin(twin, space: space, level: level), deviceID: name, space: space)
    }
    evaluator = try CandidateEvaluator(
      problem: problem, space: space, devices: costings, accuracy: .fitted(), intervalLevel: level)
  }

  /// Reads a problem's file; `-` is standard input.
  /// - Throws: `InputFileError` or `YAMLFileError`.
  public static func problem(file: String) throws -> Problem {
    let bytes = try InputBytes.read(file)
    var problem = try Problem.decode(String(decoding: bytes, as: UTF8.self), name: InputBytes.name(of: file))
    // Flags may replace other parts of the problem; its space stays where it is.
    if problem.space != Problem(devices: []).space, !problem.space.hasPrefix("/"), file != "-" {
      problem.space = URL(filePath: file).deletingLastPathComponent().appending(path: problem.space).path
    }
    return problem
  }

  /// The device that a line names, by the problem's name for it or by its id; nil where there is none.
  public func deviceIndex(_ name: String) -> Int? {
    problem.devices.firstIndex(of: name) ?? twins.firstIndex { $0.device.id == name }
  }
}
