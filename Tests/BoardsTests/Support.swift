import Architectures
import Foundation
import Numerics

@testable import Boards

/// A clock that goes on only when something takes time.
final class FakeClock: MonotonicClock, @unchecked Sendable {
  private let lock = NSLock()
  private var time = 1_000.0

  func now() -> Double { lock.withLock { time } }
  func sleep(seconds: Double) { advance(seconds) }
  func advance(_ seconds: Double) { lock.withLock { time += seconds } }
}

/// A model whose calls take what a function says of the clock and the number of the call.
final class FakeWorkload: RunnableWorkload {
  let name: String
  let clock: FakeClock
  let seconds: (_ now: Double, _ call: Int) -> Double
  var memoryBytes = 1e6
  var failsAtCall: Int?
  private(set) var calls = 0
  private(set) var isPrepared = false
  var log: ((String) -> Void)?

  init(_ name: String = "a", _ clock: FakeClock, _ seconds: @escaping (_ now: Double, _ call: Int) -> Double) {
    self.name = name
    self.clock = clock
    self.seconds = seconds
  }

  func prepare() {
    isPrepared = true
    log?("prepare \(name)")
  }

  func runOnce() throws {
    if calls == failsAtCall { throw FakeFailure() }
    clock.advance(seconds(clock.now(), calls))
    calls += 1
  }

  func callSeconds(_ count: Int, clock: any MonotonicClock) throws -> [Double] {
    log?("\(count) \(name)")
    return try (0..<count).map { _ in
      let start = clock.now()
      try runOnce()
      return clock.now() - start
    }
  }

  func release() {
    isPrepared = false
    log?("release \(name)")
  }
}

struct FakeFailure: Error, CustomStringConvertible { var description: String { "out of order" } }

/// Noise that is the same in every run.
final class Noise {
  private var random: CounterRandom
  init(_ seed: UInt64) { random = CounterRandom(seed: seed) }
  func factor(_ deviation: Double) -> Double { exp(deviation * random.nextNormal()) }
  var uniform: Double { random.nextUniform() }
}

/// The kernel's files as they were on some machine, in a temporary folder.
struct RecordedTree {
  let folder = FileManager.default.temporaryDirectory.appending(path: "edgetwin-tree-\(UUID().uuidString)")
  var tree: SystemTree { SystemTree(root: folder.path) }

  init(_ files: [String: String]) throws {
    for (path, text) in files { try write(path, text) }
  }

  func write(_ path: String, _ text: String) throws {
    let file = folder.appending(path: path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data((text + "\n").utf8).write(to: file)
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }
}

func architecture(_ hidden: Int = 128, layers: Int = 2, positions: Int = 512) -> Architecture {
  Architecture(
    vocabularySize: 100, maximumPositions: positions, typeVocabularySize: 2, position: .absolute,
    layers: Array(
      repeating: Architecture.Layer(
        hiddenSize: hidden, headSize: 64, heads: Array(repeating: .scaledDotProduct, count: hidden / 64),
        feedForward: [4 * hidden]), count: layers))
}
