import Foundation

/// Set once, seen by a measuring thread.
public final class StopFlag: @unchecked Sendable {
  private let lock = NSLock()
  private var value = false

  public init() {}

  public var isSet: Bool { lock.withLock { value } }
  public func set() { lock.withLock { value = true } }
}

/// Measuring happens on a thread of its own: one that stays on its cores, and that no task of the program shares.
public enum MeasuringThread {
  /// Runs `body` on a new thread that is bound to cores.
  ///
  /// - Parameters:
  ///   - cores: none leaves the choice to the system.
  ///   - body: told by its flag that the task was cancelled; what it returns then still counts.
  /// - Throws: what `body` throws, or ``BoardError/pinning(problem:)``.
  public static func run<Value: Sendable>(
    cores: [Int], _ body: @escaping @Sendable (StopFlag) throws -> Value
  ) async throws -> Value {
    let flag = StopFlag()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let thread = Thread {
          continuation.resume(
            with: Result {
              if !cores.isEmpty { try CoreAffinity.bind(cores) }
              return try body(flag)
            })
        }
        thread.stackSize = 16 << 20
        thread.qualityOfService = .userInitiated
        thread.start()
      }
    } onCancel: {
      flag.set()
    }
  }
}
