import Architectures
import Foundation
import Kernels

/// What a state says of itself before its numbers.
private struct StateHeader: Codable, Equatable {
  static let schema = "edgetwin.training-state/1"

  var schema = Self.schema
  /// Architecture, head and options that the numbers belong to.
  var subject: String
  var steps: Int
  var passes: UInt32
  var lossSum: UInt64
  var items: Int
  var correct: Int
  var hasGradients: Bool
  var checksum: UInt64
}

/// FNV-1a over 64-bit words: says whether bytes are what was written.
private func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
  var hash: UInt64 = 0xCBF2_9CE4_8422_2325
  for offset in stride(from: 0, to: bytes.count - bytes.count % 8, by: 8) {
    hash = (hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x100_0000_01B3
  }
  for offset in (bytes.count - bytes.count % 8)..<bytes.count {
    hash = (hash ^ UInt64(bytes[offset])) &* 0x100_0000_01B3
  }
  return hash
}

extension TrainingSession {
  private var subject: String {
    let optimiser = options.optimiser
    let numbers = [
      options.dropout, optimiser.beta1, optimiser.beta2, optimiser.epsilon, optimiser.weightDecay,
      optimiser.maximumGradientNorm ?? -1, core.model.layerNormEpsilon,
    ]
    return
      "\(architecture.id) \(head) \(core.labels) \(core.store.layout.count) \(core.bytes) \(options.seed) \(numbers)"
  }

  /// Blocks of numbers, in the order in which they are written.
  private func blocks(gradients: Bool) -> [UnsafeMutableRawBufferPointer] {
    let store = core.store
    let count = store.layout.count * core.bytes
    var bases = [store.parameters, store.firstMoments, store.secondMoments]
    if gradients { bases.append(store.gradients) }
    var blocks = bases.map { UnsafeMutableRawBufferPointer(start: $0, count: count) }
    if let touched = store.touched {
      blocks.append(UnsafeMutableRawBufferPointer(start: touched, count: store.wordCount))
    }
    return blocks
  }

  /// Everything that training depends on from here: weights, the optimiser's moments, counters, gradients that wait for a step. A
  /// session of the same architecture, head and options that restores it goes on to the same bits.
  public func state() -> Data {
    let hasGradients = !core.isFresh
    var numbers = Data()
    for block in blocks(gradients: hasGradients) { numbers.append(contentsOf: block) }
    let header = StateHeader(
      subject: subject, steps: stepCount, passes: core.passCount, lossSum: accumulated.sum.bitPattern,
      items: accumulated.items, correct: accumulated.correct, hasGradients: hasGradients,
      checksum: numbers.withUnsafeBytes(checksum))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // A header of plain numbers and strings always encodes.
    let text = (try? encoder.encode(header)) ?? Data()
    var state = withUnsafeBytes(of: UInt64(text.count).littleEndian) { Data($0) }
    state.append(text)
    state.append(numbers)
    return state
  }

  /// - Throws: ``KernelError`` (kind `input`) for bytes that are damaged or of another architecture, head or options (but for `threads`);
  ///   nothing is changed then.
  public func restore(_ state: Data) throws(KernelError) {
    func failure(_ problem: String) -> KernelError { KernelError(.input, "the training state \(problem)") }
    let bytes = Data(state)
    guard bytes.count >= 8 else { throw failure("is cut short") }
    let length = UInt64(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
    guard length <= UInt64(bytes.count - 8), length <= 1 << 20 else { throw failure("is damaged or cut short") }
    let end = 8 + Int(length)
    guard let header = try? JSONDecoder().decode(StateHeader.self, from: bytes[8..<end]) else {
      throw failure("is damaged, or of a newer version")
    }
    guard header.schema == StateHeader.schema else {
      throw failure("has the schema \(header.schema); this program knows \(StateHeader.schema)")
    }
    guard header.subject == subject else {
      throw failure("belongs to another architecture, head or options: \(header.subject), not \(subject)")
    }
    let blocks = blocks(gradients: header.hasGradients)
    guard bytes.count - end == blocks.reduce(0, { $0 + $1.count }) else { throw failure("is cut short") }
    let intact = bytes.withUnsafeBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[end...])) == header.checksum }
    guard intact else { throw failure("is damaged: its checksum is another") }
    discardGradients()
    bytes.withUnsafeBytes { source in
      var offset = end
      for block in blocks {
        block.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[offset..<offset + block.count]))
        offset += block.count
      }
    }
    stepCount = header.steps
    core.passCount = header.passes
    core.isFresh = !header.hasGradients
    accumulated = TrainingLoss(
      sum: Double(bitPattern: header.lossSum), items: header.items, correct: header.correct)
  }
}
