import Architectures
import CoSearch
import Foundation
import Studies

/// A study's contents as rows and text.
public enum StudyRecord {
  /// A trial as a row: what was asked and what was told.
  public static func record(_ trial: Trial, of study: Study, withArchitecture: Bool = true) -> Record {
    let definition = study.definition
    let architecture = definition.space.architecture(of: trial.point)
    var record = Record()
    record.add("trial", .whole(trial.number))
    record.add("state", .text(trial.state.name))
    record.add("device", .text(definition.devices[trial.device].name))
    record.add("architecture_id", .text(architecture.id))
    if trial.state == .complete {
      record.add("values", .object(values(trial.values)))
      record.add("scalar", FieldValue(trial.scalar))
      record.add("feasible", FieldValue(trial.isFeasible))
      record.add("violation", FieldValue(trial.violation))
    } else {
      record.add("values", .null)
      record.add("scalar", .null)
      record.add("feasible", .null)
      record.add("violation", .null)
    }
    record.add("error", FieldValue(trial.error))
    record.add("embedding", .list(definition.space.embedding(of: trial.point).map(FieldValue.whole)))
    if definition.space.id != DesignSpace.flexibert2.id { record.add("space_id", .text(definition.space.id)) }
    if withArchitecture { record.add("architecture", .object(ArchitectureRecord.record(architecture))) }
    return record
  }

  /// A trial for export: with its architecture in JSON, without the nested form in CSV, whose embedding says the same.
  public static func row(_ trial: Trial, of study: Study, format: String) -> Record {
    guard format == "csv" else { return record(trial, of: study) }
    var record = self.record(trial, of: study, withArchitecture: false)
    // Every row has the same columns.
    var values = Record()
    for objective in Objective.allCases { values.add(objective.rawValue, FieldValue(trial.values[objective])) }
    if let index = record.fields.firstIndex(where: { $0.name == "values" }) {
      record.fields[index].value = .object(values)
    }
    return record
  }

  /// A trial as `study ask` hands it out.
  public static func question(_ trial: Trial, of study: Study) -> Record {
    let definition = study.definition
    var record = Record()
    record.add("trial", .whole(trial.number))
    record.add(
      "architecture", .object(ArchitectureRecord.record(definition.space.architecture(of: trial.point))))
    record.add("embedding", .list(definition.space.embedding(of: trial.point).map(FieldValue.whole)))
    record.add("device", .text(definition.devices[trial.device].name))
    if definition.space.id != DesignSpace.flexibert2.id { record.add("space_id", .text(definition.space.id)) }
    return record
  }

  static func values(_ values: ObjectiveValues) -> Record {
    var record = Record()
    for objective in Objective.allCases {
      guard let value = values[objective] else { continue }
      record.add(objective.rawValue, objective == .parameters ? whole(value) : .number(value))
    }
    return record
  }

  private static func whole(_ value: Double) -> FieldValue {
    Int(exactly: value).map(FieldValue.whole) ?? .number(value)
  }

  public static let schema = "edgetwin.study/1"

  /// The whole study in one object; trials are counted, not listed.
  public static func summary(_ study: Study) throws -> Record {
    let definition = study.definition
    let counts = try study.counts()
    var record = Record()
    record.add("schema", .text(schema))
    record.add("file", .text(study.path))
    record.add("created_at", .text(study.createdAt))
    record.add("program", .text(definition.program))
    record.add("seed", FieldValue(Int(exactly: definition.seed)))
    record.add("sampler", .text(definition.sampler))
    record.add("space_id", .text(definition.space.id))
    record.add("devices", FieldValue(definition.devices.map(\.name)))
    record.add("objectives", FieldValue(definition.problem.objectives.map(\.rawValue)))
    record.add("problem", .text(try definition.problem.encoded()))
    record.add("trials", .whole(counts.trials))
    record.add("running", .whole(counts.running))
    record.add("complete", .whole(counts.complete))
    record.add("failed", .whole(counts.failed))
    record.add("feasible", .whole(counts.feasible))
    record.add("measurements", .whole(counts.measurements))
    record.add(
      "searches",
      .list(
        try study.searches().map { search in
          var record = Record()
          record.add("part", .text(search.part))
          record.add("evaluations", .whole(search.evaluations))
          return .object(record)
        }))
    record.add("best", try study.best().map { .object(self.record($0, of: study)) } ?? .null)
    record.add("front", .list(try study.front().map { .object(self.record($0, of: study, withArchitecture: false)) }))
    for kind in [StudyDocument.Kind.finalist, .confirmation, .refinement] {
      record.add(
        "\(kind.rawValue)s", .list(try study.documents(kind).map { try self.document($0, path: study.path) }))
    }
    record.add(
      "sessions",
      .list(
        try study.sessions().map { session in
          var record = Record()
          record.add("command", .text(session.command))
          record.add("program", .text(session.program))
          record.add("started_at", .text(session.startedAt))
          record.add("ended_at", FieldValue(session.endedAt))
          record.add("outcome", FieldValue(session.outcome))
          return .object(record)
        }))
    return record
  }

