import Architectures
import CoSearch
import Twins

/// Answers `evaluate`'s lines: a candidate in, its values out.
public struct LineEvaluation: Sendable {
  private let setup: SearchSetup
  private static let source = InputBytes.standardInputName
  private static let own = [
    "id", "architecture_id", "device", "values", "scalar", "feasible", "broken_budgets", "violation",
    "budget_probabilities", "state", "error",
    "accuracy_leave_one_out_error", "architecture", "embedding", "space_id", "schema",
  ]

  public init(_ setup: SearchSetup) {
    self.setup = setup
  }

  /// The answer to one line; what is wrong with it is in the answer's `error`.
  /// - Parameter number: of the line, from 1.
  public func answer(_ line: String, number: Int) -> Record {
    var id: FieldValue = .null
    var device: FieldValue = .null
    var echoed: [Record.Field] = []
    do {
      let bytes = [UInt8](line.utf8)
      try InputBytes.check(bytes, source: Self.source, line: number)
      let value = try JSONParser.document(bytes, source: Self.source, line: number)
      let reader = try FieldReader(value, source: Self.source)
      id = reader["id"].map { FieldValue($0) } ?? .null
      device = reader["device"].map { FieldValue($0) } ?? .null
      echoed = reader.members.filter { !Self.own.contains($0.name) }.map {
        Record.Field(name: $0.name, value: FieldValue($0.value))
      }
      let index = try deviceIndex(reader)
      let architecture = try architecture(value, reader)
      let twin = setup.twins[index]
      device = .text(setup.problem.devices[index])
      if case .null = id { id = .text(architecture.id) }
      let assessment = setup.evaluator.assess(
        architecture, device: index,
        costs: twin.costs(of: twin.features(of: architecture), level: setup.evaluator.accuracyLevel),
        memoryBytes: MemoryNeed(architecture, settings: twin.settings).totalBytes)
      return record(id, architecture.id, device, assessment: assessment, error: nil, echoed)
    } catch {
      return record(id, nil, device, assessment: nil, error: "\(error)", echoed)
    }
  }

  private func deviceIndex(_ reader: FieldReader) throws -> Int {
    guard let name = try reader.optionalString("device") else {
      if setup.twins.count == 1 { return 0 }
      throw reader.failure("device", problem: "is missing; the problem has \(setup.twins.count) devices")
    }
    guard let index = setup.deviceIndex(name) else {
      throw reader.failure(
        "device",
        problem: "\"\(InputFileError.printable(name))\" is none of the problem's: "
          + setup.problem.devices.joined(separator: ", "))
    }
    return index
  }

  private func architecture(_ value: DocumentValue, _ reader: FieldReader) throws -> Architecture {
    if value["architecture"] != nil || value["layers"] != nil || value["model_dict"] != nil {
      let architecture = try ArchitectureReader.architecture(value, source: Self.source)
      let isOfThisSpace = try reader.optionalString("space_id").map { $0 == setup.space.id } ?? true
      if let embedding = reader["embedding"], isOfThisSpace,
        try point(embedding, reader) != setup.space.point(of: architecture)
      {
        throw reader.failure(
          "embedding", problem: "is of another architecture than the layers beside it; leave one of them out")
      }
      return architecture
    }
    guard let embedding = reader["embedding"] else {
      throw reader.failure("architecture", problem: "is missing, and there is no `embedding` in its place")
    }
    return setup.space.architecture(of: try point(embedding, reader))
  }

  private func point(_ embedding: DocumentValue, _ reader: FieldReader) throws -> DesignPoint {
    let dimension = setup.space.embeddingDimension
    let numbers = try reader.list(embedding, field: "embedding", count: dimension...dimension).enumerated().map {
      try reader.integer($1, field: "embedding[\($0)]", in: 0...1_000_000)
    }
    do {
      return try setup.space.point(ofEmbedding: numbers)
    } catch {
      throw reader.failure("embedding", problem: "\(error)")
    }
  }

  private func record(
    _ id: FieldValue, _ architectureID: String?, _ device: FieldValue, assessment: Assessment?, error: String?,
    _ echoed: [Record.Field]
  ) -> Record {
    var record = Record()
    record.add("id", id)
    record.add("architecture_id", FieldValue(architectureID))
    record.add("device", device)
    if let assessment {
      var values = Record()
      for objective in Objective.allCases {
        let value = assessment.values[objective]
        values.add(
          objective.rawValue,
          objective == .parameters ? FieldValue(value.flatMap { Int(exactly: $0) }) : FieldValue(value))
      }
      record.add("values", .object(values))
    } else {
      record.add("values", .null)
    }
    record.add("scalar", FieldValue(assessment?.scalar))
    record.add("feasible", .flag(assessment?.isFeasible ?? false))
    record.add("broken_budgets", FieldValue(assessment?.brokenBudgets.map(\.rawValue) ?? []))
    record.add("violation", FieldValue(assessment.flatMap { $0.violation.isFinite ? $0.violation : nil }))
    record.add("budget_probabilities", assessment.map(SearchSetup.probabilities) ?? .null)
    record.add("accuracy_leave_one_out_error", .number(setup.predictor.leaveOneOutError))
    record.add("state", .text(assessment == nil ? "failed" : "complete"))
    record.add("error", FieldValue(error))
    record.fields += echoed
    return record
  }
}
