import Accuracy
import Architectures
import CoSearch
import Foundation
import Studies
import Twins

extension SearchSetup {
  /// What a study says, made ready: its own space and device files, whatever the library has by now.
  /// - Throws: `YAMLFileError`, `TwinError`, `SearchError` or `NumericsError`.
  public init(_ study: Study) throws {
    let definition = study.definition
    let problem = definition.problem
    let twins = try definition.devices.map { device in
      let file = try DeviceFile(yaml: device.file, name: "\(study.path), device \(device.name)")
      return try Self.twin(file, runtime: device.runtime, problem)
    }
    let source = "\(study.path), accuracy"
    let rows = try problem.accuracy == .published ? nil : study.accuracyRows()
    try self.init(
      problem, space: definition.space, twins: twins, deviceTexts: definition.devices.map(\.file),
      level: definition.level, accuracyRows: rows,
      predictor: rows.map {
        try AccuracyPredictor.fitted(on: AccuracyRow.read(text: $0, source: source), source: source)
      })
  }

  /// Makes a study of this, or of what several setups ask, which differ in their devices only.
  /// - Throws: `StudyError`, or `SearchError` where there is no setup.
  public static func study(
    _ file: String, _ setups: [SearchSetup], seed: UInt64, sampler: String
  ) throws -> Study {
    try Study.create(
      file, definition(setups, seed: seed, sampler: sampler),
      documents: setups.first?.accuracyRows.map(StudyDocument.accuracyRows) ?? [])
  }

  /// The same devices, or some of them, with another problem, at the same settings.
  func asking(_ problem: Problem, devices: [Int]? = nil) throws -> SearchSetup {
    let chosen = devices ?? Array(twins.indices)
    var problem = problem
    problem.devices = chosen.map { self.problem.devices[$0] }
    return try SearchSetup(
      problem, space: space, twins: chosen.map { twins[$0] }, deviceTexts: chosen.map { deviceTexts[$0] },
      level: evaluator.accuracyLevel, devices: chosen.map { evaluator.devices[$0] }, accuracyRows: accuracyRows,
      predictor: predictor)
  }

  /// One device with some of its facts changed.
  func changing(device: Int, by overrides: [Override]) throws -> SearchSetup {
    let file = try DeviceFile(yaml: deviceTexts[device], name: problem.devices[device])
    let twin = try Self.twin(file, runtime: twins[device].runtime, problem, overrides: overrides)
    var problem = problem
    problem.devices = [problem.devices[device]]
    return try SearchSetup(
      problem, space: space, twins: [twin], deviceTexts: [deviceTexts[device]], level: evaluator.accuracyLevel,
      accuracyRows: accuracyRows, predictor: predictor)
  }

  /// One setup a device, each asking the same of this device alone.
  public func byDevice() throws -> [SearchSetup] {
    try twins.indices.map { try asking(problem, devices: [$0]) }
  }

  /// What a study of this would be.
  public func definition(seed: UInt64, sampler: String) -> StudyDefinition {
    StudyDefinition(
      problem: problem, space: space,
      devices: twins.indices.map { index in
        StudyDefinition.Device(
          name: problem.devices[index], runtime: twins[index].runtime, file: deviceTexts[index])
      }, seed: seed, sampler: sampler, level: evaluator.accuracyLevel, program: "edgetwin \(Program.version)")
  }

  /// What a study of several setups, which differ in their devices only, would be.
  /// - Throws: `SearchError` where there is none.
  public static func definition(
    _ setups: [SearchSetup], seed: UInt64, sampler: String
  ) throws -> StudyDefinition {
    let parts = setups.map { $0.definition(seed: seed, sampler: sampler) }
    guard var whole = parts.first else { throw SearchError.nothingToDo("no device is named") }
    whole.devices = parts.flatMap(\.devices)
    whole.problem.devices = whole.devices.map(\.name)
    return whole
  }
}

extension StudyDefinition {
  /// Whether two ask the same of the same devices; how the devices' files are by now is left aside.
  public func isOfSameProblem(_ other: StudyDefinition) throws -> Bool {
    var (mine, others) = (problem, other.problem)
    // A space is what it is, wherever its file lies.
    mine.space = ""
    others.space = ""
    // Likewise its rows of accuracies.
    if mine.accuracy != .published, others.accuracy != .published { others.accuracy = mine.accuracy }
    return mine == others && space == other.space && devices.map(\.runtime) == other.devices.map(\.runtime)
  }
}

extension Candidate {
  /// A finished trial of what was predicted; its number is the study's to give.
  func trial(device: Int) -> Trial {
    Trial(
      number: -1, point: point, device: device, state: .complete, values: assessment.values,
      scalar: assessment.scalar, isFeasible: assessment.isFeasible)
  }
}
