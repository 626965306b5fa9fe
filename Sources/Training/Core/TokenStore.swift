import Architectures
import CKernels
import Kernels

/// The batch as the kernels see it, with the transforms of its lengths and its sequences in groups.
final class TokenStore {
  private let kernels: UnsafePointer<edgetwin_training_kernels>
  private let usesFourier: Bool
  private let usesCosine: Bool
  private var integers: AlignedMemory
  private var pointers: AlignedMemory
  private var tables: [Int: (fourier: AlignedMemory?, cosine: AlignedMemory?)] = [:]
  let view: UnsafeMutablePointer<edgetwin_tokens>
  private(set) var longest = 1
  private(set) var groupCount = 1
  private(set) var fourier: UnsafeMutablePointer<UnsafeRawPointer?>
  private(set) var cosine: UnsafeMutablePointer<UnsafeRawPointer?>
  private(set) var groups: UnsafeMutablePointer<Int32>

  /// Lengths whose tables are kept; beyond, those that the loaded batch does not use are dropped.
  private static let keptLengths = 64
  /// Parts of a batch that sum up gradients of weights by themselves: enough for a few threads, few enough that their sums are small.
  private static let summingGroups = 8

  init(architecture: Architecture, kernels: UnsafePointer<edgetwin_training_kernels>) {
    self.kernels = kernels
    let heads = architecture.layers.flatMap(\.heads)
    usesFourier = heads.contains(.discreteFourier)
    usesCosine = heads.contains(.discreteCosine)
    integers = AlignedMemory(byteCount: 64)
    pointers = AlignedMemory(byteCount: 64)
    view = .allocate(capacity: 1)
    view.initialize(to: edgetwin_tokens())
    fourier = pointers.base.bindMemory(to: UnsafeRawPointer?.self, capacity: 1)
    cosine = fourier
    groups = integers.base.bindMemory(to: Int32.self, capacity: 1)
  }

  deinit { view.deallocate() }

  func load(_ batch: TokenBatch) {
    let tokens = batch.tokenCount
    let sequences = batch.count
    let needed = 4 * (2 * tokens + 2 * (sequences + 1))
    if integers.byteCount < needed { integers = AlignedMemory(byteCount: needed * 2) }
    if pointers.byteCount < 16 * sequences { pointers = AlignedMemory(byteCount: 32 * sequences) }
    let ids = integers.base.bindMemory(to: Int32.self, capacity: needed / 4)
    let types = ids + tokens
    let offsets = types + tokens
    groups = offsets + sequences + 1
    for index in 0..<tokens {
      ids[index] = batch.ids[index]
      types[index] = batch.types[index]
    }
    for index in 0...sequences { offsets[index] = batch.offsets[index] }
    fourier = pointers.base.bindMemory(to: UnsafeRawPointer?.self, capacity: 2 * sequences)
    cosine = fourier + sequences
    let lengths = (0..<sequences).map(batch.length)
    longest = lengths.max() ?? 1
    setTables(lengths)
    view.pointee.batch = sequences
    view.pointee.offsets = UnsafePointer(offsets)
    view.pointee.ids = UnsafePointer(ids)
    view.pointee.types = UnsafePointer(types)
    setGroups(batch)
  }

  private func setTables(_ lengths: [Int]) {
    let distinct = Set(lengths)
    if tables.count + distinct.count > Self.keptLengths { tables = tables.filter { distinct.contains($0.key) } }
    let bytes = kernels.pointee.real_bytes
    for length in distinct where usesFourier || usesCosine {
      guard tables[length] == nil else { continue }
      let square = length * edgetwin_training_table_ld(length) * bytes
      var entry: (fourier: AlignedMemory?, cosine: AlignedMemory?)
      if usesFourier {
        let memory = AlignedMemory(byteCount: 2 * square + 1024)
        kernels.pointee.fourier_table(length, memory.base)
        entry.fourier = memory
      }
      if usesCosine {
        let memory = AlignedMemory(byteCount: square + 1024)
        kernels.pointee.cosine_table(length, memory.base)
        entry.cosine = memory
      }
      tables[length] = entry
    }
    for (index, length) in lengths.enumerated() {
      fourier[index] = tables[length]?.fourier.map { UnsafeRawPointer($0.base) }
      cosine[index] = tables[length]?.cosine.map { UnsafeRawPointer($0.base) }
    }
  }

  /// Neighbouring sequences with about as many tokens a group; a matter of the batch alone.
  private func setGroups(_ batch: TokenBatch) {
    groupCount = min(Self.summingGroups, batch.count)
    groups[0] = 0
    var sequence = 0
    for group in 1...groupCount {
      let wanted = batch.tokenCount * group / groupCount
      let rest = groupCount - group
      while sequence < batch.count - rest, sequence < group || Int(batch.offsets[sequence + 1]) <= wanted {
        sequence += 1
      }
      groups[group] = Int32(sequence)
    }
    groups[groupCount] = Int32(batch.count)
  }
}
