import Calibration
import Foundation

extension CalibrationReport {
  /// The report for people, several lines.
  public var summary: String {
    var text = "\(device) with \(runtime): fitted on \(rows) measurements\n"
    var table = TextTable([
      .init("measure"), .init("rows", right: true), .init("held-out error", right: true),
      .init("coverage of 90 %", right: true), .init("90 % interval"), .init("basis"),
    ])
    for measure in measures {
      let bounds = measure.interval90.map { "× " + Humane.digits($0) }.joined(separator: " to ")
      table.add([
        measure.name, "\(measure.rows)", Humane.percent(measure.medianAbsolutePercentageError),
        Humane.percent(measure.coverage90), bounds, measure.intervalBasis.rawValue,
      ])
    }
    text += table.text
    if folds > 0 { text += "errors are medians over held-out rows, \(folds)-fold\n" }
    if !learningCurve.isEmpty {
      let points = learningCurve.map { "\($0.rows) rows \(Humane.percent($0.medianAbsolutePercentageError))" }
      text += "latency error by rows fitted: \(points.joined(separator: ", "))\n"
    }
    for sentence in states.flatMap(\.sentences) { text += sentence + "\n" }
    if let stopwatch {
      text +=
        "latency: measured in steps of \(Humane.seconds(stopwatch.stepSeconds))"
        + " (\(Humane.percent(stopwatch.shareOfMedian)) of the median): the stopwatch polls; predictions are not moved"
        + " onto its steps\n"
    }
    if let pagingKneeBytes { text += "latency: paging shows from \(Humane.bytes(pagingKneeBytes)) of parameters\n" }
    for warning in warnings { text += "note: \(warning)\n" }
    return text
  }
}
