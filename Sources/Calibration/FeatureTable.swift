import Numerics
import Twins

/// The features of a series' rows, as the design matrices of the feature sets, scaled to the sets' reference sizes.
struct FeatureTable: Sendable {
  let sets: [FeatureSet]
  /// One a set; a row a measurement, a column a term.
  let designs: [Matrix]
  let features: [FeatureVector]
  /// The rows' kernels, where a roofline is offered beside the sets.
  let roofline: RooflineTable?

  init(features: [FeatureVector], sets: [FeatureSet], roofline: RooflineTable? = nil) {
    self.init(
      sets: sets, designs: sets.map { Self.design(of: $0, features: features) }, features: features, roofline: roofline)
  }

  private init(sets: [FeatureSet], designs: [Matrix], features: [FeatureVector], roofline: RooflineTable?) {
    self.sets = sets
    self.designs = designs
    self.features = features
    self.roofline = roofline
  }

  /// A row a measurement, a column a term of `set`.
  static func design(of set: FeatureSet, features: [FeatureVector]) -> Matrix {
    var design = Matrix(rows: features.count, columns: set.terms.count)
    for (row, vector) in features.enumerated() {
      for (column, term) in set.terms.enumerated() {
        design[row, column] =
          vector.value(of: term.feature, at: term.at ?? 0, shape: term.shape ?? 1) / term.reference
      }
    }
    return design
  }

  var count: Int { features.count }

  /// Indices of the sets that have rows enough.
  var usableSets: [Int] { sets.indices.filter { count >= sets[$0].minimumRows } }

  func selecting(_ rows: [Int]) -> FeatureTable {
    FeatureTable(
      sets: sets, designs: designs.map { $0.selectingRows(rows) }, features: rows.map { features[$0] },
      roofline: roofline?.selecting(rows))
  }
}
