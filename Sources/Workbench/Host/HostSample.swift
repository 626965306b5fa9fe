import Architectures
import Foundation
import Numerics
import Twins

/// Random architectures of a space that are spread over the logarithm of their latency, and within it over what they are made of.
///
/// Uniform draws of a space of many layers are nearly all large; a twin must also know the small ones.
public struct HostSample: Sendable {
  public var space: DesignSpace
  /// What predicts the latency, measured or not.
  public var twin: Twin
  public var seed: UInt64
  /// Models that would take longer are left out.
  public var longestSeconds = Double.infinity

  private static let candidates = 1_500
  /// Of candidates of a stratum that are looked at.
  private static let considered = 12

  public init(space: DesignSpace = .flexibert2, twin: Twin, seed: UInt64, longestSeconds: Double = .infinity) {
    self.space = space
    self.twin = twin
    self.seed = seed
    self.longestSeconds = longestSeconds
  }

  /// - Parameters:
  ///   - count: of architectures; fewer where the space has not as many different ones.
  ///   - excluded: ids that must not be drawn.
  /// - Returns: by rising latency.
  public func draw(_ count: Int, excluding excluded: Set<String> = []) -> [Architecture] {
    var seen = excluded
    var points: [DesignPoint] = []
    for index in 0..<Self.candidates {
      var random = CounterRandom(seed: seed, stream: 11, UInt64(index))
      points.append(point(using: &random))
    }
    let compiled = CompiledTwin(twin, space: space)
    var costs: [CostEstimate] = []
    compiled.predict(points, into: &costs)
    let timed = zip(points, costs).map {
      (point: $0, log: log($1.latencySeconds.median * Double(twin.settings.batchSize)))
    }
    .filter { $0.log <= log(longestSeconds) }.sorted { $0.log < $1.log }
    guard count > 0, let first = timed.first, let last = timed.last else { return [] }
    var chosen: [(model: Architecture, log: Double)] = []
    var places: [[Double]] = []
    let width = (last.log - first.log) / Double(count)
    var next = timed.startIndex
    for stratum in 0..<count {
      let upper = stratum == count - 1 ? Double.infinity : first.log + Double(stratum + 1) * width
      let end = timed[next...].firstIndex { $0.log > upper } ?? timed.endIndex
      var best: (distance: Double, model: Architecture, log: Double, place: [Double])?
      let members = timed[next..<end]
      next = end
      let step = max(1, members.count / Self.considered)
      for (offset, member) in members.enumerated() where offset % step == 0 {
        let model = space.architecture(of: member.point)
        guard !seen.contains(model.id) else { continue }
        let place = self.place(of: model)
        let distance = places.map { Self.distance($0, place) }.min() ?? 1
        if distance > best?.distance ?? -1 { best = (distance, model, member.log, place) }
      }
      if let best {
        seen.insert(best.model.id)
        chosen.append((best.model, best.log))
        places.append(best.place)
      }
    }
    // A stratum may hold no model: others take its place, from all over the rest.
    for finer in 0..<4 where chosen.count < count {
      let step = max(1, timed.count / ((count - chosen.count) << finer))
      for member in stride(from: step / 2, to: timed.count, by: step) where chosen.count < count {
        let model = space.architecture(of: timed[member].point)
        if seen.insert(model.id).inserted { chosen.append((model, timed[member].log)) }
      }
    }
    return chosen.sorted { $0.log < $1.log }.map(\.model)
  }

  /// A point whose layers are the smallest of several draws, of so many that small and large models come up alike.
  private func point(using random: inout CounterRandom) -> DesignPoint {
    let draws = Int(exp(random.nextUniform() * log(64)))
    var point = space.randomPoint(using: &random)
    for index in 0..<point.layerCount {
      var smallest = weight(point[index])
      for _ in 1..<max(draws, 2) {
        let other = space.randomPoint(using: &random)[0]
        let own = weight(other)
        if draws > 1, own < smallest {
          smallest = own
          point[index] = other
        }
      }
    }
    return point
  }

  private func weight(_ layer: DesignPoint.Layer) -> Double {
    let model = space.architecture(of: DesignPoint(layers: [layer])).layers[0]
    let widths = [model.hiddenSize] + model.feedForward + [model.hiddenSize]
    return 4 * Double(model.hiddenSize * model.hiddenSize)
      + zip(widths, widths.dropFirst()).reduce(0) { $0 + Double($1.0 * $1.1) }
  }

  /// Shares of the kinds of kernels in a model's time.
  private func place(of model: Architecture) -> [Double] {
    let features = twin.features(of: model)
    let kinds: [Feature] = [
      .projectionSeconds, .feedForwardSeconds, .scoreSeconds, .relativeScoreSeconds, .fourierSeconds, .cosineSeconds,
      .convolutionSeconds, .softmaxSeconds, .activationSeconds, .normalisationSeconds,
    ]
    let seconds = kinds.map { features[$0] }
    let sum = max(seconds.reduce(0, +), 1e-12)
    return seconds.map { ($0 / sum).squareRoot() }
  }

  private static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }
}