  private static func document(_ document: StudyDocument, path: String) throws -> FieldValue {
    let value = try JSONParser.document(
      Array(document.json.utf8), source: "\(path), \(document.kind.rawValue) \(document.name) \(document.part)")
    var record = Record()
    record.add("schema", .text(document.schema))
    record.add("name", .text(document.name))
    record.add("part", .whole(document.part))
    record.add("content", FieldValue(value))
    return .object(record)
  }

  // MARK: For people

  /// What the study is about, how far it is, and its front.
  public static func text(_ study: Study, rows: Int = 20) throws -> String {
    let definition = study.definition
    let problem = definition.problem
    let counts = try study.counts()
    var text =
      "\(study.path), made \(study.createdAt) by \(definition.program): seed \(definition.seed), sampler"
      + " \(definition.sampler)\n"
    text +=
      "\(problem.objectives.map { "\($0.direction == .maximize ? "most" : "least") \($0.rawValue)" }.joined(separator: ", "))"
      + " over \(SpaceSummary(definition.space).roundedCardinality) architectures on"
      + " \(definition.devices.map(\.name).joined(separator: ", "))\n"
    let limits = Budget.allCases.compactMap { budget in
      problem.budgets[budget].map { "\(budget.rawValue) \(Humane.plain($0))" }
    }
    if !limits.isEmpty {
      text += "budgets \(limits.joined(separator: ", ")), each kept with a probability of \(problem.confidence)\n"
    }
    text +=
      "\(counts.trials) trials: \(counts.complete) complete (\(counts.feasible) feasible), \(counts.failed) failed,"
      + " \(counts.running) handed out; \(counts.measurements) measurements\n"
    for search in try study.searches() {
      text += "search \(search.part): \(Humane.count(Double(search.evaluations))) candidates looked at\n"
    }
    let front = try study.front()
    guard !front.isEmpty else { return text }
    text += "\nThe front, \(front.count) trials" + (front.count > rows ? ", \(rows) of them" : "") + ":\n"
    text += table(thinned(front, to: rows), study)
    if let best = try study.best(), let scalar = best.scalar {
      text += "\nBest by the scalar: trial \(best.number) with \(Humane.digits(scalar))\n" + table([best], study)
    }
    return text
  }

  private static func table(_ trials: [Trial], _ study: Study) -> String {
    let definition = study.definition
    var table = TextTable(
      [.init("trial", right: true), .init("device")]
        + Objective.allCases.map { .init($0.title, right: true) } + [.init("architecture")])
    for trial in trials {
      table.add(
        ["\(trial.number)", definition.devices[trial.device].name]
          + Objective.allCases.map { objective in trial.values[objective].map(objective.shown) ?? "" }
          + [definition.space.architecture(of: trial.point).id])
    }
    return table.text
  }

  static func thinned<Element>(_ items: [Element], to count: Int) -> [Element] {
    guard items.count > count, count > 1 else { return items }
    return (0..<count).map { items[$0 * (items.count - 1) / (count - 1)] }
  }
}

extension Objective {
  /// The name that people read.
  var title: String {
    switch self {
    case .accuracy: "accuracy"
    case .latency: "latency"
    case .energy: "energy"
    case .peakPower: "peak power"
    case .parameters: "parameters"
    }
  }

  /// A value with its unit.
  func shown(_ value: Double) -> String {
    switch self {
    case .accuracy: Humane.digits(value)
    case .latency: Humane.seconds(value)
    case .energy: Humane.joules(value)
    case .peakPower: Humane.watts(value)
    case .parameters: Humane.count(value)
    }
  }
}

extension Humane {
  /// Without needless digits: `0.5`, `60000000`.
  static func plain(_ value: Double) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}
