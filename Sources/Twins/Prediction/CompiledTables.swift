import Architectures
import CKernels

/// Which lane of a vector holds what: first the forms of the three measures, then the summaries.
struct CompiledLanes {
  typealias Vector = SIMD16<Double>

  static let parameterBytes = 10
  static let embeddingParameterBytes = 11
  static let heads = 12
  static let convolutionHeads = 13
  static let layers = 14
  static let productFLOPs = 15

  private static let summaries: [(lane: Int, feature: Feature)] = [
    (parameterBytes, .parameterBytes), (embeddingParameterBytes, .embeddingParameterBytes), (heads, .heads),
    (convolutionHeads, .convolutionHeads), (layers, .layers), (productFLOPs, .productFLOPs),
  ]

  /// Lanes of latency, energy and peak power; a file's forms fit, which its checker sees to.
  let forms: [Range<Int>]
  private let coefficients: [[Coefficient]]

  init(model: TwinModel) {
    var ranges: [Range<Int>] = []
    var coefficients: [[Coefficient]] = []
    for measure in [model.latency, model.energy, model.peakPower] {
      let kept = measure.forms.prefix(Self.parameterBytes - coefficients.count)
      ranges.append(coefficients.count..<coefficients.count + kept.count)
      coefficients += kept.map(\.coefficients)
    }
    forms = ranges
    self.coefficients = coefficients
  }

  /// Additive terms of every form, and the summaries.
  func vector(of features: FeatureVector) -> Vector {
    var vector = Vector(repeating: 0)
    for (lane, terms) in coefficients.enumerated() {
      vector[lane] = terms.reduce(0) { $0 + ($1.feature.isFunctionOfParameters ? 0 : $1.cost(of: features)) }
    }
    for (lane, feature) in Self.summaries { vector[lane] = features[feature] }
    return vector
  }

  /// Functions of the parameters' size, each with its coefficient in every form.
  /// - Parameter weightWait: seconds that a sequence waits for a byte of the encoder's weights from memory.
  func functions(weightWait: Double) -> [CompiledTables.Function] {
    var result: [CompiledTables.Function] = []
    for (lane, terms) in coefficients.enumerated() {
      for term in terms where term.feature.isFunctionOfParameters {
        let function = ParameterFunction(feature: term.feature, at: term.at ?? 0, shape: term.shape ?? 1)
        let index = result.firstIndex { $0.function == function } ?? result.count
        if index == result.count {
          result.append(.init(function: function, weights: .init(repeating: 0), startupWeights: .init(repeating: 0)))
        }
        let value = term.feature == .weightWaitSeconds ? term.value * weightWait : term.value
        result[index].weights[lane] += value
        result[index].startupWeights[lane] += value * (term.startupShare ?? 0)
      }
    }
    return result
  }

  /// Start-up of every form: constant, per byte of embeddings and per byte of the rest. Other features have none.
  var startup: CompiledTables.Startup {
    var result = CompiledTables.Startup()
    for (lane, terms) in coefficients.enumerated() {
      for term in terms {
        let value = term.value * (term.startupShare ?? 0)
        switch term.feature {
        case .constant: result.constant[lane] += value
        case .embeddingParameterBytes: result.embedding[lane] += value
        case .encoderParameterBytes: result.encoder[lane] += value
        case .parameterBytes:
          result.embedding[lane] += value
          result.encoder[lane] += value
        default: break
        }
      }
    }
    return result
  }
}

/// Vectors of everything that a design point is made of.
struct CompiledTables: Sendable {
  struct Function: Sendable {
    var function: ParameterFunction
    var weights: CompiledLanes.Vector
    var startupWeights: CompiledLanes.Vector
  }

  struct Startup: Sendable {
    var constant = CompiledLanes.Vector(repeating: 0)
    var embedding = CompiledLanes.Vector(repeating: 0)
    var encoder = CompiledLanes.Vector(repeating: 0)
  }

