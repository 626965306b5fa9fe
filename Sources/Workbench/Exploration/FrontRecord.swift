import Accuracy
import Architectures
import CoSearch
import Twins

extension SearchSetup {
  static func estimate(_ accuracy: AccuracyEstimate) -> FieldValue {
    PredictionRecord.estimate(
      Estimate(median: accuracy.median, lower: accuracy.lower, upper: accuracy.upper))
  }

  /// The probability of each budget by its name, and bounds of that of all of them.
  static func probabilities(_ assessment: Assessment) -> FieldValue {
    var record = Record()
    for budget in Budget.allCases {
      if let probability = assessment.probabilities[budget] { record.add(budget.rawValue, .number(probability)) }
    }
    if !assessment.probabilities.isEmpty {
      record.add("all_lower", .number(assessment.jointProbability.lower))
      record.add("all_upper", .number(assessment.jointProbability.upper))
    }
    return .object(record)
  }

  /// A member of a front as a row: a prediction with its accuracy, the architecture and its embedding.
  /// - Returns: nil where the device cannot run it, which no member of a front is.
  public func record(_ candidate: Candidate, isFinalist: Bool) -> Record? {
    let architecture = space.architecture(of: candidate.point)
    let twin = twins[candidate.deviceIndex]
    guard let prediction = try? twin.predict(architecture, level: evaluator.accuracyLevel) else { return nil }
    var record = PredictionRecord.record(prediction, twin: twin)
    record.add("accuracy", Self.estimate(candidate.accuracy))
    record.add("accuracy_leave_one_out_error", .number(predictor.leaveOneOutError))
    if let scalar = candidate.assessment.scalar { record.add("scalar", .number(scalar)) }
    record.add("feasible", .flag(candidate.assessment.isFeasible))
    record.add("budget_probabilities", Self.probabilities(candidate.assessment))
    record.add("finalist", .flag(isFinalist))
    record.add("architecture", .object(ArchitectureRecord.record(architecture)))
    record.add("embedding", .list(space.embedding(of: candidate.point).map(FieldValue.whole)))
    if space.id != DesignSpace.flexibert2.id { record.add("space_id", .text(space.id)) }
    return record
  }

  /// `83.1 (80.2–85.6)`.
  public static func shown(_ accuracy: AccuracyEstimate) -> String {
    "\(Humane.digits(accuracy.median)) (\(Humane.digits(accuracy.lower))–\(Humane.digits(accuracy.upper)))"
  }

  /// Candidates as a table for people, in order.
  public func table(_ candidates: [Candidate], notes: [String] = []) -> String {
    var table = PredictionTable()
    for (index, candidate) in candidates.enumerated() {
      let architecture = space.architecture(of: candidate.point)
      let twin = twins[candidate.deviceIndex]
      let prediction = try? twin.predict(architecture, level: evaluator.accuracyLevel)
      table.add(
        architecture.id, device: twin.device.id, costs: prediction?.costs ?? candidate.costs,
        accuracy: Self.shown(candidate.accuracy), parameters: candidate.parameters,
        memoryBytes: prediction?.memoryBytes, bound: prediction?.boundBy, extrapolated: prediction?.extrapolated ?? [],
        note: index < notes.count ? notes[index] : "")
    }
    return table.text
  }

  /// What must be said wherever these figures stand.
  public func captions(_ devices: some Sequence<Int>) -> [String] {
    let shown = Set(devices).sorted().map { twins[$0] }
    var lines = [
      "Figures are medians with \(Humane.percent(evaluator.accuracyLevel)) intervals, per sequence;"
        + " times and budgets are \(problem.includesStartup ? "with" : "without") a share of the process's start-up.",
      predictor.caption.prefix(1).uppercased() + predictor.caption.dropFirst() + ".",
    ]
    if let first = shown.first?.settings {
      let isOne = shown.allSatisfy { $0.settings == first }
      lines.append(
        isOne
          ? "Batch size \(first.batchSize), length \(first.sequenceLength), \(first.precision.rawValue)."
          : "Settings: "
            + shown.map {
              "\($0.device.id) batch \($0.settings.batchSize), length \($0.settings.sequenceLength),"
                + " \($0.settings.precision.rawValue)"
            }.joined(separator: "; ") + ".")
    }
    // A search compares every device that it looks at, not only those that are left.
    let scopes = PowerScopes.warning(twins.map(\.device))
    if !scopes.isEmpty { lines.append(scopes) }
    let datasheet = shown.filter { !$0.isCalibrated }.map(\.device.id)
    if !datasheet.isEmpty {
      lines.append("Not calibrated, from the datasheet alone: \(datasheet.joined(separator: ", ")).")
    }
    return lines
  }

  /// Accuracy over latency, a letter a device.
  public func plot(_ candidates: [Candidate], width: Int = 72, height: Int = 16) -> String {
    let present = Set(candidates.map(\.deviceIndex)).sorted()
    let letters = Dictionary(
      uniqueKeysWithValues: present.enumerated().map { position, index in
        (index, Character(UnicodeScalar(UInt8(ascii: "a") + UInt8(position % 26))))
      })
    let plot = ScatterPlot(
      points: candidates.map {
        ScatterPlot.Point(
          x: $0.costs.latencySeconds.median, y: $0.accuracy.median, mark: letters[$0.deviceIndex] ?? "?")
      }, width: width, height: height, xLabel: "latency", yLabel: "accuracy (points of \(predictor.scale))",
      formatX: { Humane.seconds($0) })
    let legend = present.map { "\(letters[$0] ?? "?") \(twins[$0].device.id)" }.joined(separator: "   ")
    return plot.text.isEmpty ? "" : plot.text + "        \(legend)\n"
  }
}

/// Architectures as values of a row.
public enum ArchitectureRecord {
  /// Architectures for people, in order.
  public static func table(_ architectures: [Architecture]) -> String {
    var table = TextTable([
      .init("id"), .init("layers", right: true), .init("hidden sizes"), .init("heads"), .init("feed-forward"),
      .init("parameters", right: true),
    ])
    for architecture in architectures {
      func each(_ value: (Architecture.Layer) -> String) -> String {
        architecture.layers.map(value).joined(separator: " ")
      }
      table.add([
        architecture.id, "\(architecture.layers.count)", each { "\($0.hiddenSize)" }, each { "\($0.heads.count)" },
        each { $0.feedForward.map(String.init).joined(separator: "-") },
        Humane.count(Double(architecture.parameterCount(.protran).total)),
      ])
    }
    return table.text + "Parameters: \(ParameterCount.Convention.protran).\n"
  }

  /// The project's own form of an architecture, with its identifier.
  public static func record(_ architecture: Architecture) -> Record {
    var record = Record()
    record.add("schema", .text(ArchitectureDocument.schema))
    record.add("id", .text(architecture.id))
    record.add("vocabulary_size", .whole(architecture.vocabularySize))
    record.add("maximum_positions", .whole(architecture.maximumPositions))
    record.add("type_vocabulary_size", .whole(architecture.typeVocabularySize))
    record.add("position", .text(architecture.position.rawValue))
    record.add(
      "layers",
      .list(
        architecture.layers.map { layer in
          var record = Record()
          record.add("hidden_size", .whole(layer.hiddenSize))
          record.add("head_size", .whole(layer.headSize))
          record.add("heads", FieldValue(layer.heads.map(\.name)))
          record.add("feed_forward", .list(layer.feedForward.map(FieldValue.whole)))
          return .object(record)
        }))
    return record
  }
}
