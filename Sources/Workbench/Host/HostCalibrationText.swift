import Foundation

extension HostCalibration.Step {
  /// For a line of progress.
  public var text: String {
    switch self {
    case .roofs(let share): "timing kernels: \(Humane.percent(share))"
    case .models(let done, let of, let threads, let isUnseen):
      "measuring \(isUnseen ? "unseen models" : "models") on \(threads) \(threads == 1 ? "thread" : "threads"):"
        + " \(done) of \(of)"
    case .fit: "fitting"
    }
  }
}

extension HostCalibration.Result {
  /// What came out, for people.
  public var text: String {
    var lines = [
      "\(file.device.name): \(file.device.roofs?.products.count ?? 0) products and"
        + " \(file.device.roofs?.heads.count ?? 0) heads timed, \(rows.count) measurements of"
        + " \(Set(rows.compactMap { $0.architecture?.id }).count) models fitted, in \(Humane.seconds(measuredSeconds))."
    ]
    if let latency = report.measures.first, let error = latency.medianAbsolutePercentageError {
      lines.append(
        "Held-out rows: median error \(Humane.percent(error)), \(Humane.percent(latency.coverage90 ?? .nan)) inside their"
          + " 90 % intervals.")
    }
    for (threads, agreement) in agreements {
      lines.append(
        "\(agreement.count) unseen models on \(threads) \(threads == 1 ? "thread" : "threads"): median error"
          + " \(Humane.percent(agreement.medianAbsolutePercentageError)), bias \(Humane.percent(agreement.bias)),"
          + " \(Humane.percent(agreement.coverage)) inside their 90 % intervals, Spearman"
          + " \(String(format: "%.3f", agreement.spearman)).")
    }
    if let agreementAsMeasured {
      lines.append(
        "These are times of the fastest calls, brought to the pace that the cores had when kernels were timed. As they were"
          + " measured: median error \(Humane.percent(agreementAsMeasured.medianAbsolutePercentageError)), bias"
          + " \(Humane.percent(agreementAsMeasured.bias)), \(Humane.percent(agreementAsMeasured.coverage)) inside.")
    }
    if let noiseFloor {
      lines.append(
        "Noise: early and late rounds of a model differ by \(Humane.percent(noiseFloor.median)) (at most"
          + " \(Humane.percent(noiseFloor.largest))).")
    }
    lines += report.warnings.map { "Note: \($0)." }
    return lines.joined(separator: "\n")
  }
}
