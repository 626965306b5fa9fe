extension Exploration {
  /// A handful that differ, for measuring, of the front and the best by the scalar: in this order, each once, up to `count`:
  /// 1. the best by the problem's scalar, where it has one;
  /// 2. the *knee*: the nearest to the ideal in the box, every objective counting alike;
  /// 3. the best of each objective, in the problem's order;
  /// 4. then, one by one, the candidate that is farthest (by its nearest) from those already chosen.
  ///
  /// Ties go to the one that comes first in the front.
  public func finalists(count: Int) -> [Candidate] {
    var front = front
    if let bestByScalar, !front.contains(bestByScalar) { front.append(bestByScalar) }
    let rows = front.map { candidate in
      box.normalised(box.coordinates(box.objectives.map { candidate.assessment.values[$0] ?? .nan }))
    }
    var chosen: [Int] = []
    func take(_ index: Int?) {
      if let index, chosen.count < count, !chosen.contains(index) { chosen.append(index) }
    }
    func first(_ value: (Int) -> Double) -> Int? { rows.indices.min { value($0) < value($1) } }

    if let bestByScalar { take(front.firstIndex(of: bestByScalar)) }
    take(first { (rows[$0] * rows[$0]).sum() })
    for lane in box.objectives.indices { take(first { rows[$0][lane] }) }

    var nearest = rows.map { row in chosen.map { Self.squaredDistance(row, rows[$0]) }.min() ?? .infinity }
    while chosen.count < min(count, front.count) {
      guard let next = front.indices.filter({ !chosen.contains($0) }).max(by: { nearest[$0] < nearest[$1] }) else {
        break
      }
      chosen.append(next)
      for index in front.indices { nearest[index] = min(nearest[index], Self.squaredDistance(rows[index], rows[next])) }
    }
    return chosen.map { front[$0] }
  }

  private static func squaredDistance(_ a: SIMD8<Double>, _ b: SIMD8<Double>) -> Double {
    let difference = a - b
    return (difference * difference).sum()
  }
}
