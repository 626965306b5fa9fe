import Numerics

/// How predictions are judged.
public enum Metric: String, Sendable, Hashable, CaseIterable {
  case accuracy
  /// Harmonic mean of precision and recall of class 1; 0 where nothing is and nothing was to be found.
  case f1
  /// Matthews's correlation (Gorodkin's for more than two classes); 0 where one side is constant.
  case matthews
  case pearson
  /// Correlation of ranks, ties sharing their mean.
  case spearman

  /// NaN for no rows, and for a correlation with a constant.
  ///
  /// - Parameters:
  ///   - predicted: classes or numbers.
  ///   - expected: as many.
  public func value(predicted: [Double], expected: [Double]) -> Double {
    guard !expected.isEmpty, predicted.count == expected.count else { return .nan }
    switch self {
    case .accuracy:
      return Double(zip(predicted, expected).count { $0 == $1 }) / Double(expected.count)
    case .f1:
      let both = zip(predicted, expected).count { $0 == 1 && $1 == 1 }
      let marked = predicted.count { $0 == 1 } + expected.count { $0 == 1 }
      return marked == 0 ? 0 : 2 * Double(both) / Double(marked)
    case .matthews: return Self.matthews(predicted, expected)
    case .pearson: return Statistics.correlation(predicted, expected)
    case .spearman: return Statistics.spearman(predicted, expected)
    }
  }

  /// J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient" (2004), equation 8.
  private static func matthews(_ predicted: [Double], _ expected: [Double]) -> Double {
    let classes = Set(predicted).union(expected)
    let count = Double(expected.count)
    let right = Double(zip(predicted, expected).count { $0 == $1 })
    var (both, squaredPredicted, squaredExpected) = (0.0, 0.0, 0.0)
    for label in classes.sorted() {
      let p = Double(predicted.count { $0 == label })
      let e = Double(expected.count { $0 == label })
      both += p * e
      squaredPredicted += p * p
      squaredExpected += e * e
    }
    let spread = ((count * count - squaredPredicted) * (count * count - squaredExpected)).squareRoot()
    return spread == 0 ? 0 : (right * count - both) / spread
  }
}
