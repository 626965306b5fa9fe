import Testing

@testable import Kernels

@Suite struct MemoryTests {
  @Test(arguments: [1, 100, 1 << 18, (1 << 20) + 4, (1 << 22) + 12], [false, true])
  func blocksAreZeroAndAligned(byteCount: Int, hugePages: Bool) {
    let memory = AlignedMemory(byteCount: byteCount, hugePages: hugePages)
    #expect(memory.byteCount >= byteCount && Int(bitPattern: memory.base) % 64 == 0)
    let bytes = memory.base.assumingMemoryBound(to: UInt8.self)
    #expect((0..<byteCount).allSatisfy { bytes[$0] == 0 })
    bytes[byteCount - 1] = 1
  }

  @Test func anArenasBlocksLieApart() {
    let arena = MemoryArena()
    // One of a slab's own size, small ones, one of half a slab, more than fit a slab, and small ones again.
    let sizes = [64 << 20, 1, 64, 65, 1_000, 40 << 20, 30 << 20, 30 << 20, 30 << 20, 100 << 20, 7, 4_096]
    let blocks = sizes.map { (start: arena.take(byteCount: $0), size: $0) }
    for block in blocks {
      #expect(Int(bitPattern: block.start) % 64 == 0)
      let bytes = block.start.assumingMemoryBound(to: UInt8.self)
      #expect(bytes[0] == 0 && bytes[block.size - 1] == 0)
    }
    for (index, block) in blocks.enumerated() {
      let bytes = block.start.assumingMemoryBound(to: UInt8.self)
      bytes[0] = UInt8(index + 1)
      bytes[block.size - 1] = UInt8(index + 1)
    }
    for (index, block) in blocks.enumerated() {
      let bytes = block.start.assumingMemoryBound(to: UInt8.self)
      #expect(bytes[0] == UInt8(index + 1) && bytes[block.size - 1] == UInt8(index + 1))
    }
  }
}
