import Architectures

extension Measurement {
  package static let schema = "edgetwin.measurement/1"
  private static let requiredFields = [
    "schema", "device", "runtime", "batch_size", "sequence_length", "precision",
  ]
  private static let fields =
    requiredFields + [
      "architecture", "features", "threads", "order", "latency_s", "batch_latency_s", "latency_p95_s",
      "spread_s",
      "energy_j", "peak_power_w", "power_scope", "idle_included", "sampling_interval_s", "meter",
      "measured_at",
      "environment", "includes_startup",
    ]

  /// Reads a row from its tree.
  ///
  /// - Throws: `InputFileError` that names the field.
  package init(_ value: DocumentValue, source: String) throws {
    let reader = try FieldReader(value, source: source)
    try reader.checkSchema(Self.schema)
    let count = MeasurementLimits.count
    let seconds = MeasurementLimits.seconds
    let advice = MeasurementLimits.advice
    let precision = try Self.name("precision", reader)
    guard Self.precisions.contains(precision) else {
      throw reader.failure(
        "precision",
        problem:
          "must be one of \(Self.precisions.joined(separator: ", ")), is \"\(InputFileError.printable(precision))\""
      )
    }
    self.init(
      architecture: try reader["architecture"].map {
        try ArchitectureDocument.architecture($0, source: source, path: "architecture", requiresSchema: false)
      },
      features: try Self.features(reader),
      device: try Self.name("device", reader),
      runtime: try Self.name("runtime", reader),
      batchSize: try reader.integer("batch_size", in: count, known: Self.fields),
      sequenceLength: try reader.integer("sequence_length", in: count, known: Self.fields),
      precision: precision,
      threads: try reader.optionalInteger("threads", in: count),
      order: try reader.optionalInteger("order", in: MeasurementLimits.order),
      latencySeconds: try reader.optionalNumber("latency_s", in: seconds, advice: advice),
      batchLatencySeconds: try reader.optionalNumber("batch_latency_s", in: seconds, advice: advice),
      latencyP95Seconds: try reader.optionalNumber("latency_p95_s", in: seconds, advice: advice),
      spreadSeconds: try reader.optionalNumber(
        "spread_s", in: MeasurementLimits.spreadSeconds, advice: advice),
      energyJoules: try reader.optionalNumber("energy_j", in: MeasurementLimits.joules, advice: advice),
      peakPowerWatts: try reader.optionalNumber("peak_power_w", in: MeasurementLimits.watts, advice: advice),
      powerScope: try Self.powerScope(reader),
      idleIncluded: try reader.optionalBoolean("idle_included"),
      samplingIntervalSeconds: try reader.optionalNumber("sampling_interval_s", in: seconds, advice: advice),
      meter: try reader.optionalString("meter"),
      measuredAt: try reader.optionalString("measured_at"),
      environment: try Self.environment(reader),
      includesStartup: try reader.optionalBoolean("includes_startup") ?? false)
    guard architecture != nil || features != nil else {
      throw reader.failure("architecture", problem: "is missing, and there are no `features` in its place")
    }
    try checkLatencies(reader)
  }

  /// How far a call may be from its sequences together.
  private static let latencyTolerance = 0.01

  /// A call takes what its sequences take together; where start-up is in a sequence's figure, no more than that.
  private func checkLatencies(_ reader: FieldReader) throws {
    guard let latencySeconds, let batchLatencySeconds else { return }
    let together = latencySeconds * Double(batchSize)
    let excess = batchLatencySeconds / together - 1
    guard excess > Self.latencyTolerance || (excess < -Self.latencyTolerance && !includesStartup) else { return }
    throw reader.failure(
      "batch_latency_s",
      problem: "\(batchLatencySeconds) s contradicts latency_s × batch_size, \(together) s: latency_s is per sequence,"
        + " batch_latency_s of one call; give one of them, or both to within 1 %")
  }

  private static func name(_ field: String, _ reader: FieldReader) throws -> String {
    let text = try reader.string(field, known: fields)
    guard MeasurementLimits.textLength.contains(text.utf8.count) else {
      throw reader.failure(field, problem: "must be a text of 1 to 1000 bytes")
    }
    return text
  }

