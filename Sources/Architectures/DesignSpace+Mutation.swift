import Numerics

extension DesignSpace {
  /// A point one elementary change away, see ``neighbours(of:)``: first a kind of change, then a change of
  /// that kind. The point itself only where the space has no other. Allocates next to nothing.
  public func randomNeighbour(of point: DesignPoint, using random: inout CounterRandom) -> DesignPoint {
    let first = random.nextIndex(below: 5)
    for offset in 0..<5 {
      let kind = (first + offset) % 5
      if kind == 4 {
        if let changed = layerCountChanged(point, using: &random) { return changed }
        continue
      }
      let index = random.nextIndex(below: point.layerCount)
      let layer = point[index]
      let changed: DesignPoint.Layer? =
        switch kind {
        case 0: hiddenChanged(layer, using: &random)
        case 1: feedForwardChanged(layer, using: &random)
        case 2: kindChanged(layer, using: &random)
        default: headCountChanged(layer, using: &random)
        }
      if let changed {
        var result = point
        result[index] = changed
        return result
      }
    }
    return point
  }

  /// A point in which each choice (the number of layers; a layer's size, stack, heads) is changed with
  /// probability `rate`: half of the changes are elementary, half draw afresh. At least one elementary change
  /// is made.
  public func mutate(_ point: DesignPoint, using random: inout CounterRandom, rate: Double) -> DesignPoint {
    var result = point
    if random.nextUniform() < rate {
      result = layerCountChanged(point, using: &random) ?? point
    }
    for index in 0..<result.layerCount {
      var layer = result[index]
      if random.nextUniform() < rate {
        layer = hiddenChanged(layer, using: &random) ?? layer
      }
      if random.nextUniform() < rate {
        if random.nextUniform() < 0.5 {
          layer = feedForwardChanged(layer, using: &random) ?? layer
        } else {
          let stack = random.nextIndex(below: feedForwardStackCount)
          layer = DesignPoint.Layer(hidden: layer.hidden, feedForward: stack, heads: layer.heads)
        }
      }
      if random.nextUniform() < rate {
        switch random.nextIndex(below: 4) {
        case 0: layer = kindChanged(layer, using: &random) ?? layer
        case 1: layer = headCountChanged(layer, using: &random) ?? layer
        default:
          let heads = random.nextIndex(below: headCombinationCount)
          layer = DesignPoint.Layer(hidden: layer.hidden, feedForward: layer.feedForward, heads: heads)
        }
      }
      result[index] = layer
    }
    return result == point ? randomNeighbour(of: point, using: &random) : result
  }

  /// A child of two points: the number of layers of either, and each layer from either parent that has it.
  public func crossover(
    _ first: DesignPoint, _ second: DesignPoint, using random: inout CounterRandom
  ) -> DesignPoint {
    let choices = random.next()
    var result = choices & 1 == 0 ? first : second
    for index in 0..<result.layerCount {
      let wantsFirst = choices >> UInt64(index + 1) & 1 == 0
      let takesFirst = wantsFirst ? index < first.layerCount : index >= second.layerCount
      result[index] = takesFirst ? first[index] : second[index]
    }
    return result
  }

  private func hiddenChanged(
    _ layer: DesignPoint.Layer, using random: inout CounterRandom
  ) -> DesignPoint.Layer? {
    guard hiddenSizes.count > 1 else { return nil }
    let other = random.nextIndex(below: hiddenSizes.count - 1)
    return DesignPoint.Layer(
      hidden: other < layer.hidden ? other : other + 1, feedForward: layer.feedForward, heads: layer.heads)
  }

