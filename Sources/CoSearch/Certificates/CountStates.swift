/// How many layers have each hidden size so far, as one number, of the sizes whose counts have limits.
struct CountStates: Sendable {
  /// Number of states.
  let count: Int
  /// What a layer of a size adds to the state; 0 where its count has no limit.
  private let steps: [Int]
  private let limits: [ClosedRange<Int>]

  init(_ counts: [ClosedRange<Int>], sizes: Int, layers: Int) {
    var steps = [Int](repeating: 0, count: sizes)
    var count = 1
    for (size, limit) in counts.enumerated() where limit.lowerBound > 0 || limit.upperBound < layers {
      steps[size] = count
      count *= limit.upperBound + 1
    }
    self.count = count
    self.steps = steps
    limits = counts
  }

  private func number(_ state: Int, of size: Int) -> Int { state / steps[size] % (limits[size].upperBound + 1) }

  /// The state with one layer more; nil where that is too many.
  @inline(__always) func after(_ state: Int, adding size: Int) -> Int? {
    if steps[size] == 0 { return state }
    return number(state, of: size) < limits[size].upperBound ? state + steps[size] : nil
  }

  func before(_ state: Int, adding size: Int) -> Int { state - steps[size] }

  /// Whether every size has as many as it must.
  func isEnough(_ state: Int) -> Bool {
    steps.indices.allSatisfy { steps[$0] == 0 || number(state, of: $0) >= limits[$0].lowerBound }
  }
}
