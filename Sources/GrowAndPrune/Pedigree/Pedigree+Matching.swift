import Architectures

extension Pedigree {
  /// A pedigree for an architecture without a common lineage, with the identities of the parts of `other` that match its own best.
  ///
  /// Layers are aligned in order so that as many heads of the same operation as possible meet (by dynamic programming, as of edit
  /// distances; unmatched layers cost nothing, and of equal alignments the one closest to the same relative depth wins). In a pair of
  /// layers, heads of the same operation are matched in order, then those left over whatever their operation, since q, k and v are alike for
  /// all kinds; feed-forward hidden layers by their place; channels, units and neurons from the leading one on.
  package init(matching architecture: Architecture, to other: Pedigree) {
    var child = Pedigree(root: architecture)
    // What matches nothing must not look like a part of the other.
    let shift = other.nextIdentity
    func shifted(_ list: [Int]) -> [Int] { list.map { $0 + shift } }
    let pairs = Self.alignment(of: architecture, to: other)
    var channels: [Int] = []
    for index in child.layers.indices {
      var layer = child.layers[index]
      let own = layer
      layer.identity += shift
      let source = pairs[index].map { other.layers[$0] }
      layer.headUnits = Self.leading(source?.headUnits ?? [], orNew: shifted(own.headUnits))
      layer.heads = Self.matchedHeads(own.heads, to: source?.heads ?? [], shift: shift)
      layer.feedForward = own.feedForward.enumerated().map { place, hidden in
        let match = source.flatMap { place < $0.feedForward.count ? $0.feedForward[place] : nil }
        return Hidden(
          identity: match?.identity ?? hidden.identity + shift,
          neurons: Self.leading(match?.neurons ?? [], orNew: shifted(hidden.neurons)))
      }
      if let source { layer.identity = source.identity }
      // One width, one space: where a layer begins a run, its channels are those of the layer that it or the next of the run matches.
      if index == 0 || architecture.layers[index].hiddenSize != architecture.layers[index - 1].hiddenSize {
        let run = (index..<child.layers.count).prefix {
          architecture.layers[$0].hiddenSize == architecture.layers[index].hiddenSize
        }
        let match = run.lazy.compactMap { pairs[$0] }.first.map { other.layers[$0].channels }
        channels = Self.leading(match ?? [], orNew: shifted(own.channels))
      }
      layer.channels = channels
      child.layers[index] = layer
    }
    self.init(
      vocabularySize: child.vocabularySize, maximumPositions: child.maximumPositions,
      typeVocabularySize: child.typeVocabularySize, position: child.position, layers: child.layers,
      nextIdentity: child.nextIdentity + shift)
  }

  private static func leading(_ match: [Int], orNew own: [Int]) -> [Int] {
    own.indices.map { $0 < match.count ? match[$0] : own[$0] }
  }

  private static func matchedHeads(_ own: [Head], to other: [Head], shift: Int) -> [Head] {
    var free = other
    var result: [Head?] = own.map { head in
      guard let place = free.firstIndex(where: { $0.operation == head.operation }) else { return nil }
      return free.remove(at: place)
    }
    for index in result.indices where result[index] == nil {
      let identity = free.isEmpty ? own[index].identity + shift : free.removeFirst().identity
      result[index] = Head(identity: identity, operation: own[index].operation)
    }
    return result.compactMap(\.self)
  }

  /// The other's layer for each of an architecture's, rising.
  private static func alignment(of architecture: Architecture, to other: Pedigree) -> [Int?] {
    let (rows, columns) = (architecture.layers.count, other.layers.count)
    /// One for the pair itself, and the share of heads that find their own kind; a little less the farther apart in depth.
    func value(_ row: Int, _ column: Int) -> Double {
      var free = other.layers[column].heads.map(\.operation)
      var met = 0
      for head in architecture.layers[row].heads {
        guard let place = free.firstIndex(of: head) else { continue }
        free.remove(at: place)
        met += 1
      }
      let most = max(architecture.layers[row].heads.count, other.layers[column].heads.count, 1)
      let depth = abs((Double(row) + 0.5) / Double(rows) - (Double(column) + 0.5) / Double(columns))
      return 1 + Double(met) / Double(most) - 0.1 * depth
    }
    var best = [[Double]](repeating: [Double](repeating: 0, count: columns + 1), count: rows + 1)
    for row in stride(from: rows - 1, through: 0, by: -1) {
      for column in stride(from: columns - 1, through: 0, by: -1) {
        best[row][column] = max(
          best[row + 1][column], best[row][column + 1], value(row, column) + best[row + 1][column + 1])
      }
    }
    var pairs = [Int?](repeating: nil, count: rows)
    var (row, column) = (0, 0)
    while row < rows, column < columns {
      if best[row][column] == value(row, column) + best[row + 1][column + 1] {
        pairs[row] = column
        (row, column) = (row + 1, column + 1)
      } else if best[row][column] == best[row + 1][column] {
        row += 1
      } else {
        column += 1
      }
    }
    return pairs
  }
}