  let hiddenCount: Int
  let headCountCount: Int
  let stackCount: Int
  /// By first and last hidden size.
  let ends: [CompiledLanes.Vector]
  /// By hidden size and number of heads.
  let attention: [CompiledLanes.Vector]
  /// By hidden size, number of heads and kind.
  let heads: [CompiledLanes.Vector]
  /// By hidden size and feed-forward stack.
  let feedForward: [CompiledLanes.Vector]
  /// By hidden size and the next layer's.
  let joins: [CompiledLanes.Vector]
  /// By head combination: heads of each of the seven kinds, and in lane 7 the index of their number.
  let combinations: [SIMD8<UInt8>]
  let functions: [Function]
  let startup: Startup

  init(space: DesignSpace, twin: Twin, lanes: CompiledLanes) {
    let form = FeatureForm(
      settings: twin.settings, variant: twin.variant, position: space.position, roofs: twin.roofs,
      roofline: twin.model.roofline)
    let hidden = space.hiddenSizes.map(Double.init)
    hiddenCount = hidden.count
    headCountCount = space.headCounts.count
    stackCount = space.feedForwardStackCount
    ends = hidden.flatMap { first in
      hidden.map { last in
        lanes.vector(
          of: form.ends(
            embeddingWidth: first, lastWidth: last, vocabularySize: space.vocabularySize,
            maximumPositions: space.maximumPositions, typeVocabularySize: space.typeVocabularySize))
      }
    }
    var attention: [CompiledLanes.Vector] = []
    var heads: [CompiledLanes.Vector] = []
    for size in space.hiddenSizes {
      for count in space.headCounts {
        // A head's size is the hidden size over the number of heads, rounded down (edgetran.md).
        let headSize = Double(size / count)
        attention.append(
          lanes.vector(
            of: form.attention(
              hiddenSize: Double(size), heads: Double(count), headSize: headSize,
              maximumPositions: space.maximumPositions)))
        heads += HeadOperation.allCases.map { lanes.vector(of: form.head($0, headSize: headSize, of: Double(count))) }
      }
    }
    self.attention = attention
    self.heads = heads
    let stacks = space.feedForwardStacks.map { $0.map(Double.init) }
    feedForward = hidden.flatMap { size in
      stacks.map { lanes.vector(of: form.feedForward(hiddenSize: size, stack: $0)) }
    }
    joins = hidden.flatMap { size in hidden.map { lanes.vector(of: form.join(from: size, to: $0)) } }
    var combinations: [SIMD8<UInt8>] = []
    combinations.reserveCapacity(space.headCombinationCount)
    let indices = Dictionary(uniqueKeysWithValues: zip(space.headCounts, UInt8(0)...))
    for combination in space.headCombinations {
      var counts = combination.counts
      counts[7] = indices[combination.headCount] ?? 0
      combinations.append(counts)
    }
    self.combinations = combinations
    functions = lanes.functions(
      weightWait: (twin.roofs?.weightWaitSecondsPerByte ?? 0) / Double(twin.settings.batchSize))
    startup = lanes.startup
  }

  /// Additive sums of `points`, written to `sums`, which has room for as many.
  func sum(_ points: UnsafeBufferPointer<DesignPoint>, into sums: UnsafeMutableBufferPointer<CompiledLanes.Vector>) {
    withDoubles(ends) { ends in
      withDoubles(attention) { attention in
        withDoubles(heads) { heads in
          withDoubles(feedForward) { feedForward in
            withDoubles(joins) { joins in
              combinations.withUnsafeBytes { combinations in
                var tables = edgetwin_twin_tables(
                  ends: ends, attention: attention, heads: heads, feed_forward: feedForward, joins: joins,
                  combinations: combinations.bindMemory(to: UInt8.self).baseAddress, hidden_count: Int32(hiddenCount),
                  head_count_count: Int32(headCountCount), stack_count: Int32(stackCount))
                edgetwin_sum_points(
                  &tables, UnsafeRawBufferPointer(points).bindMemory(to: UInt32.self).baseAddress, points.count,
                  UnsafeMutableRawBufferPointer(sums).bindMemory(to: Double.self).baseAddress)
              }
            }
          }
        }
      }
    }
  }

  private func withDoubles(_ vectors: [CompiledLanes.Vector], _ body: (UnsafePointer<Double>?) -> Void) {
    vectors.withUnsafeBytes { body($0.bindMemory(to: Double.self).baseAddress) }
  }
}
