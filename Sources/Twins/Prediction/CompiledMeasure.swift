import Foundation

/// One measure of a compiled twin.
struct CompiledMeasure: Sendable {
  private let lanes: Range<Int>
  private let weights: [Double]
  /// The weight of every form where they are equal: then one logarithm of a product serves.
  private let equalWeight: Double?
  private let saturation: Saturation?
  private let residual: ResidualModel?
  private let monomials: Monomials
  private let logLevel: Double
  private let lowerFactor: Double
  private let upperFactor: Double
  /// The factors of the measurements alone, without what overrides and settings add.
  private let measuredFactors: (lower: Double, upper: Double)

  init(_ model: MeasureModel, lanes: Range<Int>, level: Double, widening: Double) {
    self.lanes = lanes
    weights = model.forms.map(\.weight)
    let first = model.forms.first?.weight
    equalWeight = model.forms.allSatisfy { abs($0.weight - (first ?? 0)) < 1e-12 } ? first : nil
    saturation = model.saturation
    residual = model.residual
    monomials = Monomials(variables: model.residual?.inputs.count ?? 1, degree: model.residual?.degree ?? 1)
    logLevel = model.logLevel
    let offsets = model.spread.offsets(level: level)
    lowerFactor = exp(offsets.lower - widening)
    upperFactor = exp(offsets.upper + widening)
    measuredFactors = (exp(offsets.lower), exp(offsets.upper))
  }

  @inline(__always)
  func logMedian(_ sum: CompiledLanes.Vector, summaries: SummaryValues, logSeconds: Double) -> Double {
    var value = logLevel
    if let equalWeight {
      var product = 1.0
      for lane in lanes { product *= max(sum[lane], MeasureModel.floor) }
      value += equalWeight * log(product)
    } else {
      for (index, lane) in lanes.enumerated() { value += weights[index] * log(max(sum[lane], MeasureModel.floor)) }
    }
    if let saturation {
      value += saturation.weight * log(max(saturation.value(seconds: exp(logSeconds)), MeasureModel.floor))
    }
    if let residual {
      value += residual.value(of: summaries, logSeconds: logSeconds, monomials: monomials)
    }
    return value
  }

  @inline(__always)
  func logSteadyShare(_ sum: CompiledLanes.Vector, startup: CompiledLanes.Vector) -> Double {
    if let equalWeight {
      var product = 1.0
      for lane in lanes {
        let cost = max(sum[lane], MeasureModel.floor)
        product *= max((cost - startup[lane]) / cost, MeasureModel.steadyFloor)
      }
      return equalWeight * log(product)
    }
    var value = 0.0
    for (index, lane) in lanes.enumerated() {
      let cost = max(sum[lane], MeasureModel.floor)
      value += weights[index] * log(max((cost - startup[lane]) / cost, MeasureModel.steadyFloor))
    }
    return value
  }

  @inline(__always)
  func estimate(_ logMedian: Double, excess: Double) -> Estimate {
    let median = exp(logMedian)
    if excess == 0 { return Estimate(median: median, lower: median * lowerFactor, upper: median * upperFactor) }
    let factor = exp(FeatureRange.widening * excess)
    return Estimate(median: median, lower: median * lowerFactor / factor, upper: median * upperFactor * factor)
  }

  /// The interval of the measurements alone.
  @inline(__always)
  func measured(_ median: Double) -> Estimate {
    Estimate(median: median, lower: median * measuredFactors.lower, upper: median * measuredFactors.upper)
  }
}
