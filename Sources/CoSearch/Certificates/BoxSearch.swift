import Accuracy
import Architectures
import Foundation
import Twins

/// Best-first branch and bound.
struct BoxSearch {
  /// A part of the space.
  struct Box {
    var layers: Int
    /// Logarithms of the ratio of each form to its measure's first; the first's is 0. Of the forms as they are at the least bytes of
    /// the box.
    var ratios: [[ClosedRange<Double>]]
    var logBytes: ClosedRange<Double>
    var logHeads: ClosedRange<Double>
    var convolutionShare: ClosedRange<Double>
    /// By hidden size, how many layers have it.
    var counts: [ClosedRange<Int>]
    var bound = 0.0
    /// Three of the accuracy's limit, then by ``Constraint/slot``; a part of a box begins where the whole ended.
    var multipliers = [Double](repeating: 0, count: Constraint.slotCount)
    var ratioError = 0.0
    var residualError = 0.0
    /// What functions of the parameters' size leave open.
    var sizeError = 0.0
    /// By hidden size, how many layers have it in the models that the multipliers last went back and forth between: what their mean leaves
    /// open, since no model is a mean of two.
    var lastCounts: [ClosedRange<Int>] = []
    var cutsBytes = false
    var cutsHeads = false
    var cutsShare = false

    /// Widens ``lastCounts`` by a model's.
    mutating func note(_ point: DesignPoint) {
      var own = [Int](repeating: 0, count: counts.count)
      for index in 0..<point.layerCount { own[point[index].hidden] += 1 }
      lastCounts = own.indices.map { size in
        lastCounts.isEmpty
          ? own[size]...own[size]
          : min(lastCounts[size].lowerBound, own[size])...max(lastCounts[size].upperBound, own[size])
      }
    }
  }

  /// `weights · sums ≥ least`.
  struct Constraint {
    /// Three of the accuracy's limit, then least and most of parameters, heads and the share that convolve.
    static let slotCount = 9
    var slot: Int
    var weights: LayerSums
    var least: Double
  }

  let evaluator: CandidateEvaluator
  let parts: TwinParts
  let minimiser: LayerwiseMinimum
  let accuracy: AccuracyStructure
  let query: CostQuery
  /// Measures that count, with their weight in the cost.
  let measures: [(index: Int, weight: Double)]
  private var cost = Double.infinity
  private var point: DesignPoint?
  private var tried: Set<DesignPoint> = []

  /// Subgradient steps of a first box, which begins at multipliers of 0, and of a part.
  private static let firstSteps = 150
  private static let steps = 24

  init(
    _ evaluator: CandidateEvaluator, _ parts: TwinParts, _ minimiser: LayerwiseMinimum,
    _ accuracy: AccuracyStructure, _ query: CostQuery
  ) {
    self.evaluator = evaluator
    self.parts = parts
    self.minimiser = minimiser
    self.accuracy = accuracy
    self.query = query
    measures = [(0, query.latencyWeight), (1, query.energyWeight)].filter { $0.1 > 0 }
  }

  mutating func run(tolerance: Double, maximumBoxes: Int) -> CostCertificate {
    var open = evaluator.space.layerCounts.compactMap { root(layers: $0) }
    var boxes = 0
    for index in open.indices { bound(&open[index], steps: Self.firstSteps) }
    var lowerBound = 0.0
    while true {
      // What cannot hold a better model is let go of.
      open.removeAll { $0.bound >= cost * (1 - tolerance * 0.5) }
      guard let next = open.indices.min(by: { open[$0].bound < open[$1].bound }) else {
        lowerBound = max(lowerBound, cost * (1 - tolerance * 0.5))
        break
      }
      lowerBound = max(lowerBound, open[next].bound)
      if boxes >= maximumBoxes || open[next].bound >= cost * (1 - tolerance) { break }
      let children = split(open[next])
      if children.isEmpty { break }
      open.remove(at: next)
      for var child in children {
        bound(&child, steps: Self.steps)
        boxes += 1
        if child.bound < .infinity { open.append(child) }
      }
    }
    descend()
    if cost == .infinity, open.isEmpty { lowerBound = .infinity }
    return CostCertificate(
      query: query, lowerBound: min(lowerBound, cost), point: point, cost: cost, boxes: boxes)
  }

  // MARK: - Boxes

  private var leastBytes: Double { (query.minParameters ?? 0) * parts.bytesPerParameter }

