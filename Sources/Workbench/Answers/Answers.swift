import Architectures
import CoSearch
import Foundation
import Studies
import Twins

/// What people ask of a front: where it bends, what each budget costs, which choices matter, why this one, what if the device changes,
/// which device for a model and which model for a device, and how sure all that is.
public struct Answers: Sendable {
  /// What is looked at more closely.
  struct Choice: Sendable {
    var candidate: Candidate
    var architecture: Architecture
    /// Why it is looked at, such as `knee of latency`.
    var reasons: [String]
    /// What the study was told of it.
    var told: ObjectiveValues

    /// Whether the study was told otherwise than its twins predict: by measurements, or by another objective.
    var isToldOtherwise: Bool {
      Objective.allCases.contains { objective in
        guard let told = told[objective], let predicted = candidate.assessment.values[objective] else { return false }
        return abs(told - predicted) > 1e-3 * max(abs(told), abs(predicted))
      }
    }
  }

  let setup: SearchSetup
  let frontCount: Int
  let choices: [Choice]
  /// Whether the study's values are not those that its twins predict.
  let isToldOtherwise: Bool
  let exchanges: Exchanges
  let prices: BudgetPrices
  let importance: Importance
  /// Likewise on the first choice's device alone, where there are several.
  let importanceOnOne: (device: Int, importance: Importance)?
  let whatIf: WhatIf?
  let bestModels: [(device: Int, setup: SearchSetup, candidate: Candidate?)]
  /// Models that were asked about, else the first choice's.
  let models: [Architecture]

  private static let mostChoices = 5

  /// What to ask beside the standard.
  public struct Questions: Sendable {
    /// Which device is best for these.
    public var models: [Architecture]
    /// Ids of devices whose best model is wanted; nil takes all.
    public var devices: [String]?
    /// Changes of the first choice's device.
    public var changes: [String]?

    public init(models: [Architecture] = [], devices: [String]? = nil, changes: [String]? = nil) {
      self.models = models
      self.devices = devices
      self.changes = changes
    }
  }

  /// - Throws: what the study and the searches throw; `TwinError.unknownDevice` for a device that the study does not have.
  public init(_ study: Study, _ questions: Questions = Questions(), threads: Int) async throws {
    let setup = try SearchSetup(study)
    let trials = try study.front()
    let seed = study.definition.seed
    self.setup = setup
    frontCount = trials.count
    exchanges = Exchanges(objectives: setup.problem.objectives, trials.map(\.values))
    choices = Self.choices(trials, best: try study.best(), exchanges, setup)
    isToldOtherwise = choices.contains(where: \.isToldOtherwise)
    // What others say a model reaches is nothing that a search on the twins could find.
    prices = try await BudgetPrices(
      setup, known: isToldOtherwise ? nil : trials.compactMap(\.values.accuracy).max(), seed: seed, threads: threads)
    importance = Importance(setup.evaluator, seed: seed)
    // A device's speed explains most where there are several: what the model's choices do shows on one.
    importanceOnOne =
      if setup.twins.count > 1, let device = choices.first?.candidate.deviceIndex {
        (device, Importance(try setup.asking(setup.problem, devices: [device]).evaluator, seed: seed))
      } else {
        nil
      }
    if let first = choices.first {
      whatIf = try await WhatIf(
        first.architecture, device: first.candidate.deviceIndex, setup, overrides: questions.changes ?? WhatIf.standard,
        seed: seed, threads: threads)
    } else {
      whatIf = nil
    }
    let devices = try questions.devices?.map { name in
      guard let index = setup.deviceIndex(name) else {
        throw TwinError.unknownDevice(name, known: setup.problem.devices)
      }
      return index
    }
    bestModels = try await DeviceChoice.bestModels(
      setup, devices: devices ?? Array(setup.twins.indices), seed: seed, threads: threads)
    models = questions.models.isEmpty ? choices.prefix(1).map(\.architecture) : questions.models
  }