  private func feedForwardChanged(
    _ layer: DesignPoint.Layer, using random: inout CounterRandom
  ) -> DesignPoint.Layer? {
    let widths = feedForwardWidths.count
    let stack = FeedForwardStackIndex(layer.feedForward, tables, widthCount: widths)
    // Places for the three edits: replace at each position, insert before or after each, remove each.
    let replacements = widths > 1 ? stack.length : 0
    let insertions = stack.length < maximumFeedForwardStack ? stack.length + 1 : 0
    let removals = stack.length > 1 ? stack.length : 0
    guard replacements + insertions + removals > 0 else { return nil }
    let edit = random.nextIndex(below: replacements + insertions + removals)
    let index: Int
    if edit < replacements {
      let other = random.nextIndex(below: widths - 1)
      index = stack.replacing(edit, with: other < stack.digit(edit) ? other : other + 1)
    } else if edit < replacements + insertions {
      index = stack.inserting(random.nextIndex(below: widths), at: edit - replacements)
    } else {
      index = stack.removing(edit - replacements - insertions)
    }
    return DesignPoint.Layer(hidden: layer.hidden, feedForward: index, heads: layer.heads)
  }

  private func kindChanged(
    _ layer: DesignPoint.Layer, using random: inout CounterRandom
  ) -> DesignPoint.Layer? {
    guard operations.count > 1 else { return nil }
    var combination = headCombination(layer.heads)
    let from = drawnHead(of: combination, using: &random)
    var other = random.nextIndex(below: operations.count - 1)
    if Int(operations[other].rawValue) == from { other = operations.count - 1 }
    combination.counts[from] -= 1
    combination.counts[Int(operations[other].rawValue)] += 1
    return replacingHeads(of: layer, with: combination)
  }

  private func headCountChanged(
    _ layer: DesignPoint.Layer, using random: inout CounterRandom
  ) -> DesignPoint.Layer? {
    var combination = headCombination(layer.heads)
    let count = combination.headCount
    guard let target = adjacentDraw(to: count, in: headCounts, using: &random) else { return nil }
    for _ in 0..<abs(target - count) {
      if target > count {
        combination.counts[Int(operations[random.nextIndex(below: operations.count)].rawValue)] += 1
      } else {
        combination.counts[drawnHead(of: combination, using: &random)] -= 1
      }
    }
    return replacingHeads(of: layer, with: combination)
  }

  private func layerCountChanged(_ point: DesignPoint, using random: inout CounterRandom) -> DesignPoint? {
    guard let count = adjacentDraw(to: point.layerCount, in: layerCounts, using: &random) else { return nil }
    let starts = count > point.layerCount ? point.layerCount : count + 1
    return point.resized(to: count, at: random.nextIndex(below: starts))
  }

  /// One of the values listed before and after a value.
  private func adjacentDraw(to value: Int, in list: [Int], using random: inout CounterRandom) -> Int? {
    guard list.count > 1, let index = list.firstIndex(of: value) else { return nil }
    if index == 0 { return list[1] }
    if index == list.count - 1 { return list[index - 1] }
    return random.next() & 1 == 0 ? list[index - 1] : list[index + 1]
  }

  /// The lane of one of the heads, each head as likely.
  private func drawnHead(of combination: HeadCombination, using random: inout CounterRandom) -> Int {
    var position = random.nextIndex(below: combination.headCount)
    for lane in 0..<7 {
      position -= Int(combination.counts[lane])
      if position < 0 { return lane }
    }
    return 0
  }

  private func replacingHeads(
    of layer: DesignPoint.Layer, with combination: HeadCombination
  ) -> DesignPoint.Layer? {
    headCombinationIndex(of: combination).map {
      DesignPoint.Layer(hidden: layer.hidden, feedForward: layer.feedForward, heads: $0)
    }
  }
}

extension DesignPoint {
  /// A point of `layerCount` layers (at most 12), all indices 0.
  init(layerCount: Int) {
    lanes = SIMD16(repeating: 0)
    lanes[Self.maximumLayerCount] = UInt32(clamping: min(layerCount, Self.maximumLayerCount))
  }

  /// The point with more layers, by repeating layer `start` in place, or fewer, by removing a run that begins
  /// there.
  func resized(to count: Int, at start: Int) -> DesignPoint {
    var result = DesignPoint(layerCount: count)
    let change = count - layerCount
    for index in 0..<count {
      if change >= 0 {
        result[index] = self[index <= start ? index : max(start, index - change)]
      } else {
        result[index] = self[index < start ? index : index - change]
      }
    }
    return result
  }
}
