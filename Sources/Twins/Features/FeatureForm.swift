import Architectures
import Foundation

/// Features of the parts of a model in closed form, per sequence, for given settings.
///
/// A model's features are `ends + Σ layers (attention + Σ heads head(kind) + feedForward + join)`; the sizes may be averages, as HAT's
/// rows give them. Parameters are counted as ProTran's models hold them for its runtime (position table included also where
/// positions are relative), and as operations.md lists them for `native`.
public struct FeatureForm: Sendable {
  public let settings: Settings
  public let variant: RuntimeVariant
  public let position: Architecture.Position
  private let n: Double
  private let e: Double
  private let roofs: RoofFeatures?
  private let roofline: Roofline?
  private let closed: ClosedForm

  /// - Parameters:
  ///   - roofs: of the device at these settings, for a variant that uses them; without them its times at the roofs are 0.
  ///   - roofline: of the twin's model, where it has one.
  public init(
    settings: Settings, variant: RuntimeVariant, position: Architecture.Position, roofs: RoofTable? = nil,
    roofline: Roofline? = nil
  ) {
    self.roofline = roofline
    closed = ClosedForm(settings: settings, variant: variant, position: position)
    self.roofs =
      variant.usesRoofs
      ? roofs.map { RoofFeatures(roofs: $0, settings: settings, variant: variant, position: position) } : nil
    self.settings = settings
    self.variant = variant
    self.position = position
    n = Double(settings.sequenceLength)
    e = settings.precision.bytes
  }

  /// The constant, the embeddings of the first layer's width and the pooler of the last layer's.
  public func ends(
    embeddingWidth h: Double, lastWidth: Double, vocabularySize: Int, maximumPositions: Int, typeVocabularySize: Int
  ) -> FeatureVector {
    var vector = FeatureVector()
    vector[.constant] = 1
    let positions = position == .absolute || variant.isProTran ? Double(maximumPositions) : 0
    let embedding = (Double(vocabularySize) + Double(typeVocabularySize) + positions) * h + 2 * h
    let pooler = lastWidth * lastWidth + lastWidth
    vector[.embeddingParameterBytes] = e * embedding
    vector[.encoderParameterBytes] = e * pooler
    vector[.parameterBytes] = e * (embedding + pooler)
    if roofline != nil {
      addRoofline(&vector, closed.embedding(width: h, position: position))
      addRoofline(&vector, closed.pooler(width: lastWidth))
    }
    roofs?.addEnds(&vector, embeddingWidth: h, lastWidth: lastWidth)
    return vector
  }

  /// What a layer has beside its heads and its feed-forward stack; `positions` is the architecture's maximum.
  public func attention(hiddenSize h: Double, heads: Double, headSize d: Double, maximumPositions: Int) -> FeatureVector
  {
    var vector = FeatureVector()
    let a = heads * d
    let distances = position == .relativeKey ? (2 * Double(maximumPositions) - 1) * d : 0
    vector[.layers] = 1
    vector[.projectionFLOPs] = 2 * n * 4 * h * a
    vector[.productFLOPs] = vector[.projectionFLOPs]
    vector[.hiddenElements] = n * h
    setEncoderParameters(&vector, 4 * a * h + 3 * a + 5 * h + distances)
    if roofline != nil { addRoofline(&vector, closed.attention(hiddenSize: h, attentionWidth: a)) }
    roofs?.addAttention(&vector, hiddenSize: h, attentionWidth: a)
    return vector
  }

  /// - Parameter count: heads of the layer, which decides how evenly threads share them; nil takes them for many.
  public func head(_ operation: HeadOperation, headSize d: Double, of count: Double? = nil) -> FeatureVector {
    var vector = FeatureVector()
    vector[.heads] = 1
    let features = Feature.headCount[Int(operation.rawValue)]
    vector[features.own] = 1
    vector[features.group] = 1
    vector[.relativeScoreBytes] = e * n * n * d
    vector[.softmaxElements] = n * n
    var flops = 4 * n * n * d
    var parameters = 0.0
    switch operation {
    case .scaledDotProduct: flops += 2 * n * n * d
    case .weightedMultiplicative:
      flops += 2 * n * n * d + 2 * n * d * d
      parameters = d * d
    case .discreteFourier, .discreteCosine:
      vector[.transformWork] = n * d * (log2(n) + log2(max(d, 1)))
    case .convolution5, .convolution9, .convolution13:
      let taps = Double(operation.taps ?? 0)
      flops += 2 * n * d * (2 * d + 3 * taps)
      parameters = 2 * d * d + 2 * taps * d + 2 * d + taps
      vector[.unfoldBytes] = e * n * d * taps
    }
    vector[.attentionFLOPs] = flops
    vector[.productFLOPs] = flops
    setEncoderParameters(&vector, parameters)
    if roofline != nil { addRoofline(&vector, closed.head(operation, headSize: d)) }
    roofs?.addHead(&vector, operation, headSize: d, of: count)
    return vector
  }

