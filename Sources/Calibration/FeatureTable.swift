import Numerics
import Twins

/// The features of a series' rows, as the design matrices of the feature sets, scaled to the sets' reference sizes.
struct FeatureTable: Sendable {
  let sets: [FeatureSet]
  /// One a set; a row a measurement, a column a term.
  let designs: [Matrix]
  let features: [FeatureVector]

  init(features: [FeatureVector], sets: [FeatureSet]) {
    self.sets = sets
    self.features = features
    designs = sets.map { set in
      var design = Matrix(rows: features.count, columns: set.terms.count)
      for (row, vector) in features.enumerated() {
        for (column, term) in set.terms.enumerated() {
          design[row, column] =
            vector.value(of: term.feature, at: term.at ?? 0, shape: term.shape ?? 1) / term.reference
        }
      }
      return design
    }
  }

  private init(sets: [FeatureSet], designs: [Matrix], features: [FeatureVector]) {
    self.sets = sets
    self.designs = designs
    self.features = features
  }

  var count: Int { features.count }

  /// Indices of the sets that have rows enough.
  var usableSets: [Int] { sets.indices.filter { count >= sets[$0].minimumRows } }

  func selecting(_ rows: [Int]) -> FeatureTable {
    FeatureTable(
      sets: sets, designs: designs.map { $0.selectingRows(rows) }, features: rows.map { features[$0] })
  }
}
