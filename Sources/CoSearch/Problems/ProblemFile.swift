import Twins

/// The form of a problem's file; it checks what it decodes, so that errors carry the place.
struct ProblemFile: Codable {
  struct ObjectiveEntry: Codable {
    var name: String
    var direction: String
  }

  var schema: String
  var space: String
  var devices: [String]
  var batchSize: Int?
  var sequenceLength: Int?
  var precision: String?
  var includesStartup: Bool?
  var objectives: [ObjectiveEntry]
  var budgets: Budgets?
  var confidence: Double?
  var referencePoint: ObjectiveValues?
  var scalar: Scalarisation?
  var accuracy: String?

  enum CodingKeys: String, CodingKey {
    case schema, space, devices
    case batchSize = "batch_size"
    case sequenceLength = "sequence_length"
    case precision
    case includesStartup = "includes_startup"
    case objectives, budgets, confidence
    case referencePoint = "reference_point"
    case scalar, accuracy
  }

  init(_ problem: Problem) {
    schema = "\(Problem.schema.family)/\(Problem.schema.version)"
    space = problem.space
    devices = problem.devices
    batchSize = problem.batchSize
    sequenceLength = problem.sequenceLength
    precision = problem.precision?.rawValue
    includesStartup = problem.includesStartup ? true : nil
    objectives = problem.objectives.map { ObjectiveEntry(name: $0.rawValue, direction: $0.direction.rawValue) }
    budgets = problem.budgets == Budgets() ? nil : problem.budgets
    confidence = problem.confidence
    referencePoint = problem.referencePoint == ObjectiveValues() ? nil : problem.referencePoint
    scalar = problem.scalar
    accuracy = problem.accuracy == .published ? nil : problem.accuracy.text
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    schema = try container.decode(String.self, forKey: .schema)
    space = try container.decode(String.self, forKey: .space)
    devices = try container.decode([String].self, forKey: .devices)
    batchSize = try container.decodeIfPresent(Int.self, forKey: .batchSize)
    sequenceLength = try container.decodeIfPresent(Int.self, forKey: .sequenceLength)
    precision = try container.decodeIfPresent(String.self, forKey: .precision)
    includesStartup = try container.decodeIfPresent(Bool.self, forKey: .includesStartup)
    objectives = try container.decode([ObjectiveEntry].self, forKey: .objectives)
    budgets = try container.decodeIfPresent(Budgets.self, forKey: .budgets)
    confidence = try container.decodeIfPresent(Double.self, forKey: .confidence)
    referencePoint = try container.decodeIfPresent(ObjectiveValues.self, forKey: .referencePoint)
    scalar = try container.decodeIfPresent(Scalarisation.self, forKey: .scalar)
    accuracy = try container.decodeIfPresent(String.self, forKey: .accuracy)
    try check(container)
  }

  /// The problem of a checked file.
  var problem: Problem {
    Problem(
      space: space, devices: devices, batchSize: batchSize, sequenceLength: sequenceLength,
      precision: precision.flatMap(Precision.init(rawValue:)), includesStartup: includesStartup ?? false,
      objectives: objectives.compactMap { Objective(rawValue: $0.name) }, budgets: budgets ?? Budgets(),
      confidence: confidence ?? Problem.defaultConfidence, referencePoint: referencePoint ?? ObjectiveValues(),
      scalar: scalar, accuracy: accuracy.flatMap { AccuracySource($0) } ?? .published)
  }

  private func check(_ container: KeyedDecodingContainer<CodingKeys>) throws {
    if let accuracy, AccuracySource(accuracy) == nil {
      throw container.invalid(
        .accuracy, nil, "\"\(accuracy)\" is not published, measured, or measured=PATH with rows of accuracy measure")
    }
    if space.isEmpty { throw container.invalid(.space, nil, "must be flexibert2 or the path of a space's file") }
    try checkDevices(container)
    try checkSettings(container)
    try checkObjectives(container)
    try checkNumbers(container)
  }

  private func checkDevices(_ container: KeyedDecodingContainer<CodingKeys>) throws {
    if devices.isEmpty { throw container.invalid(.devices, nil, "name at least one device") }
    for (index, device) in devices.enumerated() {
      if device.isEmpty { throw container.invalid(.devices, index: index, nil, "is empty") }
      if devices[..<index].contains(device) {
        throw container.invalid(.devices, index: index, nil, "\(device) is named twice")
      }
    }
  }

  private func checkSettings(_ container: KeyedDecodingContainer<CodingKeys>) throws {
    if let batchSize, !Settings.batchSizes.contains(batchSize) {
      throw container.invalid(
        .batchSize, nil,
        "\(batchSize) is not within \(Settings.batchSizes.lowerBound) to \(Settings.batchSizes.upperBound)")
    }
    if let sequenceLength, !Settings.sequenceLengths.contains(sequenceLength) {
      throw container.invalid(
        .sequenceLength, nil,
        "\(sequenceLength) is not within \(Settings.sequenceLengths.lowerBound) to \(Settings.sequenceLengths.upperBound)"
      )
    }
    if let precision, Precision(rawValue: precision) == nil {
      throw container.invalid(
        .precision, nil, "\"\(precision)\" is not one of \(Precision.allCases.map(\.rawValue).joined(separator: ", "))")
    }
  }

  private func checkObjectives(_ container: KeyedDecodingContainer<CodingKeys>) throws {
    if objectives.isEmpty { throw container.invalid(.objectives, nil, "name at least one objective") }
    var seen: Set<Objective> = []
    for (index, entry) in objectives.enumerated() {
      guard let objective = Objective(rawValue: entry.name) else {
        let known = Objective.allCases.map(\.rawValue).joined(separator: ", ")
        throw container.invalid(.objectives, index: index, "name", "\"\(entry.name)\" is not one of \(known)")
      }
      guard seen.insert(objective).inserted else {
        throw container.invalid(.objectives, index: index, "name", "\(entry.name) is named twice")
      }
      let direction =
        ["min": "minimize", "max": "maximize"][entry.direction] ?? entry.direction.replacing("ise", with: "ize")
      guard let direction = Objective.Direction(rawValue: direction) else {
        throw container.invalid(
          .objectives, index: index, "direction", "\"\(entry.direction)\" is not maximize or minimize")
      }
      guard direction == objective.direction else {
        throw container.invalid(
          .objectives, index: index, "direction", "\(entry.name) can only be \(objective.direction.rawValue)d")
      }
    }
  }

  private func checkNumbers(_ container: KeyedDecodingContainer<CodingKeys>) throws {
    for budget in Budget.allCases {
      guard let limit = budgets?[budget] else { continue }
      guard limit.isFinite, limit > 0 else {
        throw container.invalid(.budgets, budget.rawValue, "must be positive, not \(limit)")
      }
      if budget == .accuracy, limit >= 100 {
        throw container.invalid(.budgets, budget.rawValue, "is in points, which end at 100")
      }
    }
    if let confidence, !(confidence >= 0.5 && confidence < 1) {
      throw container.invalid(
        .confidence, nil, "is the probability that a budget is kept, from 0.5 (medians) to below 1, not \(confidence)")
    }
    for objective in Objective.allCases {
      guard let value = referencePoint?[objective] else { continue }
      guard value.isFinite, value >= 0, value > 0 || objective == .accuracy else {
        throw container.invalid(.referencePoint, objective.rawValue, "must be positive, not \(value)")
      }
      guard objectives.contains(where: { $0.name == objective.rawValue }) else {
        throw container.invalid(.referencePoint, objective.rawValue, "is not an objective of this problem")
      }
    }
  }
}