  public func feedForward(hiddenSize h: Double, stack: [Double]) -> FeatureVector {
    var vector = FeatureVector()
    let widths = [h] + stack + [h]
    var products = 0.0
    var biases = 0.0
    for index in 1..<widths.count {
      products += widths[index - 1] * widths[index]
      biases += widths[index]
    }
    vector[.feedForwardFLOPs] = 2 * n * products
    vector[.productFLOPs] = vector[.feedForwardFLOPs]
    vector[.feedForwardElements] = n * stack.reduce(0, +)
    vector[.feedForwardStacks] = Double(stack.count)
    setEncoderParameters(&vector, products + biases)
    if roofline != nil { addRoofline(&vector, closed.feedForward(hiddenSize: h, stack: stack)) }
    roofs?.addFeedForward(&vector, hiddenSize: h, stack: stack)
    return vector
  }

  /// The projection to the next layer; nothing where the widths are equal.
  public func join(from h: Double, to next: Double) -> FeatureVector {
    var vector = FeatureVector()
    guard h != next else { return vector }
    vector[.joins] = 1
    vector[.projectionFLOPs] = 2 * n * h * next
    vector[.productFLOPs] = vector[.projectionFLOPs]
    setEncoderParameters(&vector, h * next + next)
    if roofline != nil { addRoofline(&vector, closed.join(from: h, to: next)) }
    roofs?.addJoin(&vector, from: h, to: next)
    return vector
  }

  /// A whole model.
  public func total(of architecture: Architecture) -> FeatureVector {
    var sum = ends(of: architecture)
    for index in architecture.layers.indices { sum += layer(index, of: architecture) }
    return sum
  }

  /// An encoder of HAT's search space, from the averages that its tables give (`encoder_embed_dim`, `encoder_layer_num`,
  /// `encoder_ffn_embed_dim_avg`, `encoder_self_attention_heads_avg`); q, k and v are 512 wide in all of them (Wang et al. 2020, section 3).
  /// - Returns: nil where one is missing or not positive.
  public func total(ofHAT columns: [String: Double]) -> FeatureVector? {
    guard let h = columns["encoder_embed_dim"], let layers = columns["encoder_layer_num"],
      let f = columns["encoder_ffn_embed_dim_avg"], let heads = columns["encoder_self_attention_heads_avg"],
      [h, layers, f, heads].allSatisfy({ $0 > 0 && $0 < 1e6 })
    else { return nil }
    let d = 512 / heads
    let layer =
      attention(hiddenSize: h, heads: heads, headSize: d, maximumPositions: 0)
      + heads * head(.scaledDotProduct, headSize: d) + feedForward(hiddenSize: h, stack: [f])
    return ends(
      embeddingWidth: h, lastWidth: h, vocabularySize: Self.hatVocabulary, maximumPositions: 0, typeVocabularySize: 0)
      + layers * layer
  }

  /// Entries of WMT'14's joint vocabulary, about.
  private static let hatVocabulary = 32_768

  public func ends(of architecture: Architecture) -> FeatureVector {
    ends(
      embeddingWidth: Double(architecture.embeddingWidth), lastWidth: Double(architecture.layers.last?.hiddenSize ?? 0),
      vocabularySize: architecture.vocabularySize, maximumPositions: architecture.maximumPositions,
      typeVocabularySize: architecture.typeVocabularySize)
  }

  /// One layer of a model, with the join to the next.
  public func layer(_ index: Int, of architecture: Architecture) -> FeatureVector {
    let layer = architecture.layers[index]
    let h = Double(layer.hiddenSize)
    var sum = attention(
      hiddenSize: h, heads: Double(layer.heads.count), headSize: Double(layer.headSize),
      maximumPositions: architecture.maximumPositions)
    for operation in HeadOperation.allCases {
      let count = layer.heads.count { $0 == operation }
      if count > 0 {
        sum += Double(count) * head(operation, headSize: Double(layer.headSize), of: Double(layer.heads.count))
      }
    }
    sum += feedForward(hiddenSize: h, stack: layer.feedForward.map(Double.init))
    if index + 1 < architecture.layers.count {
      sum += join(from: h, to: Double(architecture.layers[index + 1].hiddenSize))
    }
    return sum
  }

  private func addRoofline(_ vector: inout FeatureVector, _ work: WorkByClass) {
    guard let roofline else { return }
    let batch = Double(settings.batchSize)
    vector[.rooflineSeconds] += roofline.seconds(work, batch: batch)
  }

  private func setEncoderParameters(_ vector: inout FeatureVector, _ parameters: Double) {
    vector[.encoderParameterBytes] = e * parameters
    vector[.parameterBytes] = e * parameters
  }
}
