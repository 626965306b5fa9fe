import Architectures
import Studies

/// The last part of a main job: what was asked of it and how far it has come, kept in a study so that it goes on from there.
package struct MainJobPlan: Sendable, Hashable {
  /// What was asked, and the result depends on.
  package struct Request: Sendable, Hashable {
    package var task: String
    /// Paths of the tables; nil for rows that the task has of its own.
    package var train: String?
    package var dev: String?
    /// The configuration as a file, every field given.
    package var profile: String
    package var speedUp: Double
    package var refinementSeconds: Double
    package var trainingSteps: Int?

    package init(
      task: String, train: String?, dev: String?, profile: String, speedUp: Double, refinementSeconds: Double,
      trainingSteps: Int?
    ) {
      self.task = task
      self.train = train
      self.dev = dev
      self.profile = profile
      self.speedUp = speedUp
      self.refinementSeconds = refinementSeconds
      self.trainingSteps = trainingSteps
    }

    /// The flag of the first thing that another request asks differently.
    package func difference(from other: Request) -> String? {
      if task != other.task { return "--task" }
      if train != other.train { return "--train" }
      if dev != other.dev { return "--dev" }
      if profile != other.profile { return "--profile" }
      if speedUp != other.speedUp { return "--speed-up" }
      if refinementSeconds != other.refinementSeconds { return "--refinement-time" }
      return trainingSteps != other.trainingSteps ? "--training-steps" : nil
    }
  }

  /// How far it has come.
  package struct Progress: Sendable, Hashable {
    /// In whose manner the root is: a search that goes on may have others by now.
    package var finalist: Architecture
    /// Steps that the root is trained for, once the time of one is known.
    package var rootSteps: Int?
    package var isRootTrained = false
    /// Share of the profile's steps that is trained, once the time of one is known.
    package var stepShare: Double?
    /// Budgets that pruning could not reach: a looser one each.
    package var unreachableBudgets = 0
    /// Time that refining has taken.
    package var refiningSeconds = 0.0

    package init(finalist: Architecture) {
      self.finalist = finalist
    }
  }

  /// Where root and refinement are.
  package var folder: String
  package var request: Request
  /// A hash of all rows: files may change.
  package var dataHash: String
  package var progress: Progress

  package init(folder: String, request: Request, dataHash: String, progress: Progress) {
    self.folder = folder
    self.request = request
    self.dataHash = dataHash
    self.progress = progress
  }
}

extension MainJobPlan {
  static let schema = "edgetwin.main_job_plan/1"
  private static let name = "run"

  /// The plan that a study keeps, or nil.
  /// - Throws: `StudyError`, or `InputFileError` where it cannot be read.
  package init?(_ study: Study) throws {
    guard let document = try study.documents(.plan, name: Self.name).first else { return nil }
    let source = "\(study.path), plan"
    let fields = try FieldReader(JSONParser.document([UInt8](document.json.utf8), source: source), source: source)
    try fields.checkSchema(Self.schema)
    let seconds = 0...1e12
    let counts = 0...1_000_000_000
    folder = try fields.string("folder")
    dataHash = try fields.string("data")
    request = Request(
      task: try fields.string("task"), train: try fields.optionalString("train"), dev: try fields.optionalString("dev"),
      profile: try fields.string("profile"), speedUp: try fields.optionalNumber("speed_up", in: seconds) ?? 1,
      refinementSeconds: try fields.optionalNumber("refinement_time_s", in: seconds) ?? 0,
      trainingSteps: try fields.optionalInteger("training_steps", in: counts))
    progress = Progress(
      finalist: try ArchitectureReader.architecture(fields.required("finalist"), source: source))
    progress.rootSteps = try fields.optionalInteger("root_steps", in: counts)
    progress.isRootTrained = try fields.optionalBoolean("root_is_trained") ?? false
    progress.stepShare = try fields.optionalNumber("profile_step_share", in: seconds)
    progress.unreachableBudgets = try fields.integer("unreachable_budgets", in: counts)
    progress.refiningSeconds = try fields.optionalNumber("refinement_s", in: seconds) ?? 0
  }

  private var record: Record {
    var record = Record()
    record.add("schema", .text(Self.schema))
    record.add("folder", .text(folder))
    record.add("task", .text(request.task))
    record.add("train", FieldValue(request.train))
    record.add("dev", FieldValue(request.dev))
    record.add("data", .text(dataHash))
    record.add("profile", .text(request.profile))
    record.add("speed_up", .number(request.speedUp))
    record.add("refinement_time_s", .number(request.refinementSeconds))
    record.add("training_steps", FieldValue(request.trainingSteps))
    record.add("finalist", .object(ArchitectureRecord.record(progress.finalist)))
    record.add("root_steps", FieldValue(progress.rootSteps))
    record.add("root_is_trained", .flag(progress.isRootTrained))
    record.add("profile_step_share", FieldValue(progress.stepShare))
    record.add("unreachable_budgets", .whole(progress.unreachableBudgets))
    record.add("refinement_s", .number(progress.refiningSeconds))
    return record
  }

  /// Puts it in the place of the study's plan.
  package func keep(in study: Study) throws {
    try study.keep([
      StudyDocument(kind: .plan, name: Self.name, part: 0, schema: Self.schema, json: record.json)
    ])
  }
}
