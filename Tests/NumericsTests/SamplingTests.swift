import Testing

@testable import Numerics

@Suite struct SamplingTests {
  @Test func sobolAndHaltonAgreeWithScipy() throws {
    let sobol = try QuasiRandomSequence.points(.sobol, count: 7, dimensions: 3)
    let expected: [[Double]] = [
      [0.5, 0.5, 0.5], [0.75, 0.25, 0.25], [0.25, 0.75, 0.75], [0.375, 0.375, 0.625], [0.875, 0.875, 0.125],
      [0.625, 0.125, 0.875], [0.125, 0.625, 0.375],
    ]
    // Direction numbers may differ beyond the first two dimensions; the first coordinates do not.
    #expect(sobol.map { Array($0.prefix(2)) } == expected.map { Array($0.prefix(2)) })
    let halton = try QuasiRandomSequence.points(.halton, count: 3, dimensions: 4).flatMap(\.self)
    let expectedHalton: [Double] = [
      0.5, 0.3333333333333333, 0.2, 0.14285714285714285, 0.25, 0.6666666666666666, 0.4, 0.2857142857142857,
      0.75,
      0.1111111111111111, 0.6, 0.42857142857142855,
    ]
    #expect(isClose(halton, expectedHalton, 1e-14))
  }

  /// With the origin that GSL leaves out, 2ᵏ Sobol points are a Latin hypercube in every dimension.
  @Test func sobolIsStratifiedInEveryDimension() throws {
    let points = try QuasiRandomSequence.points(.sobol, count: 63, dimensions: 40)
    for dimension in 0..<40 {
      #expect(Set(points.map { Int($0[dimension] * 64) } + [0]).count == 64)
    }
  }

  @Test func hammersley() throws {
    let points = try QuasiRandomSequence.points(.hammersley(count: 4), count: 4, dimensions: 2)
    #expect(points == [[0, 0.5], [0.25, 0.25], [0.5, 0.75], [0.75, 0.125]])
    #expect(try QuasiRandomSequence.points(.hammersley(count: 2), count: 2, dimensions: 1) == [[0], [0.5]])
    #expect(throws: NumericsError.self) {
      try QuasiRandomSequence.points(.hammersley(count: 4), count: 5, dimensions: 2)
    }
  }

  @Test func dimensionsOutOfRangeAreRefused() {
    #expect(throws: NumericsError.self) { try QuasiRandomSequence.points(.sobol, count: 1, dimensions: 41) }
    #expect(throws: NumericsError.self) { try QuasiRandomSequence.points(.halton, count: 1, dimensions: 0) }
    #expect(throws: NumericsError.self) {
      try QuasiRandomSequence.points(.hammersley(count: 0), count: 1, dimensions: 2)
    }
  }

  @Test func latinHypercubeFillsEveryCellOnce() {
    let points = LatinHypercube.points(count: 50, dimensions: 37, seed: 3)
    for dimension in 0..<37 {
      #expect(Set(points.map { Int($0[dimension] * 50) }) == Set(0..<50))
    }
    #expect(points == LatinHypercube.points(count: 50, dimensions: 37, seed: 3))
    #expect(points != LatinHypercube.points(count: 50, dimensions: 37, seed: 4))
    #expect(points != LatinHypercube.points(count: 50, dimensions: 37, seed: 3, stream: 1))
  }

  /// The known answers that the authors of Philox publish with Random123.
  @Test func philoxKnownAnswers() {
    let zeros = CounterRandom.philox(counter: (0, 0), key: 0)
    #expect(zeros == (0xE169_C58D_6627_E8D5, 0x9B00_DBD8_BC57_AC4C))
    let ones = CounterRandom.philox(counter: (.max, .max), key: .max)
    #expect(ones == (0x41C8_3B0E_408F_276D, 0x6D54_51FD_A20B_C7C6))
    let pi = CounterRandom.philox(
      counter: (0x85A3_08D3_243F_6A88, 0x0370_7344_1319_8A2E), key: 0x299F_31D0_A409_3822)
    #expect(pi == (0x94FD_CCEB_D16C_FE09, 0x2412_6EA1_5001_E420))
  }

  @Test func streamsAreReproducibleAndDistinct() {
    var a = CounterRandom(seed: 1, stream: 2)
    var b = CounterRandom(seed: 1, stream: 2)
    #expect((0..<9).map { _ in a.next() } == (0..<9).map { _ in b.next() })
    let firsts = [
      CounterRandom(seed: 1), CounterRandom(seed: 2), CounterRandom(seed: 1, stream: 1),
      CounterRandom(seed: 1, stream: 1, 0), CounterRandom(seed: 1, stream: 0, 1),
      CounterRandom(seed: 1, stream: 1, 0, 0),
    ].map { generator in
      var generator = generator
      return generator.next()
    }
    #expect(Set(firsts).count == firsts.count)
  }

  @Test func uniformAndNormalMoments() {
    var random = CounterRandom(seed: 5)
    let uniform = (0..<20_000).map { _ in random.nextUniform() }
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    #expect(abs(Statistics.mean(uniform) - 0.5) < 0.01 && abs(Statistics.variance(uniform) - 1 / 12) < 0.003)
    let normal = (0..<20_000).map { _ in random.nextNormal() }
    #expect(abs(Statistics.mean(normal)) < 0.03 && abs(Statistics.variance(normal) - 1) < 0.04)
    #expect(abs(Statistics.quantile(normal, 0.975) - 1.96) < 0.06)
    var counts = [Int](repeating: 0, count: 7)
    for _ in 0..<7000 { counts[random.nextIndex(below: 7)] += 1 }
    #expect(counts.allSatisfy { $0 > 850 && $0 < 1150 })
  }
}