  /// The best by the scalar, the knees, and the best of each objective; each once.
  private static func choices(
    _ front: [Trial], best: Trial?, _ exchanges: Exchanges, _ setup: SearchSetup
  ) -> [Choice] {
    var found: [(trial: Trial, reason: String)] = []
    if let best { found.append((best, "best scalar")) }
    for knee in exchanges.knees { found.append((front[knee.step.index], "knee of \(knee.objective.title)")) }
    for objective in setup.problem.objectives {
      let valued = front.filter { $0.values[objective] != nil }
      let sign = objective.direction == .maximize ? -1.0 : 1
      if let trial = valued.min(by: { sign * ($0.values[objective] ?? 0) < sign * ($1.values[objective] ?? 0) }) {
        found.append((trial, objective == .accuracy ? "most accurate" : "least \(objective.title)"))
      }
    }
    var choices: [(number: Int, choice: Choice)] = []
    for (trial, reason) in found {
      if let index = choices.firstIndex(where: { $0.number == trial.number }) {
        choices[index].choice.reasons.append(reason)
      } else if choices.count < mostChoices,
        let candidate = setup.evaluator.candidate(of: trial.point, device: trial.device)
      {
        choices.append(
          (
            trial.number,
            Choice(
              candidate: candidate, architecture: setup.space.architecture(of: trial.point), reasons: [reason],
              told: trial.values)
          ))
      }
    }
    return choices.map(\.choice)
  }

  private var chances: [Chances] { choices.map { Chances($0.candidate, evaluator: setup.evaluator) } }
  private func letter(_ index: Int) -> String { String(UnicodeScalar(UInt8(ascii: "A") + UInt8(index % 26))) }
}

// MARK: For people

extension Answers {
  /// All answers, a paragraph each.
  public var text: String {
    var parts: [String] = []
    if choices.isEmpty {
      parts.append("The study has no feasible trial yet; what does not need one:\n")
    } else {
      parts.append(
        "Of a front of \(frontCount), looked at more closely:\n"
          + setup.table(
            choices.map(\.candidate),
            notes: choices.enumerated().map { "\(letter($0)): \($1.reasons.joined(separator: ", "))" }
          ))
      if isToldOtherwise { parts.append(told) }
      if !exchanges.text.isEmpty { parts.append("Along the front:\n" + exchanges.text) }
    }
    parts.append(prices.text)
    parts.append(importance.text)
    if let importanceOnOne {
      parts.append("On \(setup.problem.devices[importanceOnOne.device]) alone. " + importanceOnOne.importance.text)
    }
    parts.append(why)
    parts.append(sure)
    parts += models.map { DeviceChoice.text(of: $0, setup) }
    parts.append(modelTable)
    parts.append(whatIf?.text ?? "")
    parts.append(setup.captions(setup.twins.indices).map { $0 + "\n" }.joined())
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// What the study was told of the choices, where that is not what its twins say.
  private var told: String {
    var table = TextTable([.init("choice")] + setup.problem.objectives.map { .init("\($0.title), told", right: true) })
    for (index, choice) in choices.enumerated() {
      table.add([letter(index)] + setup.problem.objectives.map { one in choice.told[one].map(one.shown) ?? "" })
    }
    return
      "The study was told other values than its twins predict. The front is by what was told; the figures above, and all below"
      + " but those along the front, are the twins':\n" + table.text
  }

  /// Where time and energy go, of each choice.
  private var why: String {
    let lines = choices.enumerated().compactMap { index, choice -> String? in
      let twin = setup.twins[choice.candidate.deviceIndex]
      guard
        let explanation = try? Explanation(
          twin: twin, architecture: choice.architecture, level: setup.evaluator.accuracyLevel)
      else { return nil }
      return "\(letter(index)), \(choice.architecture.id) on \(twin.device.id):\n"
        + ExplanationText(explanation, twin: twin, architecture: choice.architecture).brief
    }
    return lines.isEmpty ? "" : "Why: where their time and energy go\n" + lines.joined()
  }

  private var sure: String {
    guard !choices.isEmpty else { return "" }
    let chances = chances
    var text = "How sure: chances from the intervals\n"
    var table = TextTable([.init("pair")] + setup.problem.objectives.map { .init(better($0), right: true) })
    for (index, one) in chances.enumerated() {
      for (other, two) in chances.enumerated().dropFirst(index + 1) {
        table.add(
          ["\(letter(index)) beats \(letter(other))"]
            + setup.problem.objectives.map { Humane.percent(one.beats(two, in: $0)) })
      }
    }
    if !table.rows.isEmpty {
      text +=
        table.text
        + "errors taken as independent; on one device they are partly shared, and the truth is farther from a half\n"
    }
    for (index, one) in chances.enumerated() {
      guard let kept = one.keepsAll(setup.problem.budgets) else { continue }
      let each = kept.each.map { "\($0.objective.title) \(Humane.percent($0.probability))" }.joined(separator: ", ")
      text += "\(letter(index)) keeps its budgets: \(each); all of them at least \(Humane.percent(kept.least))\n"
    }
    return text
  }

  private func better(_ objective: Objective) -> String {
    objective == .accuracy ? "more accurate" : "less \(objective.title)"
  }

  private var modelTable: String {
    var table = TextTable([
      .init("device"), .init("architecture"), .init("accuracy"), .init("latency"), .init("energy"), .init("peak power"),
    ])
    for (device, own, candidate) in bestModels {
      guard let candidate else {
        table.add([setup.twins[device].device.id, "none within the budgets"])
        continue
      }
      table.add([
        setup.twins[device].device.id, own.space.architecture(of: candidate.point).id,
        SearchSetup.shown(candidate.accuracy), PredictionTable.interval(candidate.costs.latencySeconds, "s"),
        PredictionTable.interval(candidate.costs.energyJoules, "J"),
        PredictionTable.interval(candidate.costs.peakPowerWatts, "W"),
      ])
    }
    let what = setup.problem.scalar == nil ? "most accurate within the budgets" : "least scalar within the budgets"
    return "The best model for each device: \(what)\n" + table.text
  }
}

// MARK: For programs

extension Answers {
  public static let schema = "edgetwin.answers/1"