  private static func powerScope(_ reader: FieldReader) throws -> PowerScope? {
    guard let text = try reader.optionalString("power_scope") else { return nil }
    guard let scope = PowerScope(rawValue: text) else {
      let known = PowerScope.allCases.map(\.rawValue).joined(separator: ", ")
      throw reader.failure(
        "power_scope", problem: "must be one of \(known), is \"\(InputFileError.printable(text))\"")
    }
    return scope
  }

  private static func features(_ reader: FieldReader) throws -> [String: Double]? {
    guard let value = reader["features"] else { return nil }
    let inner = try FieldReader(value, source: reader.source, path: reader.field("features"))
    guard MeasurementLimits.dictionaryCount.contains(inner.members.count), !inner.members.isEmpty else {
      throw reader.failure("features", problem: "must have 1 to 1000 numbers, has \(inner.members.count)")
    }
    var result: [String: Double] = [:]
    for member in inner.members {
      let field = inner.field(InputFileError.printable(member.name))
      result[member.name] = try inner.number(member.value, field: field, in: MeasurementLimits.feature)
    }
    return result
  }

  /// Facts by their names; numbers of other programs' rows are kept as texts.
  private static func environment(_ reader: FieldReader) throws -> [String: String] {
    guard let value = reader["environment"] else { return [:] }
    let inner = try FieldReader(value, source: reader.source, path: reader.field("environment"))
    guard MeasurementLimits.dictionaryCount.contains(inner.members.count) else {
      throw reader.failure("environment", problem: "must have at most 1000 texts, has \(inner.members.count)")
    }
    var result: [String: String] = [:]
    for member in inner.members {
      switch member.value.content {
      case .null: continue
      case .boolean(let value): result[member.name] = String(value)
      case .integer(let value): result[member.name] = String(value)
      case .number(let value): result[member.name] = JSONText.number(value)
      default:
        result[member.name] = try inner.string(
          member.value, field: inner.field(InputFileError.printable(member.name)))
      }
    }
    return result
  }

  /// The row as one line of JSON without a line feed; the same row always gives the same line, and every
  /// digit of every number is kept.
  public var jsonLine: String { line(architecture: architecture?.identifiedJSONLine) }

  fileprivate var hashedLine: String { line(architecture: architecture?.jsonLine) }

  private func line(architecture: String?) -> String {
    var members = ["\"schema\":\"\(Self.schema)\"", "\"architecture\":\(architecture ?? "null")"]
    func add(_ name: String, _ text: String?) {
      if let text { members.append("\"\(name)\":\(text)") }
    }
    func object(_ dictionary: [String: String]) -> String {
      let sorted = dictionary.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      return "{" + sorted.map { "\(JSONText.quoted($0.key)):\($0.value)" }.joined(separator: ",") + "}"
    }
    add("features", features.map { object($0.mapValues(JSONText.number)) })
    add("device", JSONText.quoted(device))
    add("runtime", JSONText.quoted(runtime))
    add("batch_size", String(batchSize))
    add("sequence_length", String(sequenceLength))
    add("precision", JSONText.quoted(precision))
    add("threads", threads.map(String.init))
    add("order", order.map(String.init))
    add("latency_s", latencySeconds.map(JSONText.number))
    add("batch_latency_s", batchLatencySeconds.map(JSONText.number))
    add("latency_p95_s", latencyP95Seconds.map(JSONText.number))
    add("spread_s", spreadSeconds.map(JSONText.number))
    add("energy_j", energyJoules.map(JSONText.number))
    add("peak_power_w", peakPowerWatts.map(JSONText.number))
    add("power_scope", powerScope.map { JSONText.quoted($0.rawValue) })
    add("idle_included", idleIncluded.map { $0 ? "true" : "false" })
    add("sampling_interval_s", samplingIntervalSeconds.map(JSONText.number))
    add("meter", meter.map(JSONText.quoted))
    add("measured_at", measuredAt.map(JSONText.quoted))
    add("environment", environment.isEmpty ? nil : object(environment.mapValues(JSONText.quoted)))
    add("includes_startup", includesStartup ? "true" : nil)
    return "{" + members.joined(separator: ",") + "}"
  }
}

extension Sequence<Measurement> {
  /// 16 hexadecimal digits that change when a row, or the order of the rows, changes: FNV-1a (64 bits) over
  /// their JSON lines, the architectures' identifiers left out.
  ///
  /// For provenance, not against forgery.
  public var contentHash: String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func take(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    for row in self {
      for byte in row.hashedLine.utf8 { take(byte) }
      take(0x0A)
    }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
