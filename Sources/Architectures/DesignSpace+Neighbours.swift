/// Elementary changes of a point, all of them. ``DesignSpace/randomNeighbour(of:using:)`` draws from the same
/// set.
extension DesignSpace {
  /// All points one elementary change away, each once, in a fixed order; a few thousand for FlexiBERT 2.0.
  ///
  /// An elementary change is one of: another hidden size in one layer; in one layer's feed-forward stack a
  /// width replaced, inserted or removed; in one layer a head turned into another kind; one layer's number of
  /// heads moved to the one listed before or after, by adding any heads or removing any; the number of layers
  /// moved to the one listed before or after, by repeating one layer in place or removing a run of layers.
  public func neighbours(of point: DesignPoint) -> [DesignPoint] {
    var result: [DesignPoint] = []
    var seen: Set<DesignPoint> = [point]
    for index in 0..<point.layerCount {
      for layer in neighbours(of: point[index]) {
        var changed = point
        changed[index] = layer
        if seen.insert(changed).inserted { result.append(changed) }
      }
    }
    for count in adjacent(to: point.layerCount, in: layerCounts) {
      let starts = count > point.layerCount ? 0..<point.layerCount : 0..<(count + 1)
      for start in starts {
        let changed = point.resized(to: count, at: start)
        if seen.insert(changed).inserted { result.append(changed) }
      }
    }
    return result
  }

  private func neighbours(of layer: DesignPoint.Layer) -> [DesignPoint.Layer] {
    var result: [DesignPoint.Layer] = []
    for hidden in hiddenSizes.indices where hidden != layer.hidden {
      result.append(DesignPoint.Layer(hidden: hidden, feedForward: layer.feedForward, heads: layer.heads))
    }
    for stack in stackNeighbours(of: layer.feedForward) {
      result.append(DesignPoint.Layer(hidden: layer.hidden, feedForward: stack, heads: layer.heads))
    }
    for heads in combinationNeighbours(of: headCombination(layer.heads)) {
      guard let index = headCombinationIndex(of: heads) else { continue }
      result.append(DesignPoint.Layer(hidden: layer.hidden, feedForward: layer.feedForward, heads: index))
    }
    return result
  }

  private func stackNeighbours(of index: Int) -> [Int] {
    let stack = FeedForwardStackIndex(index, tables, widthCount: feedForwardWidths.count)
    var result: [Int] = []
    for position in 0..<stack.length {
      for width in feedForwardWidths.indices { result.append(stack.replacing(position, with: width)) }
      if stack.length > 1 { result.append(stack.removing(position)) }
    }
    if stack.length < maximumFeedForwardStack {
      for position in 0...stack.length {
        for width in feedForwardWidths.indices { result.append(stack.inserting(width, at: position)) }
      }
    }
    return result
  }

  private func combinationNeighbours(of combination: HeadCombination) -> [HeadCombination] {
    let lanes = operations.map { Int($0.rawValue) }
    var result: [HeadCombination] = []
    for from in lanes where combination.counts[from] > 0 {
      for to in lanes where to != from {
        var changed = combination
        changed.counts[from] -= 1
        changed.counts[to] += 1
        result.append(changed)
      }
    }
    let count = combination.headCount
    for target in adjacent(to: count, in: headCounts) {
      appendResized(combination, by: target - count, lanes[...], to: &result)
    }
    return result
  }

  /// Appends every way to add (or, for a negative number, remove) heads of the kinds in `lanes`.
  private func appendResized(
    _ combination: HeadCombination, by change: Int, _ lanes: ArraySlice<Int>,
    to result: inout [HeadCombination]
  ) {
    if change == 0 { return result.append(combination) }
    guard let lane = lanes.first else { return }
    let most = change > 0 ? change : min(-change, Int(combination.counts[lane]))
    for step in 0...most {
      var changed = combination
      changed.counts[lane] = UInt8(Int(combination.counts[lane]) + step * change.signum())
      appendResized(changed, by: change - step * change.signum(), lanes.dropFirst(), to: &result)
    }
  }

  /// The values listed before and after a value.
  func adjacent(to value: Int, in list: [Int]) -> [Int] {
    guard let index = list.firstIndex(of: value) else { return [] }
    var result: [Int] = []
    if index > 0 { result.append(list[index - 1]) }
    if index + 1 < list.count { result.append(list[index + 1]) }
    return result
  }
}

/// The number of a feed-forward stack, taken apart: within the stacks of its length, its widths are the
/// digits of a number to the base of how many widths there are, first width first.
struct FeedForwardStackIndex {
  let length: Int
  private let local: Int
  private let tables: DesignSpaceTables
  private let base: Int

  init(_ index: Int, _ tables: DesignSpaceTables, widthCount: Int) {
    var length = 1
    while length + 1 < tables.stackStarts.count, tables.stackStarts[length] <= index { length += 1 }
    self.length = length
    local = index - tables.stackStarts[length - 1]
    self.tables = tables
    base = widthCount
  }

  private func power(_ exponent: Int) -> Int {
    var result = 1
    for _ in 0..<exponent { result *= base }
    return result
  }

  func digit(_ position: Int) -> Int { local / power(length - 1 - position) % base }

  func replacing(_ position: Int, with digit: Int) -> Int {
    tables.stackStarts[length - 1] + local + (digit - self.digit(position)) * power(length - 1 - position)
  }

  func inserting(_ digit: Int, at position: Int) -> Int {
    let place = power(length - position)
    return tables.stackStarts[length] + (local / place * base + digit) * place + local % place
  }

  func removing(_ position: Int) -> Int {
    let place = power(length - 1 - position)
    return tables.stackStarts[length - 2] + local / (place * base) * place + local % place
  }
}
