/// Learns merges as byte-pair encoding does (Sennrich et al. 2016): the most frequent pair of neighbours becomes a token, again and again.
///
/// Of equally frequent pairs the one whose first, then second part has the lower id comes first, so that the result depends on how often each
/// word occurs and on nothing else; it is that of Hugging Face's `tokenizers`. Pairs are counted once, and counts then follow
/// each merge; the most frequent pair is found by a heap whose entries are checked when they come up.
struct MergeLearner {
  struct Merge: Equatable {
    var first: Int32
    var second: Int32
    var token: Int32
  }

  private struct Entry {
    var count: Int
    var pair: UInt64

    func precedes(_ other: Entry) -> Bool { count == other.count ? pair < other.pair : count > other.count }
  }

  /// Symbols of all words one after another; a word's merged symbols stay at its start.
  private var symbols: [Int32] = []
  private var starts: [Int] = []
  private var lengths: [Int32] = []
  private let wordCounts: [Int]
  private var pairCounts: [UInt64: Int] = [:]
  /// Words that a pair may occur in; some more than once, some no more.
  private var places: [UInt64: [Int32]] = [:]
  private var heap: [Entry] = []

  /// - Parameters:
  ///   - words: symbols of each word.
  ///   - counts: how often each word occurs.
  init(words: [[Int32]], counts: [Int]) {
    wordCounts = counts
    for (index, word) in words.enumerated() {
      starts.append(symbols.count)
      lengths.append(Int32(word.count))
      symbols += word
      for (first, second) in zip(word, word.dropFirst()) {
        let pair = Self.pair(first, second)
        pairCounts[pair, default: 0] += counts[index]
        note(pair, Int32(index))
      }
    }
    for (pair, count) in pairCounts { push(Entry(count: count, pair: pair)) }
  }

  private static func pair(_ first: Int32, _ second: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
  }

  private mutating func note(_ pair: UInt64, _ word: Int32) {
    if places[pair]?.last != word { places[pair, default: []].append(word) }
  }

  /// Merges the most frequent pair.
  ///
  /// - Parameters:
  ///   - minimumCount: rarer pairs do not merge.
  ///   - token: the token that two others become.
  /// - Returns: nil where no pair is left.
  mutating func next(minimumCount: Int, token: (Int32, Int32) -> Int32) -> Merge? {
    while let best = pop() {
      let count = pairCounts[best.pair] ?? 0
      guard count == best.count else {
        if count > 0 { push(Entry(count: count, pair: best.pair)) }
        continue
      }
      guard count >= max(minimumCount, 1) else { return nil }
      let (first, second) = (
        Int32(truncatingIfNeeded: best.pair >> 32), Int32(truncatingIfNeeded: best.pair & 0xFFFF_FFFF)
      )
      let merge = Merge(first: first, second: second, token: token(first, second))
      apply(merge, pair: best.pair)
      return merge
    }
    return nil
  }

  private mutating func apply(_ merge: Merge, pair: UInt64) {
    var changes: [UInt64: Int] = [:]
    var grown: Set<UInt64> = []
    for word in places.removeValue(forKey: pair) ?? [] {
      let index = Int(word)
      let count = wordCounts[index]
      let start = starts[index]
      let length = Int(lengths[index])
      var write = 0
      var read = 0
      while read < length {
        let symbol = symbols[start + read]
        guard symbol == merge.first, read + 1 < length, symbols[start + read + 1] == merge.second else {
          symbols[start + write] = symbol
          write += 1
          read += 1
          continue
        }
        if write > 0 {
          let before = symbols[start + write - 1]
          changes[Self.pair(before, merge.first), default: 0] -= count
          changes[Self.pair(before, merge.token), default: 0] += count
          grown.insert(Self.pair(before, merge.token))
          note(Self.pair(before, merge.token), word)
        }
        symbols[start + write] = merge.token
        write += 1
        read += 2
        if read < length {
          let after = symbols[start + read]
          changes[Self.pair(merge.second, after), default: 0] -= count
          changes[Self.pair(merge.token, after), default: 0] += count
          grown.insert(Self.pair(merge.token, after))
          note(Self.pair(merge.token, after), word)
        }
      }
      lengths[index] = Int32(write)
    }
    for (pair, change) in changes { pairCounts[pair, default: 0] += change }
    pairCounts[pair] = nil
    for pair in grown {
      if let count = pairCounts[pair], count > 0 { push(Entry(count: count, pair: pair)) }
    }
  }

  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entry.precedes(heap[parent]) else { break }
      heap[child] = heap[parent]
      child = parent
    }
    heap[child] = entry
  }

  private mutating func pop() -> Entry? {
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
