import Architectures
import CoSearch
import Foundation
import Twins

/// The paper's claims line by line, and its searches on one scale, beside what this program finds.
public struct Reproduction: Sendable {
  let claims: ClaimCheck
  /// Nil without the authors' records.
  let data: PublishedData?
  let optimum: PublishedOptimum?
  /// The best of `benchmarks/problems/published.yaml`: the same weights and scales, accuracy by a predictor that can be defended.
  let ownBest: Candidate?
  let pairs: ObjectiveTable
  let profiledBest: (value: Double, model: String, device: String)
  let betterBeforeSearch: Int?

  /// - Parameters:
  ///   - dataFolder: the data's folder with `edgetran` in it; nil takes the figures that are built in.
  ///   - evaluations: of each search.
  /// - Throws: what reading the devices and the records throws.
  public init(
    library: DeviceLibrary, dataFolder: String?, evaluations: Int, seed: UInt64, threads: Int,
    progress: @Sendable (String) -> Void
  ) async throws {
    let setup = try SearchSetup(PublishedRecords.problem, document: nil, library: library)
    data = try dataFolder.map { try PublishedData(folder: $0) }
    progress("searching each device for what the claims ask")
    claims = try await ClaimCheck(setup, evaluations: evaluations, seed: seed, threads: threads)
    progress("searching on the published objective")
    let exploration = try await Explorer(setup.evaluator).explore(
      .evaluations(evaluations), seed: seed, threads: threads)
    ownBest = exploration.bestByScalar
    let surrogate = data.map { PublishedSurrogate($0, space: setup.space, seed: seed) }
    if let data, let best = data.pairs.min(by: { $0.objective < $1.objective }) {
      profiledBest = (best.objective, best.model, best.device)
      betterBeforeSearch = data.pairs.count { $0.objective < PublishedRecords.plottedBest }
    } else {
      profiledBest = PublishedRecords.bestProfiled
      betterBeforeSearch = nil
    }
    optimum = try surrogate.map {
      try PublishedOptimum($0, setup: setup, evaluations: evaluations, seed: seed)
    }
    pairs = ObjectiveTable(
      setup, data: data, surrogate: surrogate, runs: data?.runs ?? PublishedRecords.runs, optimum: optimum,
      ownBest: ownBest, ownSeconds: exploration.seconds)
  }

  private var runs: [PublishedRecords.Run] { data?.runs ?? PublishedRecords.runs }

  /// Cautions that a figure rests on, as the captions number them.
  static func numbered(_ cautions: [String]) -> String {
    cautions.enumerated().map { "(\($0 + 1)) \($1)\n" }.joined()
  }
}

// MARK: For people

extension Reproduction {
  public var text: String { [claimText, deviceText, objectiveText].joined(separator: "\n") }

  private func shown(_ ratio: ClaimCheck.Ratio?, _ claim: PublishedRecords.Claim) -> String {
    guard let ratio else { return "–" }
    switch claim {
    case .accuracy:
      return
        "\(signed(ratio.median)) (\(signed(ratio.lower)) to \(signed(ratio.upper)))"
    case .parameters: return "\(Humane.digits(ratio.median))×"
    case .latency:
      // Of what takes many times as long nobody reads a percentage.
      let isLong = ratio.median < 0.2
      func less(_ factor: Double) -> String {
        isLong ? "\(Humane.digits(1 / factor))×" : String(format: "%+.0f %%", (1 / factor - 1) * 100)
      }
      return "\(less(ratio.median)) (\(less(ratio.upper)) to \(less(ratio.lower)))"
    case .energy, .peakPower:
      return "\(Humane.digits(ratio.median))× (\(Humane.digits(ratio.lower))–\(Humane.digits(ratio.upper)))"
    }
  }

  private func signed(_ value: Double) -> String { String(format: "%+.1f", value) }

