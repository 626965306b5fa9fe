import Foundation
import Twins

extension FeatureSet {
  /// Three views of the times at a device's roofs, from coarse to fine: each kind of kernel takes its roof's time, times a factor.
  ///
  /// The prior is that all factors are equal: a term's share is its mean share in what the roofs predict for the rows.
  /// - Parameter datasheet: what a sequence costs by the roofs alone, linear in features of which those here are parts.
  static func roofs(of datasheet: LinearForm, features: [FeatureVector]) -> [FeatureSet] {
    let dense: [Feature] = [.denseSeconds]
    let vector: [Feature] = [.vectorSeconds]
    let head: [Feature] = [.headSeconds]
    return [
      roofs("R5", minimumRows: 0, parts: [dense, head, vector], datasheet: datasheet, features: features),
      roofs(
        "R6", minimumRows: 9, parts: [dense, [.attentionSeconds, .operationSeconds], vector], datasheet: datasheet,
        features: features),
      roofs(
        "R12", minimumRows: 24,
        parts: [
          [.projectionSeconds, .feedForwardSeconds],
          [.scoreSeconds, .relativeScoreSeconds, .fourierSeconds, .cosineSeconds, .convolutionSeconds],
          [.softmaxSeconds, .activationSeconds, .normalisationSeconds],
        ], datasheet: datasheet, features: features),
    ]
  }

  /// A term that no row has keeps this share, so that the prior holds it where it will be needed: at other settings.
  private static let absentShare = 1e-6

  /// - Parameter parts: the features that stand for products outside of heads, in heads, and for element-wise kernels.
  private static func roofs(
    _ name: String, minimumRows: Int, parts: [[Feature]], datasheet: LinearForm, features: [FeatureVector]
  ) -> FeatureSet {
    let coarse: [Feature] = [.denseSeconds, .headSeconds, .vectorSeconds]
    let totals = features.map { max(datasheet.cost(of: $0), MeasureFloor.value) }
    let largest = features.reduce(0) { max($0, $1[.parameterBytes]) }
    let mean = exp(totals.reduce(0) { $0 + log($1) } / Double(max(totals.count, 1)))
    var terms: [Term] = []
    for coefficient in datasheet.coefficients {
      // Paging beyond what was measured is added where a twin is asked for it.
      if coefficient.feature == .pagedParameterBytes, (coefficient.at ?? 0) >= largest { continue }
      let split = coarse.firstIndex(of: coefficient.feature).map { parts[$0] } ?? [coefficient.feature]
      for feature in split {
        var part = coefficient
        part.feature = feature
        let share =
          zip(features, totals).reduce(0) { $0 + part.cost(of: $1.0) / $1.1 } / Double(max(features.count, 1))
        let kept = max(share, absentShare)
        terms.append(
          Term(
            feature: feature, at: part.at, shape: part.shape, reference: mean * kept / max(part.value, 1e-30),
            share: kept, isTimed: part.provenance == .measured))
      }
    }
    let total = terms.reduce(0) { $0 + $1.share }
    for index in terms.indices {
      terms[index].share /= total
      terms[index].reference /= total
    }
    return FeatureSet(name: name, minimumRows: minimumRows, terms: terms)
  }
}
