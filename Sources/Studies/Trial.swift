import Architectures
import CoSearch
import GRDB

/// One candidate of a study: handed out, then told how it did.
public struct Trial: Sendable, Hashable {
  public enum State: Int, Sendable, Hashable, CaseIterable {
    /// Handed out, and not told yet.
    case running = 0
    case complete = 1
    case failed = 2

    /// As files spell it.
    public var name: String {
      switch self {
      case .running: "running"
      case .complete: "complete"
      case .failed: "failed"
      }
    }
  }

  /// From 0, in the order in which they were handed out.
  public var number: Int
  public var point: DesignPoint
  /// Position of the device among the study's.
  public var device: Int
  public var state: State
  public var values: ObjectiveValues
  public var scalar: Double?
  /// Whether it keeps the budgets; nil where it is not complete.
  public var isFeasible: Bool?
  /// How far it is from keeping them (`Assessment.violation`), where that was told; nil where it keeps them.
  public var violation: Double?
  /// Why it failed, as it was told.
  public var error: String?

  public init(
    number: Int, point: DesignPoint, device: Int, state: State = .running, values: ObjectiveValues = ObjectiveValues(),
    scalar: Double? = nil, isFeasible: Bool? = nil, violation: Double? = nil, error: String? = nil
  ) {
    self.number = number
    self.point = point
    self.device = device
    self.state = state
    self.values = values
    self.scalar = scalar
    self.isFeasible = isFeasible
    self.violation = violation
    self.error = error
  }
}

extension Trial {
  /// Columns of ``init(_:space:)``, in its order.
  static let columns = """
    trial.number, trial.device, trial.point, trial.state, trial.accuracy, trial.latency_s, trial.energy_j,
    trial.peak_power_w, trial.parameters, trial.scalar, trial.feasible, trial.error, trial.violation
    """

  /// - Throws: `DatabaseError` of the kind of a damaged file where the row makes no sense.
  init(_ row: Row, space: DesignSpace, devices: Int) throws {
    // Read by position: by name, a million rows take three times as long.
    let data: [UInt8] = try row.withUnsafeData(atIndex: 2) { $0.map { [UInt8]($0) } ?? [] }
    guard let point = PointCode.point(data), space.contains(point), let state = State(rawValue: try row.at(3)),
      (0..<devices).contains(try row.at(1) as Int)
    else {
      let number: Int = try row.at(0)
      throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "trial \(number) is none of this study")
    }
    try self.init(
      number: row.at(0), point: point, device: row.at(1), state: state,
      values: ObjectiveValues(
        accuracy: row.at(4), latencySeconds: row.at(5), energyJoules: row.at(6), peakPowerWatts: row.at(7),
        parameters: row.at(8)),
      scalar: row.at(9), isFeasible: row.at(10), violation: row.at(12), error: row.at(11))
  }
}

extension Row {
  /// The value at a position; a damaged file may hold one of another kind, which is an error here and a trap in GRDB's subscript.
  func at<Value: DatabaseValueConvertible & StatementColumnConvertible>(_ index: Int) throws -> Value {
    try decode(Value.self, atIndex: index)
  }
}

/// Design points as bytes: four a layer.
enum PointCode {
  static func bytes(_ point: DesignPoint) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 * point.layerCount)
    for index in 0..<point.layerCount {
      let layer = point[index]
      let word = UInt32(layer.hidden) << 28 | UInt32(layer.feedForward) << 16 | UInt32(layer.heads)
      for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    return bytes
  }

  /// Nil where the bytes are no design point's.
  static func point(_ bytes: some RandomAccessCollection<UInt8>) -> DesignPoint? {
    guard bytes.count % 4 == 0, bytes.count / 4 <= DesignPoint.maximumLayerCount else { return nil }
    var layers: [DesignPoint.Layer] = []
    var word: UInt32 = 0
    for (index, byte) in bytes.enumerated() {
      word = word << 8 | UInt32(byte)
      if index % 4 == 3 {
        layers.append(
          DesignPoint.Layer(hidden: Int(word >> 28), feedForward: Int(word >> 16 & 0xFFF), heads: Int(word & 0xFFFF)))
        word = 0
      }
    }
    return DesignPoint(layers: layers)
  }

  /// FNV-1a (64 bits) over device and point, as SQLite's signed integer: what repeats are found by.
  static func fingerprint(_ point: DesignPoint, device: Int) -> Int64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in [UInt8(truncatingIfNeeded: device), UInt8(truncatingIfNeeded: device >> 8)] + bytes(point) {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    return Int64(bitPattern: hash)
  }
}
