import Architectures

/// What an architecture reached with a budget of training: a row of `accuracy measure` (`edgetwin.accuracy/1`).
public struct AccuracyRow: Sendable, Hashable {
  public var architecture: Architecture
  public var seed: Int
  /// Of the optimiser, when it was judged, and in all.
  public var steps: Int
  public var totalSteps: Int
  /// Sequences of a step.
  public var batchSize: Int
  /// Tokens of the longest sequence.
  public var sequenceLength: Int
  /// Masked-LM loss in nats on lines that were held out.
  public var loss: Double
  /// What the model was trained for afterwards; nil for nothing.
  public var task: String?
  /// Mean of the task's metrics, at most 1.
  public var score: Double?
  /// What else results depend on, by name: corpus, learning rates, epochs …; empty where the row does not say.
  public var recipe: [String: String] = [:]

  public init(
    architecture: Architecture, seed: Int = 1, steps: Int, totalSteps: Int, batchSize: Int, sequenceLength: Int,
    loss: Double, task: String? = nil, score: Double? = nil, recipe: [String: String] = [:]
  ) {
    self.architecture = architecture
    self.seed = seed
    self.steps = steps
    self.totalSteps = totalSteps
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.loss = loss
    self.task = task
    self.score = score
    self.recipe = recipe
  }

  public static let schema = "edgetwin.accuracy/1"

  /// Reads rows, a line each.
  /// - Parameter path: `-` is standard input.
  /// - Throws: `InputFileError` naming the line and field at fault, also where there is no row.
  public static func read(_ path: String) throws -> [AccuracyRow] {
    try read(LineReader(path: path), source: InputBytes.name(of: path))
  }

  /// - Parameters:
  ///   - text: lines.
  ///   - source: how messages call them.
  public static func read(text: String, source: String) throws -> [AccuracyRow] {
    try read(LineReader(bytes: Array(text.utf8), source: source), source: source)
  }

  private static func read(_ lines: LineReader, source: String) throws -> [AccuracyRow] {
    var lines = lines
    var rows: [AccuracyRow] = []
    while let (number, bytes) = try lines.next() {
      rows.append(try AccuracyRow(JSONParser.document(bytes, source: source, line: number), source: source))
    }
    guard !rows.isEmpty else { throw InputFileError(source: source, problem: "has no rows") }
    return rows
  }

  private init(_ value: DocumentValue, source: String) throws {
    let fields = try FieldReader(value, source: source)
    try fields.checkSchema(Self.schema)
    architecture = try ArchitectureReader.architecture(value, source: source)
    let count = 1...1_000_000_000
    seed = try fields.integer("seed", in: 0...Int.max)
    steps = try fields.integer("steps", in: count)
    totalSteps = try fields.integer("total_steps", in: count)
    batchSize = try fields.integer("batch_size", in: count)
    sequenceLength = try fields.integer("sequence_length", in: count)
    loss = try fields.number(fields.required("loss"), field: "loss", in: 0...1e6)
    // A mean over no words says nothing.
    _ = try fields.optionalInteger("loss_items", in: 1...Int.max)
    if let value = fields["recipe"] {
      let members = try FieldReader(value, source: source, path: "recipe")
      for member in members.members { recipe[member.name] = try members.optionalString(member.name) }
    }
    task = try fields.optionalString("task")
    score = try fields.optionalNumber("score", in: -1...1)
    guard steps <= totalSteps else {
      throw fields.failure("steps", problem: "is \(steps), more than total_steps, \(totalSteps)")
    }
    guard (task == nil) == (score == nil) else {
      throw fields.failure(task == nil ? "task" : "score", problem: "is missing; a task and its score go together")
    }
  }
}
