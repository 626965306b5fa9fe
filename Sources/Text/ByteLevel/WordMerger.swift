/// Merges the tokens of one word at a time, lowest rank first and leftmost of equals; its memory is used again for the next word.
///
/// Candidates wait in a heap, so that a word of n bytes takes n·log n steps, whatever is in it.
struct WordMerger {
  private struct Candidate {
    var rank: Int32
    var position: Int32
    var token: Int32

    func precedes(_ other: Candidate) -> Bool { (rank, position) < (other.rank, other.position) }
  }

  private let table: MergeTable
  private var tokens: [Int32] = []
  /// Position of the next token that is still there, and of the one before; -1 at the ends.
  private var next: [Int32] = []
  private var previous: [Int32] = []
  private var heap: [Candidate] = []
  private static let gone: Int32 = -1

  init(table: MergeTable) { self.table = table }

  /// Appends the tokens of a word, given by those of its bytes.
  mutating func merge(_ bytes: some Collection<Int32>, into ids: inout [Int32]) {
    guard bytes.count > 1 else { return ids.append(contentsOf: bytes) }
    tokens.removeAll(keepingCapacity: true)
    tokens.append(contentsOf: bytes)
    let count = Int32(tokens.count)
    next.removeAll(keepingCapacity: true)
    next.append(contentsOf: 1...count)
    next[tokens.count - 1] = -1
    previous.removeAll(keepingCapacity: true)
    previous.append(contentsOf: -1..<count - 1)
    for position in 0..<count - 1 { consider(position) }
    while let best = pop() {
      let left = Int(best.position)
      guard tokens[left] != Self.gone, next[left] >= 0 else { continue }
      let right = Int(next[left])
      // What stands there may have merged otherwise since.
      guard table[tokens[left], tokens[right]]?.token == best.token else { continue }
      tokens[left] = best.token
      tokens[right] = Self.gone
      next[left] = next[right]
      if next[left] >= 0 { previous[Int(next[left])] = Int32(left) }
      if previous[left] >= 0 { consider(previous[left]) }
      consider(Int32(left))
    }
    for token in tokens where token != Self.gone { ids.append(token) }
  }

  private mutating func consider(_ position: Int32) {
    let right = next[Int(position)]
    guard right >= 0, let merge = table[tokens[Int(position)], tokens[Int(right)]] else { return }
    push(Candidate(rank: merge.rank, position: position, token: merge.token))
  }

  private mutating func push(_ candidate: Candidate) {
    heap.append(candidate)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard candidate.precedes(heap[parent]) else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = candidate
  }

  private mutating func pop() -> Candidate? {
    guard let first = heap.first, let last = heap.popLast() else { return nil }
    guard !heap.isEmpty else { return first }
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < heap.count else { break }
      if child + 1 < heap.count, heap[child + 1].precedes(heap[child]) { child += 1 }
      guard heap[child].precedes(last) else { break }
      heap[parent] = heap[child]
      parent = child
    }
    heap[parent] = last
    return first
  }
}
