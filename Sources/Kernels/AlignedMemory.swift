/// Floats (or bytes) of a session: allocated once, aligned to cache lines, zero at first.
final class AlignedMemory {
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = max(byteCount, 64)
    base = UnsafeMutableRawPointer.allocate(byteCount: self.byteCount, alignment: 64)
    base.initializeMemory(as: UInt8.self, repeating: 0, count: self.byteCount)
  }

  convenience init(floats: Int) { self.init(byteCount: floats * MemoryLayout<Float>.stride) }

  deinit { base.deallocate() }

  var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
