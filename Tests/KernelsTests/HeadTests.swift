import CKernels
import Foundation
import Testing

@testable import Kernels

/// One head on one sequence, absolute positions, against the definitions.
@Suite struct HeadTests {
  private static func kernels() -> [UnsafePointer<edgetwin_kernels>] {
    var seen: Set<UnsafePointer<edgetwin_kernels>> = []
    return instructionSets.compactMap { edgetwin_kernels_best($0) }.filter { seen.insert($0).inserted }
  }

  /// Context [n, d] of a head without weights of its own; q, k and v are [n, d].
  private static func head(
    _ kernels: UnsafePointer<edgetwin_kernels>, _ kind: edgetwin_head_kind, n: Int, d: Int, q: [Float], k: [Float],
    v: [Float]
  ) -> [Float] {
    let padded = PackedModel.rounded(d)
    let stride = PackedModel.rounded(3 * d) + 16
    let input = AlignedMemory(floats: n * stride + 64)
    for t in 0..<n {
      for j in 0..<d {
        input.floats[t * stride + j] = q[t * d + j]
        input.floats[t * stride + d + j] = k[t * d + j]
        input.floats[t * stride + 2 * d + j] = v[t * d + j]
      }
    }
    let output = AlignedMemory(floats: n * d + 64)
    let byWidth = AlignedMemory(floats: d * 2 * padded + 64)
    for row in 0..<d {
      for column in 0..<d {
        if kind == EDGETWIN_HEAD_FOURIER {
          let angle = 2 * Double.pi * Double(row * column) / Double(d)
          byWidth.floats[row * 2 * padded + column] = Float(cos(angle) / Double(d).squareRoot())
          byWidth.floats[row * 2 * padded + padded + column] = Float(sin(angle) / Double(d).squareRoot())
        } else {
          byWidth.floats[row * padded + column] = Float(cosine(d, column, row))
        }
      }
    }
    let table = AlignedMemory(floats: max(edgetwin_fourier_floats(n), edgetwin_cosine_floats(n)) + 64)
    if kind == EDGETWIN_HEAD_FOURIER { edgetwin_fourier_table(n, table.floats) }
    if kind == EDGETWIN_HEAD_COSINE { edgetwin_cosine_table(n, table.floats) }
    var own = edgetwin_head()
    own.kind = Int32(kind.rawValue)
    let offsets: [Int32] = [0, Int32(n)]
    let tables: [UnsafePointer<Float>?] = [UnsafePointer(table.floats)]
    withUnsafePointer(to: own) { heads in
      offsets.withUnsafeBufferPointer { offsets in
        tables.withUnsafeBufferPointer { tables in
          var step = edgetwin_attention()
          step.input = UnsafePointer(input.floats)
          step.input_ld = stride
          step.output = output.floats
          step.output_ld = d
          step.head_count = 1
          step.head_size = d
          step.head_size_padded = padded
          step.heads = heads
          step.maximum_positions = n
          step.fourier = UnsafePointer(byWidth.floats)
          step.cosine = UnsafePointer(byWidth.floats)
          var tokens = edgetwin_tokens()
          tokens.batch = 1
          tokens.offsets = offsets.baseAddress
          tokens.fourier = tables.baseAddress
          tokens.cosine = tables.baseAddress
          let scratch = AlignedMemory(floats: edgetwin_attention_scratch(kernels, &step, n))
          withExtendedLifetime((input, output, byWidth, table)) {
            kernels.pointee.attention(&step, &tokens, 0, 0, scratch.floats)
          }
        }
      }
    }
    return (0..<n * d).map { output.floats[$0] }
  }

  /// Element [j, l] of the orthonormal DCT-II.
  private static func cosine(_ n: Int, _ j: Int, _ l: Int) -> Double {
    ((j == 0 ? 1 : 2) / Double(n)).squareRoot() * cos(Double.pi * Double((2 * l + 1) * j) / Double(2 * n))
  }

