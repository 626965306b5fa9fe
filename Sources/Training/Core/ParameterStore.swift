import CKernels
import Kernels
import ModelFiles

/// A float or a double, by the kernels that work on them.
enum Real {
  static func load(_ base: UnsafeRawPointer, _ index: Int, bytes: Int) -> Double {
    bytes == 4
      ? Double(base.assumingMemoryBound(to: Float.self)[index]) : base.assumingMemoryBound(to: Double.self)[index]
  }

  static func store(_ value: Double, _ base: UnsafeMutableRawPointer, _ index: Int, bytes: Int) {
    if bytes == 4 {
      base.assumingMemoryBound(to: Float.self)[index] = Float(value)
    } else {
      base.assumingMemoryBound(to: Double.self)[index] = value
    }
  }
}

/// Weights, gradients and moments of all trained tensors, as blocks of one layout.
final class ParameterStore {
  let layout: ParameterLayout
  let realBytes: Int
  private let memory: AlignedMemory
  private let blockBytes: Int
  /// A byte a word: 1 where its embedding has a gradient now, 2 where it ever had one. Nil where the decoder is tied to the embeddings, so that
  /// every one has.
  let touched: UnsafeMutablePointer<UInt8>?
  let wordCount: Int
  let wordWidth: Int
  /// Runs of alike tensors for the optimiser, and those whose gradients have to be zeroed.
  private(set) var segments: [edgetwin_training_segment] = []
  private(set) var clearedSegments: [edgetwin_training_segment] = []

  init(model: Model, head: TrainingHead, realBytes: Int) throws(KernelError) {
    layout = ParameterLayout(model: model, head: head)
    self.realBytes = realBytes
    // Vectors are read whole, so that a little lies behind the last number.
    blockBytes = (layout.count + 64) * realBytes
    memory = AlignedMemory(byteCount: 4 * blockBytes, hugePages: true)
    wordCount = model.architecture.vocabularySize
    wordWidth = model.architecture.embeddingWidth
    if layout.tiesDecoder {
      touched = nil
    } else {
      touched = .allocate(capacity: wordCount)
      touched?.initialize(repeating: 0, count: wordCount)
    }
    for entry in layout.entries {
      let tensor: Tensor
      do { tensor = try model.weights.tensor(entry.name, shape: entry.shape) } catch {
        throw KernelError(.model, error.description)
      }
      write(tensor, to: entry)
    }
    makeSegments()
  }

  deinit { touched?.deallocate() }

  var parameters: UnsafeMutableRawPointer { memory.base }
  var gradients: UnsafeMutableRawPointer { memory.base + blockBytes }
  var firstMoments: UnsafeMutableRawPointer { memory.base + 2 * blockBytes }
  var secondMoments: UnsafeMutableRawPointer { memory.base + 3 * blockBytes }

  func parameter(_ name: String) -> UnsafeMutableRawPointer { parameters + layout.first(name) * realBytes }
  func gradient(_ name: String) -> UnsafeMutableRawPointer { gradients + layout.first(name) * realBytes }

  func write(_ tensor: Tensor, to entry: ParameterLayout.Entry) {
    tensor.withUnsafeFloats { values in
      if realBytes == 4, let base = values.baseAddress {
        (parameters + 4 * entry.first).copyMemory(from: base, byteCount: 4 * entry.count)
        return
      }
      for index in 0..<entry.count {
        Real.store(Double(values[index]), parameters, entry.first + index, bytes: realBytes)
      }
    }
    tensor.releasePages()
  }

  /// Numbers of one tensor out of a block, times `scale`.
  func tensor(_ entry: ParameterLayout.Entry, from block: UnsafeMutableRawPointer, scale: Double = 1) -> Tensor? {
    Tensor(
      shape: entry.shape,
      values: [Float](unsafeUninitializedCapacity: entry.count) { buffer, count in
        if realBytes == 4 {
          let numbers = block.assumingMemoryBound(to: Float.self) + entry.first
          for index in 0..<entry.count { buffer[index] = Float(scale) * numbers[index] }
        } else {
          let numbers = block.assumingMemoryBound(to: Double.self) + entry.first
          for index in 0..<entry.count { buffer[index] = Float(scale * numbers[index]) }
        }
        count = entry.count
      })
  }

  private func makeSegments() {
    for entry in layout.entries {
      if entry.name == ParameterLayout.wordEmbeddings, let touched {
        let table = edgetwin_training_segment(
          first: entry.first, count: entry.count, decays: true, touched: touched, width: wordWidth)
        segments.append(table)
        clearedSegments.append(table)
        continue
      }
      Self.extend(&segments, with: entry)
      if !entry.isOverwritten { Self.extend(&clearedSegments, with: entry) }
    }
  }

  /// Adds a tensor to the last run where it goes on: what lies between two tensors is 0 and stays so.
  private static func extend(_ segments: inout [edgetwin_training_segment], with entry: ParameterLayout.Entry) {
    if let last = segments.last, last.touched == nil, last.decays == entry.decays,
      ParameterLayout.rounded(last.first + last.count) >= entry.first
    {
      segments[segments.count - 1].count = entry.first + entry.count - last.first
    } else {
      segments.append(
        edgetwin_training_segment(
          first: entry.first, count: entry.count, decays: entry.decays, touched: nil, width: 1))
    }
  }

  /// Marks the words of a batch as having gradients.
  func touch(_ ids: [Int32]) {
    guard let touched else { return }
    for id in ids { touched[Int(id)] = 3 }
  }

  func forgetTouched() {
    guard let touched else { return }
    for word in 0..<wordCount { touched[word] &= 2 }
  }
}
