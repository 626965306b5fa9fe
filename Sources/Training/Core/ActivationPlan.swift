import Architectures
import CKernels
import Kernels

/// Rows of numbers, `ld` apart.
struct Rows {
  var base: UnsafeMutableRawPointer
  var ld: Int

  func row(_ index: Int, bytes: Int) -> UnsafeMutableRawPointer { base + index * ld * bytes }
}

/// A layer norm's output and what its backward pass needs.
struct NormRows {
  var normalised: Rows
  var inverseDeviations: UnsafeMutableRawPointer
  var output: Rows
}

/// An activation and its derivative.
struct ActivationRows {
  var output: Rows
  var slope: Rows
}

/// Everything that the forward pass leaves for the backward pass, and workspaces of the latter; for batches of up to so many tokens and sequences.
final class ActivationPlan {
  struct Layer {
    var projections: Rows
    var contexts: Rows
    var attention: NormRows
    var feedForward: [ActivationRows]
    var output: NormRows
    /// Output of the join where there is one.
    var join: Rows?
    /// What the next layer gets.
    var next: Rows { join ?? output.output }
  }

  let rows: Int
  let sequences: Int
  let longest: Int
  private(set) var embedding: NormRows
  private(set) var layers: [Layer] = []
  /// Gradients: of the hidden size, of feed-forward widths, of the projections, of the contexts.
  private(set) var narrow: [Rows] = []
  private(set) var wide: [Rows] = []
  private(set) var projections: Rows
  private(set) var contexts: Rows
  /// A row a sequence, or a scored token, as wide as the last layer.
  private(set) var pooled: [Rows] = []
  private(set) var scored: NormRows
  private(set) var scores: Rows
  /// Rows of scores that there are at a time.
  let scoreRows: Int
  let scratch: AlignedMemory
  let scratchBytes: Int
  let packed: AlignedMemory
  let normPartials: AlignedMemory
  private let memory: AlignedMemory

  /// Distance between rows: whole vectors, and an odd number of cache lines, so that a column of rows spreads over the sets of the cache.
  static func stride(_ width: Int) -> Int { ((width + 15) / 16 | 1) * 16 }

  /// Hands out rows, or only counts them.
  private struct Allocator {
    var base: UnsafeMutableRawPointer
    var used = 0
    let realBytes: Int

    mutating func take(_ count: Int) -> UnsafeMutableRawPointer {
      let start = base + used
      used += (count * realBytes + 127) / 64 * 64
      return start
    }

    mutating func rows(_ count: Int, _ width: Int) -> Rows {
      let ld = ActivationPlan.stride(width)
      return Rows(base: take(count * ld + 64), ld: ld)
    }

    mutating func norm(_ count: Int, _ width: Int) -> NormRows {
      NormRows(normalised: rows(count, width), inverseDeviations: take(count), output: rows(count, width))
    }
  }

  init(
    architecture: Architecture, head: TrainingHead, labels: Int, rows: Int, sequences: Int, longest: Int, threads: Int,
    realBytes: Int
  ) {
    self.rows = rows
    self.sequences = sequences
    self.longest = longest
    let layers = architecture.layers
    let last = layers.last?.hiddenSize ?? 1
    let isMaskedLanguageModel = head == .maskedLanguageModel
    let classes = isMaskedLanguageModel ? architecture.vocabularySize : labels
    let chunk = min(max(256, (1 << 23) / max(classes, 1)), max(rows, 1))
    scoreRows = isMaskedLanguageModel ? chunk : sequences
    let hidden = (layers.map(\.hiddenSize) + [1]).max() ?? 1
    let inner = (layers.flatMap(\.feedForward) + [1]).max() ?? 1
    let attention = (layers.map(\.attentionWidth) + [1]).max() ?? 1
    let pooledRows = isMaskedLanguageModel ? rows : sequences
    let widthOfScores = classes
    let scoreRowCount = scoreRows

    struct Parts {
      var embedding: NormRows
      var layers: [Layer]
      var narrow: [Rows]
      var wide: [Rows]
      var projections: Rows
      var contexts: Rows
      var pooled: [Rows]
      var scored: NormRows
      var scores: Rows
    }
    func parts(_ allocator: inout Allocator) -> Parts {
      let embedding = allocator.norm(rows, architecture.embeddingWidth)
      var own: [Layer] = []
      for (index, layer) in layers.enumerated() {
        let next = index + 1 < layers.count ? layers[index + 1].hiddenSize : layer.hiddenSize
        let projections = allocator.rows(rows, 3 * layer.attentionWidth)
        let contexts = allocator.rows(rows, layer.attentionWidth)
        let attention = allocator.norm(rows, layer.hiddenSize)
        var feedForward: [ActivationRows] = []
        for width in layer.feedForward {
          feedForward.append(ActivationRows(output: allocator.rows(rows, width), slope: allocator.rows(rows, width)))
        }
        let output = allocator.norm(rows, layer.hiddenSize)
        own.append(
          Layer(
            projections: projections, contexts: contexts, attention: attention, feedForward: feedForward,
            output: output,
            join: next == layer.hiddenSize ? nil : allocator.rows(rows, next)))
      }
      return Parts(
        embedding: embedding, layers: own, narrow: (0..<4).map { _ in allocator.rows(rows, hidden) },
        wide: (0..<2).map { _ in allocator.rows(rows, inner) }, projections: allocator.rows(rows, 3 * attention),
        contexts: allocator.rows(rows, attention), pooled: (0..<5).map { _ in allocator.rows(pooledRows, last) },
        scored: allocator.norm(isMaskedLanguageModel ? rows : 1, last),
        scores: allocator.rows(scoreRowCount, widthOfScores))
    }
    let nothing = AlignedMemory(byteCount: 64)
    var counter = Allocator(base: nothing.base, realBytes: realBytes)
    _ = parts(&counter)
    memory = AlignedMemory(byteCount: counter.used, hugePages: true)
    var allocator = Allocator(base: memory.base, realBytes: realBytes)
    let made = parts(&allocator)
    embedding = made.embedding
    self.layers = made.layers
    narrow = made.narrow
    wide = made.wide
    projections = made.projections
    contexts = made.contexts
    pooled = made.pooled
    scored = made.scored
    scores = made.scores

    let widestHead = layers.map(\.headSize).max() ?? 1
    let widest = max(hidden, last)
    scratchBytes = (edgetwin_training_scratch(longest, widestHead, widest) * realBytes + 127) / 64 * 64
    scratch = AlignedMemory(byteCount: scratchBytes * threads, hugePages: true)
    var products = [(last, last), (last, labels)]
    for (index, layer) in layers.enumerated() {
      products += [(layer.hiddenSize, 3 * layer.attentionWidth), (layer.attentionWidth, layer.hiddenSize)]
      var width = layer.hiddenSize
      for next in layer.feedForward + [layer.hiddenSize] {
        products.append((width, next))
        width = next
      }
      if index + 1 < layers.count { products.append((layer.hiddenSize, layers[index + 1].hiddenSize)) }
    }
    if isMaskedLanguageModel { products.append((last, classes)) }
    let packedReals = products.map { edgetwin_training_linear_packed($0.0, $0.1) }.max() ?? 0
    packed = AlignedMemory(byteCount: (packedReals + 64) * realBytes, hugePages: true)
    normPartials = AlignedMemory(
      byteCount: (edgetwin_training_norm_partials(max(rows, 1), widest) + 64) * realBytes, hugePages: true)
  }
}