  private var claimText: String {
    let base = claims.baseline
    let notebook = PublishedRecords.notebookBaseline
    var text =
      "EdgeTran's claims (Tuli and Jha, IEEE TMC 23(6), 2024): the model found, on the Apple M1's GPU, against BERT-Base on an A100\n\n"
    text +=
      "BERT-Base on the A100 by its twin (batch 128, start-up included, power of the \(claims.baselineScope.rawValue)): latency"
      + " \(PredictionTable.interval(base.costs.latencySeconds, "s")), energy"
      + " \(PredictionTable.interval(base.costs.energyJoules, "J")), peak power"
      + " \(PredictionTable.interval(base.costs.peakPowerWatts, "W")), \(Humane.count(Double(base.parameters))) parameters.\n"
      + "The authors' notebook prints \(Humane.seconds(notebook.latencySeconds)), \(Humane.joules(notebook.energyJoules)),"
      + " \(Humane.watts(notebook.peakPowerWatts)): one draw of a noisy surrogate.\n\n"
    guard let device = claims.devices.first else { return text }
    var table = TextTable([
      .init("claim"), .init("attainable alone, as accurate as BERT-Base"), .init("all four costs at once"),
      .init("chance of that", right: true), .init("rests on"),
    ])
    for claim in PublishedRecords.Claim.allCases {
      let together = device.together?.ratios[claim]
      table.add([
        claim.text, claim == .accuracy ? "" : shown(device.alone[claim], claim), shown(together, claim),
        together.map { Humane.percent($0.chance) } ?? "–", claim.restsOn,
      ])
    }
    text += "On \(device.name) (power of the \(device.scope.rawValue)), by our twins:\n" + table.text
    if let together = device.together {
      text +=
        "All at once by \(together.architectureID), the most accurate that keeps the four claims about costs: predicted GLUE"
        + " \(SearchSetup.shown(together.candidate.accuracy)), BERT-Base by the same predictor"
        + " \(SearchSetup.shown(claims.baselineAccuracy)) (published \(PublishedRecords.bertBaseTestScore)).\n"
    } else {
      text += "No model keeps all four claims about costs at once: \(device.problem ?? "none was found").\n"
    }
    text +=
      "Intervals are of \(Humane.percent(claims.level)); a ratio's joins those of its two twins. The \(claims.baselineScope.rawValue)'s"
      + " power is set against the \(device.scope.rawValue)'s, and a slow program of one head at a time on the A100 against another"
      + " program on the M1: the ratios of energy and power are as published, not of like with like.\n"
    text += claims.caption.prefix(1).uppercased() + claims.caption.dropFirst() + ".\n"
    text += "Of the published accuracy data:\n" + Self.numbered(PublishedRecords.cautions)
    return text
  }

  private var deviceText: String {
    var table = TextTable([
      .init("device"), .init("power of the"), .init("accuracy with all four"), .init("size", right: true),
      .init("latency"), .init("energy"), .init("peak power"),
    ])
    for device in claims.devices {
      guard let together = device.together else {
        table.add([
          device.name, device.scope.rawValue, "none", "", shown(device.alone[.latency], .latency) + " alone",
          shown(device.alone[.energy], .energy) + " alone", shown(device.alone[.peakPower], .peakPower) + " alone",
        ])
        continue
      }
      table.add(
        [device.name, device.scope.rawValue]
          + [PublishedRecords.Claim.accuracy, .parameters, .latency, .energy, .peakPower].map {
            shown(together.ratios[$0], $0)
          })
    }
    return
      "The same four claims on every edge device (where none keeps them all: each alone, as accurate as BERT-Base)\n"
      + table.text
  }

  private var objectiveText: String {
    var text =
      "The published objective, 1 − P = 0.5 (1 − \"GLUE\") + 0.2 latency / 1000 s + 0.2 energy / 2000 J + 0.1 peak power / 300 W,"
      + " of each pair as the authors recorded it, and on two scales on which all pairs compare: costs by twins with the published"
      + " scores, and with predicted accuracy (benchmarks/problems/published.yaml)\n" + pairs.text
    text +=
      "The runs' starting values were divided by \(PublishedRecords.startingScale) and their queries were not, so that the figure in"
      + " their plot compares two scales: no published query is below the best pair that was profiled before any search"
      + (betterBeforeSearch.map {
        "; \($0) profiled pairs are below \(PublishedRecords.plottedBest), the value drawn for BOSHCODE, which is in none of its queries"
      } ?? "") + ".\n"
    if let optimum {
      text +=
        "Published scores: boosted trees refitted to the published pairs (their own kind of surrogate; held-out error"
        + " \(Humane.digits(optimum.heldOutError)) against a spread of \(Humane.digits(optimum.scoreSpread))). Ours on them is"
        + " \(String(format: "%.4f (%.4f–%.4f)", optimum.value, optimum.lower, optimum.upper)); the interval is of the costs alone. "
        + (optimum.secondsToBeat.map {
          "\(String(format: "%.4f", PublishedRecords.bestProfiled.value)) was beaten after"
            + " \(optimum.evaluationsToBeat ?? 0) evaluations, \(Humane.seconds($0)).\n"
        } ?? "The best profiled pair was not beaten.\n")
    } else {
      text +=
        "These records are built in, from jha-lab/edgetran's co-design records; with EDGETWIN_DATA set to a folder that holds"
        + " edgetran/codesign_dataset.json and edgetran/codesign_results.json they are read, and our optimum on them is searched.\n"
    }
    if let ownBest {
      text +=
        "Ours on predicted accuracy has a predicted GLUE of \(Humane.digits(ownBest.accuracy.median)).\n"
    }
    return text
  }
}

