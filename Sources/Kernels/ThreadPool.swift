import CKernels

/// Makes the engine's pools of threads.
enum ThreadPool {
  /// - Parameter cores: one for each thread, the calling one's first; with fewer the system chooses.
  /// - Throws: ``KernelError`` (kind `machine`) where threads cannot be started.
  static func make(threads: Int, cores: [Int]) throws(KernelError) -> OpaquePointer {
    let chosen = cores.count < threads ? nil : cores.map { Int32(clamping: $0) }
    guard let pool = edgetwin_pool_create(threads, chosen) else {
      throw KernelError(.machine, "\(threads) threads cannot be started; ask for fewer")
    }
    return pool
  }
}
