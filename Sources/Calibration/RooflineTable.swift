import Architectures
import Twins

/// The kernels of a series' rows, for fits of a roofline: distinct parts of models (a kernel class of a layer's attention, of a head, of a
/// feed-forward stack …), and how many of each a row has.
struct RooflineTable: Sendable {
  struct Part: Sendable, Hashable {
    var group: Roofline.Group
    /// Per sequence.
    var flops: Double
    var bytes: Double
  }

  struct Row: Sendable {
    var parts: [(part: Int, count: Double)]
    /// Launches per sequence.
    var calls: Double
    /// What the constant and the cost of a byte are multiplied with, per sequence.
    var constant: Double
    var bytes: Double
    /// Bytes of all parameters.
    var parameterBytes: Double
  }

  let parts: [Part]
  private(set) var rows: [Row]

  /// What a datasheet says of the coefficients, to start from.
  let start: RooflineStart

  /// Start-up and loading of a process; a runtime that is timed by the call pays for calls, and for the weights that a call reads.
  let constantTerm: (feature: Feature, at: Double?, shape: Double?)
  let bytesTerm: (feature: Feature, at: Double?, shape: Double?)

  /// - Parameters:
  ///   - models: each with its settings.
  ///   - features: of the same rows.
  init(
    _ models: [(architecture: Architecture, settings: Settings)], features: [FeatureVector], variant: RuntimeVariant,
    start: RooflineStart
  ) {
    let constantTerm: (feature: Feature, at: Double?, shape: Double?) =
      variant.usesRoofs ? (.calls, nil, nil) : (.constant, nil, nil)
    let bytesTerm: (feature: Feature, at: Double?, shape: Double?) =
      variant.usesRoofs ? (.weightWaitSeconds, start.wait.at, start.wait.shape) : (.parameterBytes, nil, nil)
    self.constantTerm = constantTerm
    self.bytesTerm = bytesTerm
    var indices: [Part: Int] = [:]
    var parts: [Part] = []
    rows = zip(models, features).map { model, vector in
      let (architecture, settings) = model
      let form = ClosedForm(settings: settings, variant: variant, position: architecture.position)
      let batch = Double(settings.batchSize)
      var counts: [Int: Double] = [:]
      var calls = 0.0
      func add(_ work: WorkByClass, count: Double = 1) {
        for kernelClass in KernelClass.allCases {
          let single = work[kernelClass]
          guard single.calls > 0 else { continue }
          calls += count * single.calls / batch
          let part = Part(
            group: .init(kernelClass), flops: single.flops / batch, bytes: single.bytes / batch)
          let index = indices[part] ?? parts.count
          if index == parts.count {
            indices[part] = index
            parts.append(part)
          }
          counts[index, default: 0] += count
        }
      }
      add(form.embedding(width: Double(architecture.embeddingWidth), position: architecture.position))
      add(form.pooler(width: Double(architecture.layers.last?.hiddenSize ?? 0)))
      for (index, layer) in architecture.layers.enumerated() {
        let h = Double(layer.hiddenSize)
        add(form.attention(hiddenSize: h, attentionWidth: Double(layer.attentionWidth)))
        for operation in HeadOperation.allCases {
          let count = layer.heads.count { $0 == operation }
          if count > 0 { add(form.head(operation, headSize: Double(layer.headSize)), count: Double(count)) }
        }
        add(form.feedForward(hiddenSize: h, stack: layer.feedForward.map(Double.init)))
        if index + 1 < architecture.layers.count {
          add(form.join(from: h, to: Double(architecture.layers[index + 1].hiddenSize)))
        }
      }
      return Row(
        parts: counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, calls: calls,
        constant: vector[constantTerm.feature],
        bytes: vector.value(of: bytesTerm.feature, at: bytesTerm.at ?? 0, shape: bytesTerm.shape ?? 1),
        parameterBytes: vector[.parameterBytes])
    }
    self.parts = parts
    self.start = start
  }

  func selecting(_ indices: [Int]) -> RooflineTable {
    var result = self
    result.rows = indices.map { rows[$0] }
    return result
  }
}

/// What a datasheet says of a roofline's coefficients.
struct RooflineStart: Sendable {
  var roofline: Roofline
  var constantSeconds: Double
  var secondsPerParameterByte: Double
  var secondsPerPagedByte: Double
  /// Where weights fill the cache.
  var wait: (at: Double, shape: Double)

  /// Shares of the rate of linear maps, and launches of one head, that experience with eager runtimes gives.
  private static let attentionShare = 0.5
  private static let operationShare = 0.2
  private static let elementwiseShare = 0.2
  private static let launchesPerHead = 10.0

  init(_ datasheet: DatasheetTwin) {
    let rate = datasheet.productRate
    roofline = Roofline(
      linearFLOPsPerSecond: rate, attentionFLOPsPerSecond: Self.attentionShare * rate,
      operationFLOPsPerSecond: Self.operationShare * rate, elementwiseFLOPsPerSecond: Self.elementwiseShare * rate,
      bytesPerSecond: 1 / datasheet.streamSecondsPerByte,
      launchSeconds: datasheet.prior.headSeconds / datasheet.hostSpeed / Self.launchesPerHead)
    let form = datasheet.latency()
    func value(_ feature: Feature) -> Double? { form.coefficients.first { $0.feature == feature }?.value }
    constantSeconds = value(.constant) ?? value(.calls) ?? 1e-5
    secondsPerParameterByte =
      value(.parameterBytes) ?? value(.weightWaitSeconds) ?? datasheet.streamSecondsPerByte / 10
    secondsPerPagedByte = value(.pagedParameterBytes) ?? datasheet.streamSecondsPerByte
    wait = form.coefficients.first { $0.feature == .weightWaitSeconds }.map { ($0.at ?? 0, $0.shape ?? 0) } ?? (0, 0)
  }
}
