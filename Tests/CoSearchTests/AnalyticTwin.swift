import Accuracy
import Architectures
import CoSearch
import Foundation
import Twins

/// A made-up device with the structure of a real one: overhead a layer and a head, arithmetic, traffic, paging, a peak power that
/// saturates.
struct AnalyticTwin: CandidateCosting {
  struct Rates {
    var layerSeconds = 2e-4
    /// By kind of head.
    var headSeconds = [1.0, 1.1, 1.3, 1.25, 1.4, 1.5, 1.6].map { $0 * 1e-4 }
    var flopsPerSecond = 2e11
    var bytesPerSecond = 2e10
    var pagingSecondsPerByte = 2e-9
    var pagingKneeBytes = 4e8
    var idleWatts = 3.0
    var riseWatts = 9.0
    var joulesPerFLOP = 2e-11
    var riseSeconds = 0.05
  }

  var deviceID: String
  var powerScope = PowerScope.board
  var intervalLevel = 0.9
  var memoryLimitBytes: Double?
  var rates: Rates
  /// Half width of the intervals, as a factor.
  var spread = 1.2

  private let parameters: ParameterTable
  /// By hidden size and combination: seconds of overhead, FLOPs, bytes.
  private let heads: [SIMD4<Float>]
  private let feedForward: [Float]
  private let hiddenSizes: [Double]
  private let combinationCount: Int
  private let stackCount: Int

  init(_ deviceID: String, space: DesignSpace, rates: Rates = Rates(), memoryLimitBytes: Double? = nil) {
    self.deviceID = deviceID
    self.rates = rates
    self.memoryLimitBytes = memoryLimitBytes
    parameters = ParameterTable(space: space, convention: .native)
    hiddenSizes = space.hiddenSizes.map(Double.init)
    combinationCount = space.headCombinationCount
    stackCount = space.feedForwardStackCount
    let n = 128.0
    heads = space.hiddenSizes.flatMap { h in
      (0..<space.headCombinationCount).map { index in
        let combination = space.headCombination(index)
        let d = h / combination.headCount
        var seconds = 0.0
        var flops = 2 * n * 4 * Double(h * d * combination.headCount)
        var bytes = 0.0
        for operation in HeadOperation.allCases {
          let count = Double(combination.count(of: operation))
          seconds += count * rates.headSeconds[Int(operation.rawValue)]
          flops += count * (6 * n * n * Double(d) + Double(operation.taps ?? 0) * 6 * n * Double(d))
          bytes += count * 4 * n * n * Double(d)
        }
        return SIMD4(Float(seconds), Float(flops), Float(bytes), 0)
      }
    }
    feedForward = space.hiddenSizes.flatMap { h in
      (0..<space.feedForwardStackCount).map { index in
        var input = h
        var products = 0
        for width in space.feedForwardStack(index) + [h] {
          products += input * width
          input = width
        }
        return Float(2 * n * Double(products))
      }
    }
  }

  func costs(of points: [DesignPoint], into costs: inout [CostEstimate]) {
    costs.removeAll(keepingCapacity: true)
    costs.reserveCapacity(points.count)
    for point in points { costs.append(cost(of: point)) }
  }

  func memoryBytes(of points: [DesignPoint], into bytes: inout [Double]) {
    bytes = points.map { 4 * Double(parameters.count(of: $0)) }
  }

  private func cost(of point: DesignPoint) -> CostEstimate {
    var sums = SIMD4<Double>(repeating: 0)
    var flops = 0.0
    for index in 0..<point.layerCount {
      let layer = point[index]
      sums += SIMD4<Double>(heads[layer.hidden * combinationCount + layer.heads])
      flops += Double(feedForward[layer.hidden * stackCount + layer.feedForward])
      if index + 1 < point.layerCount, point[index + 1].hidden != layer.hidden {
        flops += 256 * hiddenSizes[layer.hidden] * hiddenSizes[point[index + 1].hidden]
        sums.x += rates.layerSeconds / 4
      }
    }
    flops += sums.y
    let bytes = 4 * Double(parameters.count(of: point))
    let latency =
      1e-3 + rates.layerSeconds * Double(point.layerCount) + sums.x + flops / rates.flopsPerSecond
      + (sums.z + bytes) / rates.bytesPerSecond + max(0, bytes - rates.pagingKneeBytes) * rates.pagingSecondsPerByte
    let energy = rates.idleWatts * latency + rates.joulesPerFLOP * flops + 3e-10 * bytes
    let power = rates.idleWatts + rates.riseWatts * (1 - exp(-latency / rates.riseSeconds))
    return CostEstimate(
      latencySeconds: interval(latency), energyJoules: interval(energy), peakPowerWatts: interval(power))
  }

  private func interval(_ median: Double) -> Estimate {
    Estimate(median: median, lower: median / spread, upper: median * spread)
  }
}

extension AnalyticTwin {
  /// Three devices that differ as a board, a laptop and a card do.
  static func trio(_ space: DesignSpace) -> [AnalyticTwin] {
    var laptop = Rates()
    laptop.flopsPerSecond = 1e12
    laptop.layerSeconds = 5e-5
    laptop.headSeconds = laptop.headSeconds.map { $0 / 4 }
    laptop.bytesPerSecond = 1e11
    laptop.idleWatts = 8
    laptop.riseWatts = 25
    laptop.joulesPerFLOP = 1.2e-11
    laptop.pagingKneeBytes = 1e10
    var card = laptop
    card.flopsPerSecond = 1e13
    card.headSeconds = card.headSeconds.reversed()
    card.bytesPerSecond = 1e12
    card.idleWatts = 50
    card.riseWatts = 250
    card.joulesPerFLOP = 8e-12
    return [
      AnalyticTwin("board", space: space), AnalyticTwin("laptop", space: space, rates: laptop),
      AnalyticTwin("card", space: space, rates: card),
    ]
  }
}
