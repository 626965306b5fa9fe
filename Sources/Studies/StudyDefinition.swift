import Architectures
import CoSearch

/// What a study is about, with everything that it needs to go on elsewhere and later: the space and the device files are in it.
public struct StudyDefinition: Sendable, Hashable {
  /// A device of the problem.
  public struct Device: Sendable, Hashable {
    /// As the problem names it.
    public var name: String
    public var runtime: String
    /// The text of its file, as it was when the study was made.
    public var file: String

    public init(name: String, runtime: String, file: String) {
      self.name = name
      self.runtime = runtime
      self.file = file
    }
  }

  public var problem: Problem
  public var space: DesignSpace
  /// In the problem's order.
  public var devices: [Device]
  public var seed: UInt64
  /// What proposes trials.
  public var sampler: String
  /// Probability of the intervals.
  public var level: Double
  /// The program that made the study, with its version.
  public var program: String

  public init(
    problem: Problem, space: DesignSpace, devices: [Device], seed: UInt64, sampler: String, level: Double = 0.9,
    program: String
  ) {
    self.problem = problem
    self.space = space
    self.devices = devices
    self.seed = seed
    self.sampler = sampler
    self.level = level
    self.program = program
  }
}
