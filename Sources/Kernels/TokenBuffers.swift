import CKernels

/// The loaded batch as the kernels see it, with the transforms of its lengths.
final class TokenBuffers {
  private let ids: UnsafeMutablePointer<Int32>
  private let types: UnsafeMutablePointer<Int32>
  private let offsets: UnsafeMutablePointer<Int32>
  private let fourier: UnsafeMutablePointer<UnsafePointer<Float>?>
  private let cosine: UnsafeMutablePointer<UnsafePointer<Float>?>
  private let usesFourier: Bool
  private let usesCosine: Bool
  private var tables: [Int: (fourier: AlignedMemory?, cosine: AlignedMemory?)] = [:]
  let view: UnsafeMutablePointer<edgetwin_tokens>

  /// Lengths whose tables are kept; beyond, those that the loaded batch does not use are dropped.
  private static let keptLengths = 64

  init(batchSize: Int, sequenceLength: Int, fourier usesFourier: Bool, cosine usesCosine: Bool) {
    ids = .allocate(capacity: batchSize * sequenceLength)
    types = .allocate(capacity: batchSize * sequenceLength)
    offsets = .allocate(capacity: batchSize + 1)
    fourier = .allocate(capacity: batchSize)
    cosine = .allocate(capacity: batchSize)
    view = .allocate(capacity: 1)
    self.usesFourier = usesFourier
    self.usesCosine = usesCosine
    // A batch of one token, so that a run before the first load is harmless.
    ids.initialize(repeating: 0, count: batchSize * sequenceLength)
    types.initialize(repeating: 0, count: batchSize * sequenceLength)
    offsets.initialize(repeating: 0, count: batchSize + 1)
    offsets[1] = 1
    fourier.initialize(repeating: nil, count: batchSize)
    cosine.initialize(repeating: nil, count: batchSize)
    view.initialize(
      to: edgetwin_tokens(
        batch: 1, offsets: offsets, ids: ids, types: types, fourier: fourier, cosine: cosine))
    setTables(lengths: [1])
  }

  deinit {
    ids.deallocate()
    types.deallocate()
    offsets.deallocate()
    fourier.deallocate()
    cosine.deallocate()
    view.deallocate()
  }

  /// The batch must fit what was planned.
  func load(_ batch: TokenBatch) {
    for index in batch.ids.indices {
      ids[index] = batch.ids[index]
      types[index] = batch.types[index]
    }
    for index in batch.offsets.indices { offsets[index] = batch.offsets[index] }
    view.pointee.batch = batch.count
    setTables(lengths: (0..<batch.count).map(batch.length))
  }

  private func setTables(lengths: [Int]) {
    guard usesFourier || usesCosine else { return }
    let distinct = Set(lengths)
    if tables.count + distinct.count > Self.keptLengths {
      tables = tables.filter { distinct.contains($0.key) }
    }
    for length in distinct where tables[length] == nil {
      var entry: (fourier: AlignedMemory?, cosine: AlignedMemory?)
      if usesFourier {
        let memory = AlignedMemory(floats: edgetwin_fourier_floats(length) + 64)
        edgetwin_fourier_table(length, memory.floats)
        entry.fourier = memory
      }
      if usesCosine {
        let memory = AlignedMemory(floats: edgetwin_cosine_floats(length) + 64)
        edgetwin_cosine_table(length, memory.floats)
        entry.cosine = memory
      }
      tables[length] = entry
    }
    for (index, length) in lengths.enumerated() {
      fourier[index] = tables[length]?.fourier.map { UnsafePointer($0.floats) }
      cosine[index] = tables[length]?.cosine.map { UnsafePointer($0.floats) }
    }
  }
}
