import Foundation

/// Floats (or bytes) of a session: allocated once, aligned to cache lines, zero at first.
package final class AlignedMemory {
  package let base: UnsafeMutableRawPointer
  package let byteCount: Int
  private let isMapped: Bool

  /// From here on a block is pages of its own: zero without being written to, no holes between blocks that a heap could not fill, and
  /// back to the system when it goes.
  private static let mappedFrom = 1 << 18
  private static let largePagesFrom = 1 << 22

  /// - Parameter hugePages: asks the system for large pages, for what is gone through again and again; from 4 MiB on it is asked anyway.
  package init(byteCount: Int, hugePages: Bool = false) {
    self.byteCount = max(byteCount, 64)
    if self.byteCount >= Self.mappedFrom,
      let pages = mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0), pages != MAP_FAILED
    {
      base = pages
      isMapped = true
      #if os(Linux)
        // Large pages where the system gives them: weights and activations that lie over thousands of pages miss fewer translations.
        if hugePages || self.byteCount >= Self.largePagesFrom {
          madvise(pages, self.byteCount, Int32(MADV_HUGEPAGE))
        }
      #endif
    } else {
      base = UnsafeMutableRawPointer.allocate(byteCount: self.byteCount, alignment: 64)
      base.initializeMemory(as: UInt8.self, repeating: 0, count: self.byteCount)
      isMapped = false
    }
  }

  package convenience init(floats: Int) { self.init(byteCount: floats * MemoryLayout<Float>.stride) }

  deinit {
    if isMapped { munmap(base, byteCount) } else { base.deallocate() }
  }

  package var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
