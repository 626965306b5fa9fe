import Architectures
import CoSearch
import Foundation
import Studies

/// Reads the lines of `study tell`, and tells them.
public struct StudyTelling {
  private let study: Study
  private let source: String
  private var line = 0
  /// What came of all lines so far.
  public private(set) var told = Study.Told()

  /// - Parameter source: how messages call the lines' origin.
  public init(_ study: Study, source: String = "standard input") {
    self.study = study
    self.source = source
  }

  /// Tells some lines, in one step. Of lines behind a bad one none is told; those before it are.
  /// - Throws: `InputFileError` naming the line, or `StudyError`.
  public mutating func tell(_ lines: [[UInt8]]) throws {
    var outcomes: [(line: Int, outcome: TrialOutcome)] = []
    var failure: (any Error)?
    for bytes in lines {
      line += 1
      guard bytes.contains(where: { !InputBytes.isBlank($0) }) else { continue }
      do {
        try InputBytes.check(bytes, source: source, line: line)
        let value = try JSONParser.document(bytes, source: source, line: line)
        outcomes.append((line, try Self.outcome(FieldReader(value, source: source))))
      } catch {
        failure = error
        break
      }
    }
    do {
      try take(outcomes)
    } catch let refusal as Refused {
      try take(Array(outcomes.prefix(refusal.position)))
      failure = refusal.error
    }
    if let failure { throw failure }
  }

  private struct Refused: Error {
    var position: Int
    var error: InputFileError
  }

  private mutating func take(_ outcomes: [(line: Int, outcome: TrialOutcome)]) throws {
    guard !outcomes.isEmpty else { return }
    let source = source
    let new = try study.tell(outcomes.map(\.outcome)) { position, refusal in
      Refused(position: position, error: Self.error(refusal, outcomes[position], source: source))
    }
    told.complete += new.complete
    told.failed += new.failed
    told.known += new.known
  }

  private static func error(
    _ refusal: TrialRefusal, _ told: (line: Int, outcome: TrialOutcome), source: String
  ) -> InputFileError {
    let trial = told.outcome.trial
    switch refusal {
    case .unknownTrial(_, let count):
      return InputFileError(
        source: source, line: told.line, field: "trial",
        problem: count == 0
          ? "\(trial) was never handed out: the study has no trial yet; edgetwin study ask hands them out"
          : "\(trial) was never handed out; the study has the trials 0 to \(count - 1)")
    case .contradiction(let field, let value, let known):
      return InputFileError(
        source: source, line: told.line, field: field,
        problem: "\(value) contradicts what trial \(trial) was told before, \(known)")
    case .missingValue(let objective):
      return InputFileError(
        source: source, line: told.line, field: "values.\(objective.rawValue)",
        problem: "is missing; trial \(trial) is complete and \(objective.rawValue) is an objective of the study")
    }
  }

  private static let largest = 1e18

  /// `{"trial","state","values"}`, and what `evaluate` answers: `feasible`, `violation`, `error`.
  private static func outcome(_ reader: FieldReader) throws -> TrialOutcome {
    let known = ["trial", "state", "values", "feasible", "violation", "error"]
    let trial = try reader.integer("trial", in: 0...Int.max, known: known)
    let error: String? = try reader.optionalString("error")
    let isComplete: Bool
    switch try reader.optionalString("state") {
    case "complete": isComplete = true
    case "failed": isComplete = false
    case let other?:
      throw reader.failure(
        "state", problem: "must be \"complete\" or \"failed\", is \"\(InputFileError.printable(other))\"")
    // Lines of other programs may say by their values how it went.
    case nil where reader["values"] != nil && error == nil: isComplete = true
    case nil: throw reader.failure("state", problem: "is missing; write \"complete\" with values, or \"failed\"")
    }
    guard isComplete else { return TrialOutcome(trial: trial, isComplete: false, error: error) }
    let inner = try FieldReader(
      try reader.required("values", known: known), source: reader.source, path: reader.field("values"))
    var values = ObjectiveValues()
    for member in inner.members {
      guard let objective = Objective(rawValue: member.name) else {
        throw inner.failure(
          InputFileError.printable(member.name),
          problem: "is no objective; known are \(Objective.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      if inner[member.name] == nil { continue }
      let range = objective == .accuracy ? -largest...largest : Double.leastNormalMagnitude...largest
      values[objective] = try inner.number(member.value, field: inner.field(member.name), in: range)
    }
    let isFeasible = try reader.optionalBoolean("feasible")
    let violation = try reader.optionalNumber("violation", in: 0...largest)
    if isFeasible == true, let violation, violation > 0 {
      throw reader.failure("violation", problem: "is \(violation), which contradicts feasible: true")
    }
    return TrialOutcome(
      trial: trial, isComplete: true, values: values, isFeasible: isFeasible, violation: violation, error: error)
  }
}
