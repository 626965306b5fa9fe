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
  /// Texts of the device files, likewise.
  let deviceTexts: [String]
  /// Rows that accuracies are learnt from; nil where they are published scores.
  let accuracyRows: String?
  public let evaluator: CandidateEvaluator
  public var predictor: AccuracyPredictor { evaluator.predictor }

  /// - Parameters:
  ///   - document: the problem's file, for messages and for relative paths; nil where it was put together from flags.
  ///   - runtime: nil takes each device's default.
  ///   - level: of the intervals.
  /// - Throws: what reading the space and the devices throws, `TwinError`, `SearchError`, or `NumericsError`.
  public init(
    _ problem: Problem, document: ProblemDocument?, library: DeviceLibrary, runtime: String? = nil, level: Double = 0.9
  ) throws {
    let folder = document?.folder
    let space = try problem.designSpace(relativeTo: nil)
    var twins: [Twin] = []
    var texts: [String] = []
    for (index, name) in problem.devices.enumerated() {
      do {
        let entry = try library.entry(name, relativeTo: folder)
        twins.append(try Self.twin(entry.file, runtime: runtime, problem))
        texts.append(try YAMLFile.read(entry.path))
      } catch let error as TwinError {
        guard let document else { throw error }
        throw document.error("devices.\(index)", "\(error)")
      }
    }
    let rows = try problem.accuracy.rows()
    try self.init(
      problem, space: space, twins: twins, deviceTexts: texts, level: level, accuracyRows: rows?.text,
      predictor: rows.map {
        try AccuracyPredictor.fitted(on: AccuracyRow.read(text: $0.text, source: $0.source), source: $0.source)
      })
  }

  /// - Parameters:
  ///   - devices: the twins as a search sees them; nil compiles them.
  ///   - accuracyRows: what the predictor was fitted on, where that is not published scores.
  ///   - predictor: nil fits it to published scores.
  init(
    _ problem: Problem, space: DesignSpace, twins: [Twin], deviceTexts: [String], level: Double,
    devices: [any CandidateCosting]? = nil, accuracyRows: String? = nil, predictor: AccuracyPredictor? = nil
  ) throws {
    self.problem = problem
    self.space = space
    self.twins = twins
    self.deviceTexts = deviceTexts
    self.accuracyRows = accuracyRows
    let costings =
      devices
      ?? zip(twins, problem.devices).map { twin, name in
        TwinCosting(CompiledTwin(twin, space: space, level: level), deviceID: name, space: space)
      }
    evaluator = try CandidateEvaluator(
      problem: problem, space: space, devices: costings, accuracy: predictor ?? .fitted(), intervalLevel: level)
  }

  static func twin(
    _ file: DeviceFile, runtime: String?, _ problem: Problem, overrides: [Override] = []
  ) throws(TwinError) -> Twin {
    try PredictionRequest(
      file: file, runtime: runtime, batchSize: problem.batchSize, sequenceLength: problem.sequenceLength,
      precision: problem.precision, includesStartup: problem.includesStartup, overrides: overrides
    ).twin()
  }

  /// The device that a line names, by the problem's name for it or by its id; nil where there is none.
  public func deviceIndex(_ name: String) -> Int? {
    problem.devices.firstIndex(of: name) ?? twins.firstIndex { $0.device.id == name }
  }
}

/// A problem as its file has it, with the text, so that what is found wrong later can be placed.
public struct ProblemDocument: Sendable {
  /// The path, or `-`.
  public let path: String
  public let problem: Problem
  private let text: String

  /// Reads a problem's file; `-` is standard input.
  /// - Throws: `YAMLFileError`.
  public init(file path: String) throws {
    self.path = path
    text = try YAMLFile.read(path)
    var problem = try Problem.decode(text, name: InputBytes.name(of: path))
    // From here on relative to the working folder, as flags are, which may replace parts of the problem.
    if problem.space != Problem(devices: []).space, !problem.space.hasPrefix("/"), path != "-" {
      problem.space = ((path as NSString).deletingLastPathComponent as NSString).appendingPathComponent(problem.space)
    }
    if path != "-" { problem.accuracy = problem.accuracy.relative(to: (path as NSString).deletingLastPathComponent) }
    self.problem = problem
  }

  /// What its relative paths are relative to; nil is the working folder.
  var folder: URL? { path == "-" ? nil : URL(filePath: path).deletingLastPathComponent() }

  func error(_ field: String, _ problem: String) -> YAMLFileError {
    YAMLFileError(
      file: InputBytes.name(of: path), line: YAMLFile.line(of: field, in: text), field: field, problem: problem)
  }
}
