/// Ranks by constrained domination (Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm:
/// NSGA-II", IEEE Trans. Evol. Comp. 6(2), 2002): feasible trials before infeasible ones, these by violation.
enum NonDominatedSorting {
  /// Fronts of positions in `trials`, best first; every trial is in one.
  static func fronts(_ trials: [Trial]) -> [[Int]] {
    var remaining = Array(trials.indices.filter { trials[$0].isFeasible })
    var fronts: [[Int]] = []
    while !remaining.isEmpty {
      let front = remaining.filter { candidate in
        !remaining.contains { Dominance.dominates(trials[$0].coordinates, trials[candidate].coordinates) }
      }
      fronts.append(front)
      let taken = Set(front)
      remaining.removeAll(where: taken.contains)
    }
    let infeasible = trials.indices.filter { !trials[$0].isFeasible }.sorted {
      (trials[$0].violation, $0) < (trials[$1].violation, $1)
    }
    return fronts + infeasible.map { [$0] }
  }

  /// Crowding distance of each member of a front (ibid., section III-B), infinite at the ends of each objective.
  static func crowding(_ front: [Int], _ trials: [Trial], dimension: Int) -> [Int: Double] {
    var distances = Dictionary(uniqueKeysWithValues: front.map { ($0, 0.0) })
    for lane in 0..<dimension {
      let order = front.sorted {
        (trials[$0].coordinates[lane], $0) < (trials[$1].coordinates[lane], $1)
      }
      guard let first = order.first, let last = order.last else { continue }
      let range = trials[last].coordinates[lane] - trials[first].coordinates[lane]
      distances[first] = .infinity
      distances[last] = .infinity
      guard range > 0, order.count > 2 else { continue }
      for position in 1..<(order.count - 1) {
        let gap = trials[order[position + 1]].coordinates[lane] - trials[order[position - 1]].coordinates[lane]
        distances[order[position], default: 0] += gap / range
      }
    }
    return distances
  }
}
