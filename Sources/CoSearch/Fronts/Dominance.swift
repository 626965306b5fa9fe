/// Pareto dominance of vectors whose every lane is to be minimised; lanes that are not used are equal in both.
public enum Dominance {
  /// True where `a` is no worse in any lane and better in one.
  @inlinable public static func dominates<Scalar>(_ a: SIMD8<Scalar>, _ b: SIMD8<Scalar>) -> Bool
  where Scalar: SIMDScalar & Comparable {
    all(a .<= b) && any(a .< b)
  }

  /// Indices of the vectors that none other dominates, ascending; of equal ones the first.
  public static func nonDominated(_ vectors: [SIMD8<Double>]) -> [Int] {
    // In lexicographic order a vector can only be dominated, or equalled, by an earlier one.
    let order = vectors.indices.sorted { left, right in
      let (a, b) = (vectors[left], vectors[right])
      for lane in 0..<8 where a[lane] != b[lane] { return a[lane] < b[lane] }
      return left < right
    }
    var kept: [Int] = []
    for index in order where !kept.contains(where: { all(vectors[$0] .<= vectors[index]) }) {
      kept.append(index)
    }
    return kept.sorted()
  }
}
