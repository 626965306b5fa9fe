import Foundation

/// Reads a meter again and again on a thread of its own.
final class MeterSampler: @unchecked Sendable {
  private let meter: any Meter
  private let clock: any MonotonicClock
  private let lock = NSCondition()
  private var samples: [MeterTrace.Sample] = []
  private var isStopping = false
  private var isRunning = false

  init(_ meter: any Meter, clock: any MonotonicClock) {
    self.meter = meter
    self.clock = clock
  }

  func start() {
    isRunning = true
    sample()
    let thread = Thread { [self] in
      lock.lock()
      while !isStopping {
        _ = lock.wait(until: Date(timeIntervalSinceNow: meter.intervalSeconds))
        if isStopping { break }
        lock.unlock()
        sample()
        lock.lock()
      }
      isRunning = false
      lock.broadcast()
      lock.unlock()
    }
    thread.start()
  }

  /// Reads once more and ends the thread.
  func stop() -> MeterTrace {
    lock.lock()
    isStopping = true
    lock.broadcast()
    while isRunning { lock.wait() }
    lock.unlock()
    sample()
    return MeterTrace(samples)
  }

  /// A reading that fails is left out: the next one covers its time.
  private func sample() {
    guard let reading = try? meter.read() else { return }
    let sample = MeterTrace.Sample(atSeconds: clock.now(), reading: reading)
    lock.withLock { samples.append(sample) }
  }
}