  private func root(layers: Int) -> Box? {
    var twin = TwinParts.Vector(repeating: 0)
    twin[TwinParts.parameterBytesLane] = 1
    let least = minimiser.minimum(LayerSums(twin: twin, accuracy: SIMD4(repeating: 0)), layers: layers).value
    let most = -minimiser.minimum(LayerSums(twin: -1 * twin, accuracy: SIMD4(repeating: 0)), layers: layers).value
    let low = max(least, leastBytes)
    let high = min(most, (query.maxParameters ?? .infinity) * parts.bytesPerParameter)
    guard low <= high else { return nil }
    let counts = evaluator.space.headCounts
    let logBytes = log(low)...log(max(high, low))
    return Box(
      layers: layers, ratios: ratios(layers: layers, logBytes: logBytes.lowerBound), logBytes: logBytes,
      logHeads: log(Double((counts.min() ?? 1) * layers))...log(Double((counts.max() ?? 1) * layers)),
      convolutionShare: 0...1, counts: Array(repeating: 0...layers, count: evaluator.space.hiddenSizes.count),
      cutsBytes: query.minParameters != nil || query.maxParameters != nil)
  }

  /// What the ratios of forms of all models span; none where a form is not positive for every model: then nothing is known but that costs
  /// are not negative.
  private func ratios(layers: Int, logBytes: Double) -> [[ClosedRange<Double>]] {
    var ratios: [[ClosedRange<Double>]] = []
    for measure in measures {
      let forms = parts.measure(measure.index, parameterBytes: exp(logBytes)).forms
      var ranges = [0.0...0.0]
      for form in forms.dropFirst() {
        guard let first = forms.first, let range = ratio(form, first, layers: layers) else { return [] }
        ranges.append(range)
      }
      ratios.append(ranges)
    }
    return ratios
  }

  /// The logarithm of the least and the largest ratio of two forms, by Dinkelbach's method; nil where one is not positive.
  private func ratio(
    _ a: MeasureParts.Form, _ b: MeasureParts.Form, layers: Int
  ) -> ClosedRange<Double>? {
    func value(_ form: MeasureParts.Form, _ sums: LayerSums) -> Double {
      form.constant + (form.lanes * sums.twin).sum()
    }
    func least(_ form: MeasureParts.Form) -> Double {
      minimiser.minimum(LayerSums(twin: form.lanes, accuracy: SIMD4(repeating: 0)), layers: layers).value
        + form.constant
    }
    guard least(a) > 0, least(b) > 0 else { return nil }
    /// Least ratio of `top` to `bottom`.
    func extreme(_ top: MeasureParts.Form, _ bottom: MeasureParts.Form) -> Double {
      var t = Double.infinity
      var sums = minimiser.minimum(LayerSums(twin: top.lanes, accuracy: SIMD4(repeating: 0)), layers: layers).sums
      for _ in 0..<50 {
        let next = value(top, sums) / value(bottom, sums)
        if !(next < t * (1 - 1e-12)) { break }
        t = next
        sums =
          minimiser.minimum(
            LayerSums(twin: top.lanes - t * bottom.lanes, accuracy: SIMD4(repeating: 0)), layers: layers
          ).sums
      }
      return t
    }
    let low = log(extreme(a, b)) - 1e-9
    let high = -log(extreme(b, a)) + 1e-9
    return low <= high ? low...high : high...low
  }

