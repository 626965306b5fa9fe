import Architectures

/// What a power meter says at one moment.
public enum MeterReading: Sendable, Hashable {
  /// A counter that only grows; at `modulusJoules` it starts again from 0.
  case energy(joules: Double, modulusJoules: Double?)
  case power(watts: Double)
}

/// Something that reads the power of the machine.
public protocol Meter: Sendable {
  /// As measurements name it.
  var name: String { get }
  var scope: PowerScope { get }
  /// True where the power at idle is in its figures; it always is for meters of a whole rail.
  var idleIncluded: Bool { get }
  /// How often it is worth reading.
  var intervalSeconds: Double { get }
  /// - Throws: ``BoardError/meter(name:problem:)``.
  func read() throws -> MeterReading
}

extension Meter {
  public var idleIncluded: Bool { true }
}

/// Energy that was used while something ran.
public struct EnergyUse: Sendable, Hashable {
  public var joules: Double
  /// Largest power between two readings of a counter, or the largest sample.
  public var peakWatts: Double?
  /// Mean time between two readings.
  public var intervalSeconds: Double
  public var readings: Int
  /// Calls of the runtime that it was used for.
  public var calls = 0

  public init(joules: Double, peakWatts: Double?, intervalSeconds: Double, readings: Int, calls: Int = 0) {
    self.joules = joules
    self.peakWatts = peakWatts
    self.intervalSeconds = intervalSeconds
    self.readings = readings
    self.calls = calls
  }
}

/// Readings of one meter over time, rising.
public struct MeterTrace: Sendable, Hashable {
  public struct Sample: Sendable, Hashable {
    public var atSeconds: Double
    public var reading: MeterReading

    public init(atSeconds: Double, reading: MeterReading) {
      self.atSeconds = atSeconds
      self.reading = reading
    }
  }

  public var samples: [Sample]

  public init(_ samples: [Sample] = []) {
    self.samples = samples
  }

  /// Mean power of each interval between two readings.
  public var watts: [(from: Double, to: Double, watts: Double)] {
    zip(samples, samples.dropFirst()).compactMap { first, second in
      let seconds = second.atSeconds - first.atSeconds
      guard seconds > 0 else { return nil }
      switch (first.reading, second.reading) {
      case (.energy(let a, let modulus), .energy(let b, _)):
        var joules = b - a
        if joules < 0, let modulus { joules += modulus }
        return joules < 0 ? nil : (first.atSeconds, second.atSeconds, joules / seconds)
      case (.power(let a), .power(let b)): return (first.atSeconds, second.atSeconds, (a + b) / 2)
      default: return nil
      }
    }
  }

  /// Energy between two moments: the mean power of all intervals that overlap with that time, each by its overlap, for the whole time.
  ///
  /// So what lies before the first reading, after the last, or in an interval that could not be used, is taken for average.
  /// - Returns: nil with fewer than two usable readings.
  public func use(from begin: Double, to end: Double) -> EnergyUse? {
    let parts = watts
    guard let first = parts.first, let last = parts.last, end > begin else { return nil }
    var (joules, seconds) = (0.0, 0.0)
    for part in parts {
      let overlap = min(part.to, end) - max(part.from, begin)
      guard overlap > 0 else { continue }
      joules += part.watts * overlap
      seconds += overlap
    }
    guard seconds > 0 else { return nil }
    joules *= (end - begin) / seconds
    var peak = 0.0
    for part in parts where part.to > begin && part.from < end { peak = max(peak, part.watts) }
    for sample in samples where sample.atSeconds >= begin && sample.atSeconds <= end {
      if case .power(let watts) = sample.reading { peak = max(peak, watts) }
    }
    return EnergyUse(
      joules: joules, peakWatts: peak > 0 ? peak : nil, intervalSeconds: (last.to - first.from) / Double(parts.count),
      readings: samples.count)
  }
}
