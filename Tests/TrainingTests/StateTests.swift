import Foundation
import Kernels
import Testing

@testable import Training

struct StateTests {
  private func session(_ threads: Int, seed: UInt64 = 3) throws -> TrainingSession {
    try TrainingSession(
      model: Example.relative.model(), head: .classification(.mean),
      options: TrainingOptions(threads: threads, dropout: 0.2, seed: seed))
  }

  private func step(_ session: TrainingSession) throws {
    try session.accumulate(Example.relative.batch(), Example.relative.targets(session.head))
    try session.step(learningRate: 0.002)
  }

  /// With a micro-batch already waiting, and on another number of threads.
  @Test func goesOnToTheSameBits() throws {
    let first = try session(1)
    try step(first)
    try step(first)
    try first.accumulate(Example.relative.batch([1, 2]), .classes([2, 0]))
    let state = first.state()
    try step(first)
    try step(first)

    let second = try session(2)
    try step(second)
    try second.restore(state)
    #expect(second.stepCount == 2)
    #expect(second.state() == state)
    try step(second)
    try step(second)
    #expect(second.state() == first.state())
  }

  @Test func damagedOrForeignStatesChangeNothing() throws {
    let session = try session(1)
    try step(session)
    let state = session.state()
    var damaged = state
    damaged[state.count / 2] ^= 4
    let message = kernelMessage(.input) { try session.restore(damaged) }
    #expect(message == "the training state is damaged: its checksum is another")
    for count in [0, 7, 20, 400, state.count - 1] {
      #expect(kernelMessage(.input) { try session.restore(state.prefix(count)) }?.contains("cut short") ?? false)
    }
    let foreign = try self.session(1, seed: 4)
    #expect(
      kernelMessage(.input) { try foreign.restore(state) }?.contains("another architecture, head or options") ?? false)
    let huge = Data([255, 255, 255, 255, 255, 255, 255, 127, 0])
    #expect(kernelMessage(.input) { try session.restore(huge) }?.contains("damaged or cut short") ?? false)
    #expect(session.state() == state)
    // A slice of larger data, whose indices do not start at 0.
    try session.restore((Data([1, 2, 3]) + state).dropFirst(3))
    #expect(session.state() == state)
  }
}