  private func split(_ box: Box) -> [Box] {
    func halves(_ range: ClosedRange<Double>) -> [ClosedRange<Double>] {
      let middle = (range.lowerBound + range.upperBound) / 2
      return [range.lowerBound...middle, middle...range.upperBound]
    }
    func width(_ range: ClosedRange<Double>) -> Double { range.upperBound - range.lowerBound }
    if box.ratios.isEmpty { return [] }
    // Where the box is narrow already, it is models of other hidden sizes that the bound takes the mean of.
    let rest = log(cost / max(box.bound, 1e-300)) - box.ratioError - box.residualError - box.sizeError
    if cost.isFinite, rest > box.ratioError + box.residualError + box.sizeError, let size = widestCount(box) {
      let middle = (box.lastCounts[size].lowerBound + box.lastCounts[size].upperBound) / 2
      return [box.counts[size].lowerBound...middle, middle + 1...box.counts[size].upperBound].map {
        var child = box
        child.counts[size] = $0
        return child
      }
    }
    if box.ratioError >= max(box.residualError, box.sizeError) {
      var widest = (measure: 0, form: 0, width: 0.0)
      for (measure, ranges) in box.ratios.enumerated() {
        for (form, range) in ranges.enumerated() where width(range) > widest.width {
          widest = (measure, form, width(range))
        }
      }
      guard widest.width > 1e-6 else { return [] }
      return halves(box.ratios[widest.measure][widest.form]).map {
        var child = box
        child.ratios[widest.measure][widest.form] = $0
        return child
      }
    }
    // The summary that spans the largest part of what models span.
    let shares = [width(box.logBytes) / 2.4, width(box.logHeads) / 1.8, width(box.convolutionShare)]
    let widest = box.sizeError > box.residualError ? 0 : shares.indices.max { shares[$0] < shares[$1] }
    switch widest ?? 0 {
    case 0:
      return halves(box.logBytes).map {
        var child = box
        child.logBytes = $0
        child.cutsBytes = true
        // Other forms, other ratios.
        if parts.hasFunctions { child.ratios = ratios(layers: box.layers, logBytes: $0.lowerBound) }
        return child
      }
    case 1:
      return halves(box.logHeads).map {
        var child = box
        child.logHeads = $0
        child.cutsHeads = true
        return child
      }
    default:
      return halves(box.convolutionShare).map {
        var child = box
        child.convolutionShare = $0
        child.cutsShare = true
        return child
      }
    }
  }

  /// The hidden size whose number of layers the bound leaves open most; nil where it leaves none.
  private func widestCount(_ box: Box) -> Int? {
    let widths = box.lastCounts.map { $0.upperBound - $0.lowerBound }
    guard let size = widths.indices.max(by: { widths[$0] < widths[$1] }), widths[size] > 0 else { return nil }
    return size
  }

  // MARK: - Bounds

  /// Works out the bound of a box, and tries the models that it comes by.
  private mutating func bound(_ box: inout Box, steps: Int) {
    guard !box.ratios.isEmpty else { return }
    var weights = LayerSums.zero
    var constant = 0.0
    box.ratioError = 0
    box.residualError = 0
    var sizeGap = 0.0
    for (position, measure) in measures.enumerated() {
      let part = parts.measure(measure.index, parameterBytes: exp(box.logBytes.lowerBound))
      let ranges = box.ratios[position]
      let centres = ranges.map { ($0.lowerBound + $0.upperBound) / 2 }
      let widest = ranges.reduce(0) { max($0, $1.upperBound - $1.lowerBound) }
      let total = part.forms.reduce(0) { $0 + $1.weight }
      let mean = zip(part.forms, centres).reduce(0) { $0 + $1.0.weight * $1.1 }
      let residual = part.residualBounds(
        logParameterBytes: box.logBytes, logHeads: box.logHeads, convolutionShare: box.convolutionShare)
      guard abs(total - 1) < 1e-6 else {
        box.bound = 0
        box.ratios = []
        return
      }
      let factor = measure.weight * exp(part.logLevel + residual.lower - widest * widest / 8)
      for (form, centre) in zip(part.forms, centres) {
        let lambda = factor * form.weight * exp(mean - centre)
        weights.twin += lambda * form.lanes
        constant += lambda * form.constant
      }
      if parts.hasFunctions {
        let most = parts.measure(measure.index, parameterBytes: exp(box.logBytes.upperBound))
        for (index, centre) in centres.enumerated() {
          let lambda = factor * part.forms[index].weight * exp(mean - centre)
          sizeGap += lambda * (most.forms[index].constant - part.forms[index].constant)
        }
      }
      box.ratioError = max(box.ratioError, widest * widest / 8)
      box.residualError = max(box.residualError, residual.upper - residual.lower)
    }
    let limit = query.minAccuracy.flatMap { AccuracyLimit(accuracy, score: $0, layers: box.layers) }
    if let limit, limit.isOutOfReach {
      box.bound = .infinity
      return
    }
    let value = dual(weights, constant, limit, constraints(box), &box, steps: steps)
    box.bound = max(box.bound, value)
    box.sizeError = value > 0 ? log(1 + sizeGap / value) : 0
  }

