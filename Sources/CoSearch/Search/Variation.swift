import Architectures
import Numerics

/// Makes new points from good ones.
///
/// Costs and accuracy are sums over layers, so what helps in one layer often helps in all: a changed layer is copied to a run of
/// layers or to the whole model as often as it stands alone.
struct Variation: Sendable {
  let space: DesignSpace

  func child(of parent: DesignPoint, mate: DesignPoint, using random: inout CounterRandom) -> DesignPoint {
    let draw = random.nextUniform()
    var child = parent
    if draw < 0.15 {
      child = space.crossover(parent, mate, using: &random)
      if random.nextUniform() < 0.5 { child = space.randomNeighbour(of: child, using: &random) }
    } else if draw < 0.50 {
      child = space.randomNeighbour(of: parent, using: &random)
      while random.nextUniform() < 0.4 { child = space.randomNeighbour(of: child, using: &random) }
    } else if draw < 0.80 {
      child = spreadNeighbour(of: parent, using: &random)
    } else if draw < 0.90 {
      child = rearranged(parent, mate, using: &random)
    } else {
      child = space.mutate(parent, using: &random, rate: 1.5 / Double(1 + 3 * max(parent.layerCount, 1)))
    }
    return child == parent ? space.randomNeighbour(of: child, using: &random) : child
  }

  /// A neighbour whose changed layer is copied to a run of layers; a change of their number stays as it is.
  private func spreadNeighbour(of parent: DesignPoint, using random: inout CounterRandom) -> DesignPoint {
    var child = space.randomNeighbour(of: parent, using: &random)
    let count = child.layerCount
    guard count == parent.layerCount, let changed = (0..<count).first(where: { child[$0] != parent[$0] }) else {
      return child
    }
    let (before, after) = (parent[changed], child[changed])
    let whole = random.nextUniform() < 0.5
    let start = whole ? 0 : random.nextIndex(below: count)
    let end = whole ? count : start + 1 + random.nextIndex(below: count - start)
    // Only what was changed is copied, unless the layers are to become alike.
    let alike = random.nextUniform() < 0.3
    for index in start..<end {
      let layer = child[index]
      child[index] =
        alike
        ? after
        : DesignPoint.Layer(
          hidden: before.hidden != after.hidden ? after.hidden : layer.hidden,
          feedForward: before.feedForward != after.feedForward ? after.feedForward : layer.feedForward,
          heads: before.heads != after.heads ? after.heads : layer.heads)
    }
    return child
  }

  /// Layers copied, exchanged or ordered by width (equal neighbours need no projection between them), or a layer of the mate.
  private func rearranged(
    _ parent: DesignPoint, _ mate: DesignPoint, using random: inout CounterRandom
  ) -> DesignPoint {
    var child = parent
    let count = parent.layerCount
    let (first, second) = (random.nextIndex(below: count), random.nextIndex(below: count))
    switch random.nextIndex(below: 4) {
    case 0: child[first] = parent[second]
    case 1:
      child[first] = parent[second]
      child[second] = parent[first]
    case 2:
      let layers = parent.layers.sorted {
        ($0.hidden, $0.feedForward, $0.heads) < ($1.hidden, $1.feedForward, $1.heads)
      }
      child = DesignPoint(layers: random.next() & 1 == 0 ? layers : layers.reversed())
    default: child[first] = mate[random.nextIndex(below: mate.layerCount)]
    }
    return child
  }
}
