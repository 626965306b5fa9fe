import Architectures
import Foundation
import Twins

/// What a search is asked: a space, devices, settings, objectives and budgets (`schema: edgetwin.problem/1`).
public struct Problem: Sendable, Hashable {
  /// `flexibert2`, or the path of a design space's file, relative to the problem's folder.
  public var space: String
  /// Ids of device files, or their paths.
  public var devices: [String]
  /// Sequences in one call; nil takes for each device what its twin was profiled with.
  public var batchSize: Int?
  /// Tokens; nil likewise.
  public var sequenceLength: Int?
  /// Number format; nil likewise.
  public var precision: Precision?
  /// Whether times hold a share of the process's start-up, as published ProTran figures do.
  public var includesStartup: Bool
  /// One to five, none twice.
  public var objectives: [Objective]
  public var budgets: Budgets
  /// Probability that each budget, taken alone, is kept: 0.5 compares medians, more takes the upper part of the twin's interval (and
  /// the lower of accuracy's). The default is 0.5, so that a budget reads as "predicted to take", and the intervals beside the answer say
  /// how sure that is. Budgets hold one by one, not jointly: the errors of a twin's measures are not independent.
  public var confidence: Double
  /// The worst values that count, for the hypervolume; each one that is missing is the budget, or is derived from the space.
  public var referencePoint: ObjectiveValues
  public var scalar: Scalarisation?
  /// What accuracies are predicted from.
  public var accuracy: AccuracySource

  public static let defaultConfidence = 0.5
  public static let schema = (family: "edgetwin.problem", version: 1)

  public init(
    space: String = "flexibert2", devices: [String], batchSize: Int? = nil, sequenceLength: Int? = nil,
    precision: Precision? = nil, includesStartup: Bool = false,
    objectives: [Objective] = [.accuracy, .latency, .energy], budgets: Budgets = Budgets(),
    confidence: Double = Problem.defaultConfidence, referencePoint: ObjectiveValues = ObjectiveValues(),
    scalar: Scalarisation? = nil, accuracy: AccuracySource = .published
  ) {
    self.space = space
    self.devices = devices
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.precision = precision
    self.includesStartup = includesStartup
    self.objectives = objectives
    self.budgets = budgets
    self.confidence = confidence
    self.referencePoint = referencePoint
    self.scalar = scalar
    self.accuracy = accuracy
  }

  /// Reads a problem from the text of its file.
  /// - Parameter name: what errors call the source: a path, or `-`.
  /// - Throws: `YAMLFileError`, which names the file, the line and the field.
  public static func decode(_ text: String, name: String) throws(YAMLFileError) -> Problem {
    try YAMLFile.decode(
      ProblemFile.self, from: text, name: name, schema: schema,
      // As the objective is called.
      synonyms: [("budgets", "max_peak_power_w", Budget.power.rawValue)]
    ).problem
  }

  /// The design space that the problem names.
  /// - Parameter folder: what a relative path is relative to: the folder of the problem's file; nil is the working folder.
  /// - Throws: `YAMLFileError` where the space's file cannot be read.
  public func designSpace(relativeTo folder: URL?) throws(YAMLFileError) -> DesignSpace {
    if space == "flexibert2" { return .flexibert2 }
    guard let folder, !space.hasPrefix("/") else { return try DesignSpace(path: space) }
    return try DesignSpace(path: folder.appending(path: space).path)
  }

  /// The text of the problem's file.
  public func encoded() throws -> String { try YAMLFile.encode(ProblemFile(self)) }

  /// Checks a problem that was put together in code or from flags.
  /// - Throws: ``SearchError/invalidProblem(field:problem:)``.
  public func validate() throws(SearchError) {
    do {
      _ = try Problem.decode(encoded(), name: "problem")
    } catch let error as YAMLFileError {
      throw .invalidProblem(field: error.field, problem: error.problem)
    } catch {
      throw .invalidProblem(field: "", problem: "\(error)")
    }
  }
}
