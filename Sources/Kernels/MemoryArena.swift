/// Blocks that are taken one after another and given back together: they share large pages, of which one by itself would fill a part.
///
/// A processor keeps the places of a few thousand pages. Those of 4 KiB are 8 MB, and a model of more weights waits for their places as much
/// as for the weights.
final class MemoryArena {
  private var full: [AlignedMemory] = []
  /// Of which the first `used` bytes are taken.
  private var slab: AlignedMemory?
  private var used = 0

  /// Memory that is not written to costs nothing.
  private static let slabBytes = 64 << 20
  private static let alignment = 64

  /// Zeros, aligned to cache lines, until the arena goes.
  func take(byteCount: Int) -> UnsafeMutableRawPointer {
    let size = (max(byteCount, 1) + Self.alignment - 1) / Self.alignment * Self.alignment
    if size > Self.slabBytes / 2 {
      let own = AlignedMemory(byteCount: size)
      full.append(own)
      return own.base
    }
    if let slab, used + size <= Self.slabBytes {
      defer { used += size }
      return slab.base + used
    }
    if let slab { full.append(slab) }
    let next = AlignedMemory(byteCount: Self.slabBytes, hugePages: true)
    (slab, used) = (next, size)
    return next.base
  }
}