// MARK: For programs

extension Reproduction {
  public static let schema = "edgetwin.reproduction/1"

  public var record: Record {
    func ratio(_ ratio: ClaimCheck.Ratio?) -> FieldValue {
      guard let ratio else { return .null }
      var record = Record()
      record.add("median", .number(ratio.median))
      record.add("lower", .number(ratio.lower))
      record.add("upper", .number(ratio.upper))
      record.add("chance", .number(ratio.chance))
      return .object(record)
    }
    var record = Record()
    record.add("schema", .text(Self.schema))
    record.add("level", .number(claims.level))
    var base = Record()
    base.add("device", .text(ClaimCheck.baselineDevice))
    base.add("power_scope", .text(claims.baselineScope.rawValue))
    base.add("parameters", .whole(claims.baseline.parameters))
    base.add("latency_s", PredictionRecord.estimate(claims.baseline.costs.latencySeconds))
    base.add("energy_j", PredictionRecord.estimate(claims.baseline.costs.energyJoules))
    base.add("peak_power_w", PredictionRecord.estimate(claims.baseline.costs.peakPowerWatts))
    base.add("accuracy", SearchSetup.estimate(claims.baselineAccuracy))
    record.add("baseline", .object(base))
    record.add(
      "claims",
      .list(
        PublishedRecords.Claim.allCases.map { claim in
          var row = Record()
          row.add("claim", .text(claim.rawValue))
          row.add("published", .number(claim.published))
          row.add("rests_on", .text(claim.restsOn))
          row.add(
            "devices",
            .list(
              claims.devices.map { device in
                var row = Record()
                row.add("device", .text(device.name))
                row.add("power_scope", .text(device.scope.rawValue))
                row.add("alone", ratio(device.alone[claim]))
                row.add("all_costs_at_once", ratio(device.together?.ratios[claim]))
                return .object(row)
              }))
          return .object(row)
        }))
    record.add("cautions", FieldValue(PublishedRecords.cautions))
    var objective = Record()
    objective.add(
      "runs",
      .list(
        runs.map { run in
          var row = Record()
          row.add("name", .text(run.name))
          row.add("best", .number(run.best))
          row.add("seconds", .number(run.seconds))
          row.add("queries", .whole(run.queries))
          row.add("valid_queries", .whole(run.valid))
          row.add("device", .text(run.device))
          return .object(row)
        }))
    objective.add("best_profiled", .number(profiledBest.value))
    objective.add("best_profiled_model", .text(profiledBest.model))
    objective.add("best_profiled_device", .text(profiledBest.device))
    objective.add("records", .text(data == nil ? "built in" : "read"))
    objective.add("ours", FieldValue(optimum?.value))
    objective.add("ours_lower", FieldValue(optimum?.lower))
    objective.add("ours_upper", FieldValue(optimum?.upper))
    objective.add("ours_device", FieldValue(optimum?.device))
    objective.add("ours_architecture_id", FieldValue(optimum?.architectureID))
    objective.add("ours_seconds", FieldValue(optimum?.seconds))
    objective.add("ours_seconds_to_beat_best_profiled", FieldValue(optimum?.secondsToBeat))
    objective.add("ours_with_defensible_accuracy", FieldValue(ownBest?.assessment.scalar))
    objective.add("pairs", pairs.records)
    record.add("published_objective", .object(objective))
    return record
  }
}
