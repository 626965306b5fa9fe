import Architectures
import Calibration
import Measurements
import Twins

/// What is asked of a device's twin: the runtime, settings that differ from its own, what-if changes.
public struct PredictionRequest: Sendable {
  public var file: DeviceFile
  public var runtime: String
  /// Whether the runtime was asked for; else a measurement is predicted with its own, where the device has that.
  public var isRuntimeGiven: Bool
  public var batchSize: Int?
  public var sequenceLength: Int?
  public var precision: Precision?
  public var threads: Int?
  public var includesStartup: Bool
  public var overrides: [Override]
  public var level: Double

  /// - Parameter runtime: nil takes `DeviceFile.defaultRuntime`.
  public init(
    file: DeviceFile, runtime: String? = nil, batchSize: Int? = nil, sequenceLength: Int? = nil,
    precision: Precision? = nil, threads: Int? = nil, includesStartup: Bool = false, overrides: [Override] = [],
    level: Double = 0.9
  ) {
    self.file = file
    self.runtime = runtime ?? file.defaultRuntime
    isRuntimeGiven = runtime != nil
    self.batchSize = batchSize
    self.sequenceLength = sequenceLength
    self.precision = precision
    self.threads = threads
    self.includesStartup = includesStartup
    self.overrides = overrides
    self.level = level
  }

  /// The settings: those asked for, else the device's own.
  public var settings: Settings {
    var settings = file.defaultSettings(runtime: runtime)
    settings.batchSize = batchSize ?? settings.batchSize
    settings.sequenceLength = sequenceLength ?? settings.sequenceLength
    settings.precision = precision ?? settings.precision
    settings.threads = threads ?? settings.threads
    settings.includesStartup = includesStartup
    return settings
  }

  /// The twin at ``settings``.
  /// - Throws: `TwinError`.
  public func twin() throws(TwinError) -> Twin { try twin(settings, runtime: runtime) }

  func twin(_ settings: Settings, runtime: String) throws(TwinError) -> Twin {
    try Twin(file: file, runtime: runtime, settings: settings, overrides: overrides)
  }
}

/// Predicts row after row, at each row's settings; twins are made once for each.
public struct RowPredictor {
  private let request: PredictionRequest
  private struct Key: Hashable {
    var settings: Settings
    var runtime: String
  }

  private var twins: [Key: Twin] = [:]

  /// - Throws: `TwinError` where the request itself cannot be met.
  public init(_ request: PredictionRequest) throws(TwinError) {
    self.request = request
    let settings = request.settings
    twins[Key(settings: settings, runtime: request.runtime)] = try request.twin()
  }

  /// One row's answer.
  public struct Answer: Sendable {
    /// Nil for a row that is known by its features only.
    public var architecture: Architecture?
    public var settings: Settings
    /// Nil where the model does not fit the device.
    public var costs: CostEstimate?
    /// Nil where there are no costs, and for a row that is known by its features only.
    public var prediction: Prediction?
    /// Why there is no prediction.
    public var problem: TwinError?
    public var record: Record
  }

  /// What must be said of rows that were measured on another device than the one that is asked for; nil where there are none.
  public func note(on rows: [ArchitectureRow]) -> String? {
    let id = request.file.device.id
    let others = rows.compactMap { $0.measurement?.device }.filter { $0 != id }
    guard !others.isEmpty else { return nil }
    let names = Set(others).sorted().map { InputFileError.printable($0) }.joined(separator: ", ")
    return "\(others.count) of \(rows.count) rows were measured on another device (\(names)); predicted is \(id)"
  }

  /// Finds out that a row can be answered, before any is.
  /// - Throws: `InputFileError` naming the line.
  public mutating func check(_ row: ArchitectureRow, source: String) throws {
    let twin = try twin(for: row, source: source)
    if try Self.features(of: row, twin: twin, source: source) == nil { _ = try row.model(source: source) }
  }

  /// Features of a row that has no architecture but the columns of a HAT encoder; nil for other rows.
  private static func features(of row: ArchitectureRow, twin: Twin, source: String) throws -> FeatureVector? {
    guard row.architecture == nil, row.embedding == nil, let measurement = row.measurement else { return nil }
    guard twin.variant == .fairseq else {
      throw InputFileError(
        source: source, line: row.line, field: "architecture",
        problem:
          "is null: rows that are known by their features only need the runtime hat")
    }
    guard let features = Series.features(of: measurement, settings: twin.settings, variant: twin.variant) else {
      throw InputFileError(
        source: source, line: row.line, field: "features", problem: "lack the columns of a HAT encoder")
    }
    return features
  }

  /// The twin for a row.
  ///
  /// For a measurement: at its batch size, length, precision and threads, with start-up in its figures or not as it says; with its
  /// runtime, unless another was asked for or the device does not have it.
  /// - Throws: `InputFileError` naming the line.
  public mutating func twin(for row: ArchitectureRow, source: String) throws -> Twin {
    var key = Key(settings: request.settings, runtime: request.runtime)
    if let measurement = row.measurement {
      guard let precision = Precision(rawValue: measurement.precision) else {
        throw InputFileError(source: source, line: row.line, field: "precision", problem: "is not known")
      }
      if !request.isRuntimeGiven, request.file.runtimes[measurement.runtime] != nil {
        key.runtime = measurement.runtime
      }
      key.settings = Settings(
        batchSize: measurement.batchSize, sequenceLength: measurement.sequenceLength, precision: precision,
        threads: measurement.threads, includesStartup: measurement.includesStartup)
    }
    if let twin = twins[key] { return twin }
    do {
      let twin = try request.twin(key.settings, runtime: key.runtime)
      twins[key] = twin
      return twin
    } catch {
      throw InputFileError(source: source, line: row.line, problem: "\(error)")
    }
  }

  /// - Throws: `InputFileError` naming the line, where the row's model or settings cannot be used.
  public mutating func answer(_ row: ArchitectureRow, source: String) throws -> Answer {
    let twin = try twin(for: row, source: source)
    if let features = try Self.features(of: row, twin: twin, source: source) {
      let costs = twin.costs(of: features, level: request.level)
      return Answer(
        architecture: nil, settings: twin.settings, costs: costs, prediction: nil, problem: nil,
        record: PredictionRecord.record(costs: costs, features: features, twin: twin, level: request.level))
    }
    let architecture = try row.model(source: source)
    do {
      let prediction = try twin.predict(architecture, level: request.level)
      return Answer(
        architecture: architecture, settings: twin.settings, costs: prediction.costs, prediction: prediction,
        problem: nil, record: PredictionRecord.record(prediction, twin: twin))
    } catch {
      return Answer(
        architecture: architecture, settings: twin.settings, costs: nil, prediction: nil, problem: error,
        record: PredictionRecord.record(
          failed: architecture, twin: twin, level: request.level, problem: "\(error)"))
    }
  }
}

extension ArchitectureRow {
  /// The row's architecture; an embedding alone is read as one of the FlexiBERT 2.0 space.
  /// - Throws: `InputFileError` naming the line.
  public func model(source: String, space: DesignSpace = .flexibert2) throws -> Architecture {
    if let architecture { return architecture }
    if let embedding {
      do {
        return space.architecture(of: try space.point(ofEmbedding: embedding))
      } catch {
        throw InputFileError(source: source, line: line, field: "embedding", problem: "\(error)")
      }
    }
    throw InputFileError(
      source: source, line: line, field: "architecture",
      problem: "is null: rows that are known by their features only cannot be predicted")
  }
}
