import Testing

@testable import Kernels

@Test func maskMustBeOnesThenZeros() throws {
  #expect(throws: KernelError.self) { try TokenBatch(ids: [[1, 2, 3]], mask: [[1, 0, 1]]) }
  let batch = try TokenBatch(ids: [[1, 2, 3], [4, 5, 6]], mask: [[1, 1, 0], [1, 1, 1]])
  #expect(batch.ids == [1, 2, 4, 5, 6])
  #expect(batch.offsets == [0, 2, 5])
}
