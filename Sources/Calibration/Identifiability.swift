import Foundation
import Numerics
import Twins

/// What the rows cannot tell: said, and settled by the prior or the datasheet.
enum Identifiability {
  private static let collinearity = 0.985

  static func warnings(_ data: TwinFit.Data, fit: TwinFit, series: Series) -> [String] {
    let settings = series.settings
    let varied = Set(series.varied.map(\.name))
    let fixed = [
      ("batch_size", "batch size \(settings.batchSize)"),
      ("sequence_length", "sequence length \(settings.sequenceLength)"),
    ].filter { !varied.contains($0.0) }.map(\.1)
    var result: [String] = []
    if !fixed.isEmpty {
      result.append(
        fixed.joined(separator: " and ") + (fixed.count > 1 ? " never vary" : " never varies")
          + " in these rows: their influence is fixed at the "
          + (series.variant.usesRoofs ? "roofs of the device" : "datasheet's physics"))
    }
    if data.includesStartup {
      result.append(
        "start-up and steady time are not told apart by these rows: the steady share of the parameters' cost is fixed at"
          + " the datasheet's bandwidth, the constant counts as start-up")
    }
    if let roofline = fit.latency.basis.roofline {
      result.append(
        "a roofline fitted by Levenberg and Marquardt's method predicts held-out rows better than the coarsest linear form,"
          + " and takes its place: \(String(format: "%.3g", roofline.roofline.linearFLOPsPerSecond / 1e9)) GFLOP/s in linear maps,"
          + " \(String(format: "%.3g", roofline.roofline.bytesPerSecond / 1e9)) GB/s")
    }
    guard let coarse = fit.latency.basis.coarsest(data.latencyTable) else { return result }
    let set = coarse.set
    let design = FeatureTable.design(of: set, features: data.latencyTable.features)
    let columns = set.terms.indices.map { design.column($0) }
    var merged = Set<Int>()
    for i in columns.indices where Statistics.variance(columns[i]) > 0 {
      for j in columns.indices where j > i && Statistics.variance(columns[j]) > 0 {
        if abs(Statistics.correlation(columns[i], columns[j])) > collinearity {
          merged.formUnion([i, j])
          result.append(
            "\(name(set.terms[i])) and \(name(set.terms[j])) rise and fall together in these rows: only their sum is"
              + " determined, and is split as the prior expects")
        }
      }
    }
    let unsupported = coarse.fit.active.filter { set.terms[$0].feature != .constant }
    if !unsupported.isEmpty {
      result.append(
        "no support for \(unsupported.map { name(set.terms[$0]) }.joined(separator: ", ")): held at 0")
    }
    let loose = set.terms.indices.filter {
      coarse.fit.coefficients[$0] > 0 && coarse.fit.standardErrors[$0] > coarse.fit.coefficients[$0]
        && !merged.contains($0)
    }
    if !loose.isEmpty {
      result.append(
        "poorly determined (standard error above the value): \(loose.map { name(set.terms[$0]) }.joined(separator: ", "));"
          + " the prior holds them")
    }
    return result
  }

  /// What people call a term.
  static func name(_ term: FeatureSet.Term) -> String {
    let name = term.feature.rawValue.replacing("_", with: " ")
    guard let at = term.at else { return name }
    let exponent = term.feature == .parameterPower ? term.shape.map { " ^\(Int($0))" } : nil
    return "\(name) \(Int((at / 1e6).rounded())) MB" + (exponent ?? "")
  }
}
