import Architectures
import Testing

@testable import Kernels

@Suite struct KernelProbeTests {
  @Test(arguments: [1, 2]) func everyKindRuns(threads: Int) throws {
    let bench = try KernelBench(threads: threads)
    var kinds: [KernelProbe.Kind] = [
      .linear(rows: 17, inputs: 33, outputs: 40, epilogue: .none),
      .linear(rows: 17, inputs: 33, outputs: 40, epilogue: .gelu),
      .linear(rows: 17, inputs: 33, outputs: 40, epilogue: .norm), .emptySteps(5), .stream(bytes: 1 << 16),
      .product(m: 5, k: 7, n: 9), .softmax(rows: 3, columns: 21),
    ]
    if bench.hasInt8 {
      for epilogue: KernelProbe.Epilogue in [.none, .gelu, .norm] {
        kinds.append(.linear(rows: 17, inputs: 33, outputs: 40, epilogue: epilogue, precision: .int8))
      }
    }
    for operation in HeadOperation.allCases {
      for isRelative in [false, true] {
        // Lengths of one and odd ones, sizes that fill no vector.
        for (size, length) in [(10, 1), (16, 31), (21, 32)] {
          kinds.append(.heads(operation, count: 3, headSize: size, length: length, isRelative: isRelative))
        }
      }
    }
    for kind in kinds {
      let probe = try KernelProbe(kind, bench: bench)
      #expect(probe.seconds(kernels: 150) > 0)
    }
  }

  @Test func biggerKernelsTakeLonger() throws {
    let bench = try KernelBench(threads: 1)
    func fastest(_ kind: KernelProbe.Kind) throws -> Double {
      let probe = try KernelProbe(kind, bench: bench)
      return (0..<5).map { _ in probe.seconds(kernels: 3) }.min() ?? .nan
    }
    // A thousand times the arithmetic.
    let small = try fastest(.linear(rows: 16, inputs: 32, outputs: 32, epilogue: .none))
    let large = try fastest(.linear(rows: 128, inputs: 512, outputs: 256, epilogue: .none))
    #expect(large > 20 * small)
  }

  @Test func asManyHeadsAsThereIsRoomFor() throws {
    let bench = try KernelBench(threads: 1)
    for (size, length) in [(256, 512), (10, 128), (64, 512)] {
      let most = KernelProbe.mostHeads(headSize: size, length: length)
      func heads(_ count: Int) -> KernelProbe.Kind {
        .heads(.scaledDotProduct, count: count, headSize: size, length: length, isRelative: false)
      }
      _ = try KernelProbe(heads(most), bench: bench)
      #expect(throws: KernelError.self) { _ = try KernelProbe(heads(most + 1), bench: bench) }
    }
  }

  @Test func whatHasNoRoomIsRefused() throws {
    let bench = try KernelBench(threads: 1)
    for kind: KernelProbe.Kind in [
      .linear(rows: 1 << 20, inputs: 4_096, outputs: 16, epilogue: .none),
      .linear(rows: 1, inputs: 1 << 14, outputs: 1 << 14, epilogue: .none),
      .heads(.convolution5, count: 1, headSize: 16, length: 100_000, isRelative: true),
      .heads(.convolution5, count: 0, headSize: 16, length: 10, isRelative: true), .stream(bytes: 8),
    ] {
      #expect(throws: KernelError.self) { _ = try KernelProbe(kind, bench: bench) }
    }
    #expect(throws: KernelError.self) { _ = try KernelBench(threads: 0) }
    let plain = try KernelBench(threads: 1, instructionSet: "baseline")
    #expect(!plain.hasInt8)
    #expect(throws: KernelError.self) {
      _ = try KernelProbe(
        .linear(rows: 8, inputs: 16, outputs: 16, epilogue: .none, precision: .int8), bench: plain)
    }
  }
}