  /// The largest value of the dual function that subgradient steps of Polyak's length come by.
  private mutating func dual(
    _ weights: LayerSums, _ constant: Double, _ limit: AccuracyLimit?, _ limits: [Constraint], _ box: inout Box,
    steps: Int
  ) -> Double {
    var multipliers = box.multipliers
    var best = -Double.infinity
    var pace = 1.0
    var stalled = 0
    let steps = limits.isEmpty && limit == nil ? 1 : steps
    box.lastCounts = []
    for step in 0..<steps {
      var total = weights
      var offset = constant
      let ofAccuracy = AccuracyLimit.Multipliers(multipliers[0], multipliers[1], multipliers[2])
      let support = limit?.support(ofAccuracy)
      if let limit, let support {
        total += limit.weights(ofAccuracy)
        offset += support.value
      }
      for limit in limits where multipliers[limit.slot] != 0 {
        total += -multipliers[limit.slot] * limit.weights
        offset += multipliers[limit.slot] * limit.least
      }
      let solution = minimiser.minimum(total, layers: box.layers, counts: box.counts)
      if solution.value == .infinity { return .infinity }
      let value = solution.value + offset
      attempt(solution.point)
      if step >= steps / 2 { box.note(solution.point) }
      if value > best {
        best = value
        box.multipliers = multipliers
        stalled = 0
      } else {
        stalled += 1
        if stalled >= 3 {
          pace /= 2
          stalled = 0
        }
      }
      if best >= cost { break }
      var slopes = [Double](repeating: 0, count: Constraint.slotCount)
      if let limit, let support {
        let own = limit.slopes(support.at, solution.sums)
        for lane in 0..<3 { slopes[lane] = own[lane] }
      }
      for limit in limits { slopes[limit.slot] = limit.least - limit.weights.dot(solution.sums) }
      var squares = 0.0
      for (slope, multiplier) in zip(slopes, multipliers) where slope > 0 || multiplier > 0 { squares += slope * slope }
      guard squares > 0 else { break }
      let target = cost.isFinite ? cost : max(2 * abs(value), 1e-12)
      let length = pace * max(target - value, 1e-3 * abs(target)) / squares
      for slot in slopes.indices { multipliers[slot] = max(0, multipliers[slot] + length * slopes[slot]) }
    }
    return best
  }

  private func constraints(_ box: Box) -> [Constraint] {
    var result: [Constraint] = []
    func add(_ slot: Int, _ factors: [Int: Double], atLeast least: Double) {
      var twin = TwinParts.Vector(repeating: 0)
      for (lane, factor) in factors { twin[lane] = factor }
      result.append(
        Constraint(slot: slot, weights: LayerSums(twin: twin, accuracy: SIMD4(repeating: 0)), least: least))
    }
    // Each is scaled to a limit of about 1, so that one step length suits all.
    if box.cutsBytes {
      let bytes = TwinParts.parameterBytesLane
      add(3, [bytes: exp(-box.logBytes.lowerBound)], atLeast: 1)
      add(4, [bytes: -exp(-box.logBytes.upperBound)], atLeast: -1)
    }
    let heads = TwinParts.headsLane
    if box.cutsHeads {
      add(5, [heads: exp(-box.logHeads.lowerBound)], atLeast: 1)
      add(6, [heads: -exp(-box.logHeads.upperBound)], atLeast: -1)
    }
    if box.cutsShare {
      let (convolution, scale) = (TwinParts.convolutionHeadsLane, exp(-box.logHeads.upperBound))
      add(7, [convolution: scale, heads: -box.convolutionShare.lowerBound * scale], atLeast: 0)
      add(8, [convolution: -scale, heads: box.convolutionShare.upperBound * scale], atLeast: 0)
    }
    return result
  }

  // MARK: - Models

  /// From the cheapest model to a neighbour as long as one is cheaper.
  mutating func descend() {
    while let best = point {
      for neighbour in evaluator.space.neighbours(of: best) { attempt(neighbour) }
      if point == best { return }
    }
  }

  /// Keeps a model if the query allows it and nothing cheaper was found.
  mutating func attempt(_ point: DesignPoint) {
    guard tried.insert(point).inserted, let candidate = evaluator.candidate(of: point, device: query.device) else {
      return
    }
    let bytes = minimiser.sums(of: point).twin[TwinParts.parameterBytesLane]
    let parameters = bytes / parts.bytesPerParameter
    if let least = query.minParameters, parameters < least { return }
    if let most = query.maxParameters, parameters > most { return }
    if let least = query.minAccuracy, candidate.accuracy.median < least { return }
    let value =
      query.latencyWeight * candidate.costs.latencySeconds.median
      + query.energyWeight * candidate.costs.energyJoules.median
    if value < cost {
      cost = value
      self.point = point
    }
  }
}