  /// left [n, n] · v [n, d] · right [d, d], element by element.
  private static func twoSided(
    _ n: Int, _ d: Int, _ v: [Float], left: (Int, Int) -> Double, right: (Int, Int) -> Double
  ) -> [Double] {
    var middle = [Double](repeating: 0, count: n * d)
    for l in 0..<n {
      for c in 0..<d { middle[l * d + c] = (0..<d).reduce(0) { $0 + Double(v[l * d + $1]) * right($1, c) } }
    }
    var result = [Double](repeating: 0, count: n * d)
    for j in 0..<n {
      for l in 0..<n {
        let x = left(j, l)
        for c in 0..<d { result[j * d + c] += x * middle[l * d + c] }
      }
    }
    return result
  }

  @Test(arguments: [1, 3, 16, 20]) func foldedTransformsAreTheTransforms(d: Int) {
    func angle(_ n: Int, _ j: Int, _ l: Int) -> Double { 2 * Double.pi * Double(j * l) / Double(n) }
    for n in 1...40 {
      let (v, q) = (scattered(n * d, seed: UInt64(n)), scattered(n * d, seed: 99))
      // Re(F v F) = C v C − S v S over √(n·d), C and S the cosines and sines.
      let cosines = Self.twoSided(n, d, v, left: { cos(angle(n, $0, $1)) }, right: { cos(angle(d, $0, $1)) })
      let sines = Self.twoSided(n, d, v, left: { sin(angle(n, $0, $1)) }, right: { sin(angle(d, $0, $1)) })
      let fourier = zip(cosines, sines).map { ($0 - $1) / Double(n * d).squareRoot() }
      let cosine = Self.twoSided(n, d, v, left: { Self.cosine(n, $0, $1) }, right: { Self.cosine(d, $1, $0) })
      for kernels in Self.kernels() {
        let name = String(cString: kernels.pointee.name)
        let ours = Self.head(kernels, EDGETWIN_HEAD_FOURIER, n: n, d: d, q: q, k: q, v: v)
        #expect(relativeError(ours, fourier) <= 2e-6, "Fourier, \(name), \(n) tokens")
        let theirs = Self.head(kernels, EDGETWIN_HEAD_COSINE, n: n, d: d, q: q, k: q, v: v)
        #expect(relativeError(theirs, cosine) <= 2e-6, "cosine, \(name), \(n) tokens")
      }
    }
  }

  private static func attention(_ n: Int, _ d: Int, q: [Float], k: [Float], v: [Float]) -> [Double] {
    var result: [Double] = []
    for s in 0..<n {
      let scores = (0..<n).map { t in
        (0..<d).reduce(0.0) { $0 + Double(q[s * d + $1]) * Double(k[t * d + $1]) } / Double(d).squareRoot()
      }
      let top = scores.max() ?? 0
      let weights = scores.map { exp($0 - top) }
      let sum = weights.reduce(0, +)
      for j in 0..<d { result.append((0..<n).reduce(0) { $0 + weights[$1] / sum * Double(v[$1 * d + j]) }) }
    }
    return result
  }

  @Test(arguments: [1, 2, 7, 16, 33, 40]) func selfAttentionIsRight(n: Int) {
    for d in [1, 8, 19, 32] {
      let (q, k, v) = (scattered(n * d, seed: 21), scattered(n * d, seed: 22), scattered(n * d, seed: 23))
      let expected = Self.attention(n, d, q: q, k: k, v: v)
      for kernels in Self.kernels() {
        let ours = Self.head(kernels, EDGETWIN_HEAD_SCALED_DOT_PRODUCT, n: n, d: d, q: q, k: k, v: v)
        #expect(relativeError(ours, expected) <= 2e-6, "\(String(cString: kernels.pointee.name)), \(n) × \(d)")
      }
    }
  }

  /// Scores of plus and minus ten thousand: the largest wins, and nothing overflows.
  @Test func largeScoresGiveNumbers() {
    let (n, d) = (21, 4)
    let v = scattered(n * d, seed: 31)
    var q = [Float](repeating: 0, count: n * d)
    var k = q
    for t in 0..<n {
      q[t * d] = t % 2 == 0 ? 200 : -200
      k[t * d] = Float(t - 10) * 10
    }
    let expected = Self.attention(n, d, q: q, k: k, v: v)
    for kernels in Self.kernels() {
      let ours = Self.head(kernels, EDGETWIN_HEAD_SCALED_DOT_PRODUCT, n: n, d: d, q: q, k: k, v: v)
      #expect(relativeError(ours, expected) <= 1e-6, "\(String(cString: kernels.pointee.name))")
    }
  }
}
