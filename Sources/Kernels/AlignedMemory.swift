import Foundation

/// Floats (or bytes) of a session: allocated once, aligned to cache lines, zero at first.
package final class AlignedMemory {
  package let base: UnsafeMutableRawPointer
  package let byteCount: Int
  /// What the system gave, more than is used where large pages have to begin at a multiple of their size.
  private let mapping: (start: UnsafeMutableRawPointer, byteCount: Int)?

  /// From here on a block is pages of its own: zero without being written to, no holes between blocks that a heap could not fill, and
  /// back to the system when it goes.
  private static let mappedFrom = 1 << 18
  private static let largePagesFrom = 1 << 22
  private static let largePage = 1 << 21

  /// - Parameter hugePages: asks the system for large pages, for what is gone through again and again, the last one too; from 4 MiB on it is
  ///   asked anyway, for those that are used whole.
  package init(byteCount: Int, hugePages: Bool = false) {
    self.byteCount = max(byteCount, 64)
    let isLarge = self.byteCount >= Self.largePage / 2 && hugePages || self.byteCount >= Self.largePagesFrom
    // Large pages where the system gives them: weights and activations that lie over thousands of pages miss fewer translations.
    let room = isLarge ? self.byteCount + 2 * Self.largePage : self.byteCount
    if self.byteCount >= Self.mappedFrom,
      let pages = mmap(nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0), pages != MAP_FAILED
    {
      mapping = (pages, room)
      base = isLarge ? pages.alignedUp(toMultipleOf: Self.largePage) : pages
      #if os(Linux)
        if isLarge {
          let rounded = self.byteCount + (hugePages ? Self.largePage - 1 : 0)
          madvise(base, rounded / Self.largePage * Self.largePage, Int32(MADV_HUGEPAGE))
        }
      #endif
    } else {
      base = UnsafeMutableRawPointer.allocate(byteCount: self.byteCount, alignment: 64)
      base.initializeMemory(as: UInt8.self, repeating: 0, count: self.byteCount)
      mapping = nil
    }
  }

  package convenience init(floats: Int) { self.init(byteCount: floats * MemoryLayout<Float>.stride) }

  deinit {
    if let mapping { munmap(mapping.start, mapping.byteCount) } else { base.deallocate() }
  }

  package var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }
}
