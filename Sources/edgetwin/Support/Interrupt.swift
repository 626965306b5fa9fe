import Dispatch
import Foundation

/// Runs a task that ctrl-C cancels instead of ending the program; a second ctrl-C ends it.
enum Interrupt {
  /// Where the signal's handler writes: all that it may do.
  nonisolated(unsafe) private static var writeEnd: Int32 = -1

  static func cancelling<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return try await body() }
    let readEnd = ends[0]
    writeEnd = ends[1]
    let task = Task { try await body() }
    let source = DispatchSource.makeReadSource(fileDescriptor: readEnd, queue: .global())
    source.setEventHandler {
      var byte: UInt8 = 0
      _ = read(readEnd, &byte, 1)
      if task.isCancelled { exit(Failure.interrupted) }
      task.cancel()
    }
    source.resume()
    signal(SIGINT) { _ in
      var byte: UInt8 = 0
      _ = write(Interrupt.writeEnd, &byte, 1)
    }
    defer {
      signal(SIGINT, SIG_DFL)
      source.cancel()
    }
    return try await task.value
  }
}