  /// All answers in one object.
  public var record: Record {
    func objects(_ records: [Record]) -> FieldValue { .list(records.map(FieldValue.object)) }
    var record = Record()
    record.add("schema", .text(Self.schema))
    record.add("front", .whole(frontCount))
    record.add("told_otherwise", .flag(isToldOtherwise))
    record.add(
      "choices",
      objects(
        choices.enumerated().compactMap { index, choice in
          guard var row = setup.record(choice.candidate, isFinalist: true) else { return nil }
          row.fields.insert(Record.Field(name: "letter", value: .text(letter(index))), at: 0)
          row.fields.insert(Record.Field(name: "reasons", value: FieldValue(choice.reasons)), at: 1)
          if isToldOtherwise { row.add("told", .object(StudyRecord.values(choice.told))) }
          return row
        }))
    record.add("exchanges", objects(exchanges.records))
    record.add("budgets", objects(prices.records))
    record.add("importance", objects(importance.records))
    record.add(
      "importance_on_one_device",
      importanceOnOne.map { one in
        var record = Record()
        record.add("device", .text(setup.problem.devices[one.device]))
        record.add("importance", objects(one.importance.records))
        return .object(record)
      } ?? .null)
    record.add(
      "why",
      objects(
        choices.compactMap { choice in
          let twin = setup.twins[choice.candidate.deviceIndex]
          return (try? Explanation(twin: twin, architecture: choice.architecture, level: setup.evaluator.accuracyLevel))
            .map { ExplanationRecord.record($0, twin: twin) }
        }))
    record.add("chances", objects(chanceRecords))
    record.add("budget_chances", objects(budgetChanceRecords))
    record.add("devices_for_models", objects(models.flatMap { DeviceChoice.records(of: $0, setup) }))
    record.add(
      "models_for_devices",
      objects(
        bestModels.map { device, own, candidate in
          var row = Record()
          row.add("device", .text(setup.problem.devices[device]))
          row.add("best", candidate.flatMap { own.record($0, isFinalist: false) }.map(FieldValue.object) ?? .null)
          return row
        }))
    record.add("what_if", objects(whatIf?.records ?? []))
    return record
  }

  private var chanceRecords: [Record] {
    let chances = chances
    return chances.indices.flatMap { one in
      chances.indices.dropFirst(one + 1).flatMap { two in
        setup.problem.objectives.map { objective in
          var record = Record()
          record.add("one", .text(letter(one)))
          record.add("other", .text(letter(two)))
          record.add("objective", .text(objective.rawValue))
          record.add("probability_one_better", .number(chances[one].beats(chances[two], in: objective)))
          return record
        }
      }
    }
  }

  private var budgetChanceRecords: [Record] {
    chances.enumerated().compactMap { index, one in
      guard let kept = one.keepsAll(setup.problem.budgets) else { return nil }
      var record = Record()
      record.add("choice", .text(letter(index)))
      for (objective, probability) in kept.each { record.add(objective.rawValue, .number(probability)) }
      record.add("all_at_least", .number(kept.least))
      return record
    }
  }
}
