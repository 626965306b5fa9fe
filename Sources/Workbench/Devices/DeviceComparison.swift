import Architectures
import Foundation
import Numerics
import Twins

/// Two twins side by side: facts, coefficients, and predictions over a seeded sample of the space.
public struct DeviceComparison: Sendable {
  public struct Coefficient: Sendable {
    public var measure: String
    public var form: String
    /// Feature, with its knee or scale where it has one.
    public var feature: String
    public var unit: String
    public var a: Double?
    public var b: Double?
  }

  public struct Fact: Sendable {
    public var path: String
    public var a: Twins.Fact?
    public var b: Twins.Fact?
  }

  public let a: Twin
  public let b: Twin
  /// Facts that differ.
  public let facts: [Fact]
  public let coefficients: [Coefficient]
  public let level: Double
  /// Of the sample, in order; nil where the model does not fit.
  public let predictions: [(id: String, a: Prediction?, b: Prediction?)]

  /// - Parameters:
  ///   - count: architectures of the sample.
  ///   - seed: of the Latin hypercube that they are drawn from.
  /// - Throws: `DesignSpaceError` for a negative count.
  public init(_ a: Twin, _ b: Twin, count: Int, seed: UInt64, level: Double = 0.9) throws {
    self.a = a
    self.b = b
    self.level = level
    let (left, right) = (DeviceFacts.list(a.device), DeviceFacts.list(b.device))
    func find(_ list: [(path: String, fact: Twins.Fact)], _ path: String) -> Twins.Fact? {
      list.first { $0.path == path }?.fact
    }
    facts = (left.map(\.path) + right.map(\.path).filter { find(left, $0) == nil }).compactMap { path in
      let fact = Fact(path: path, a: find(left, path), b: find(right, path))
      return fact.a?.value == fact.b?.value ? nil : fact
    }
    coefficients = Self.coefficients(a.model, b.model)
    let space = DesignSpace.flexibert2
    predictions = try space.sample(count: count, seed: seed).map { point in
      let architecture = space.architecture(of: point)
      return (
        architecture.id, try? a.predict(architecture, level: level), try? b.predict(architecture, level: level)
      )
    }
  }

  private static func coefficients(_ a: TwinModel, _ b: TwinModel) -> [Coefficient] {
    var result: [Coefficient] = []
    for (measure, path) in [
      ("latency", \TwinModel.latency), ("energy", \TwinModel.energy), ("peak_power", \TwinModel.peakPower),
    ] {
      let (left, right) = (terms(a[keyPath: path]), terms(b[keyPath: path]))
      for term in left + right.filter({ other in !left.contains { $0.key == other.key } }) {
        result.append(
          Coefficient(
            measure: measure, form: term.form, feature: term.feature, unit: term.unit,
            a: left.first { $0.key == term.key }?.value, b: right.first { $0.key == term.key }?.value))
      }
    }
    return result
  }

  private struct Term {
    var form: String
    var feature: String
    var unit: String
    var value: Double
    var key: String { "\(form)|\(feature)" }
  }

  private static func terms(_ model: MeasureModel) -> [Term] {
    var result: [Term] = []
    for (index, form) in model.forms.enumerated() {
      // Names repeat where energy is a mean of its own forms and those of the latency.
      let isRepeated = model.forms.prefix(index).contains { $0.name == form.name }
      for coefficient in form.coefficients {
        let place = coefficient.at.map { " at \(Humane.bytes($0))" } ?? ""
        let shape = coefficient.shape.map { String(format: ", shape %.3g", $0) } ?? ""
        result.append(
          Term(
            form: form.name + (isRepeated ? " (2)" : ""), feature: coefficient.feature.rawValue + place + shape,
            unit: coefficient.unit, value: coefficient.value))
      }
    }
    if let saturation = model.saturation {
      result.append(Term(form: "saturation", feature: "idle", unit: "W", value: saturation.idleWatts))
      result.append(Term(form: "saturation", feature: "rise", unit: "W", value: saturation.riseWatts))
      result.append(Term(form: "saturation", feature: "tau", unit: "s", value: saturation.tauSeconds))
    }
    result.append(Term(form: "level", feature: "factor", unit: "1", value: exp(model.logLevel)))
    return result
  }

  /// B's prediction over A's, for the members of the sample that both can run, sorted.
  public func ratios(_ measure: (CostEstimate) -> Estimate) -> [Double] {
    predictions.compactMap { row in
      guard let a = row.a, let b = row.b else { return nil }
      return measure(b.costs).median / measure(a.costs).median
    }.sorted()
  }

  // MARK: Output

  private var measures: [(name: String, unit: String, value: (CostEstimate) -> Estimate)] {
    [
      ("latency_s", "s", \.latencySeconds), ("energy_j", "J", \.energyJoules),
      ("peak_power_w", "W", \.peakPowerWatts),
    ]
  }

  /// Everything as one object.
  public var record: Record {
    func side(_ twin: Twin) -> FieldValue {
      var record = Record()
      record.add("device", .text(twin.device.id))
      record.add("runtime", .text(twin.runtime))
      record.add("calibrated", .flag(twin.isCalibrated))
      record.add("rows", FieldValue(twin.model.fit?.rows))
      record.add("power_scope", .text(twin.device.power.scope.rawValue))
      return .object(record)
    }
    func pair(_ a: FieldValue, _ b: FieldValue, _ names: [(String, FieldValue)] = []) -> FieldValue {
      var record = Record()
      for (name, value) in names { record.add(name, value) }
      record.add("a", a)
      record.add("b", b)
      return .object(record)
    }
    var record = Record()
    record.add("schema", .text("edgetwin.device-diff/1"))
    record.add("a", side(a))
    record.add("b", side(b))
    record.add(
      "facts",
      .list(
        facts.map {
          pair(
            FieldValue($0.a?.value), FieldValue($0.b?.value),
            [("fact", .text($0.path)), ("unit", FieldValue($0.a?.unit ?? $0.b?.unit))])
        }))
    record.add(
      "coefficients",
      .list(
        coefficients.map {
          pair(
            FieldValue($0.a), FieldValue($0.b),
            [
              ("measure", .text($0.measure)), ("form", .text($0.form)), ("feature", .text($0.feature)),
              ("unit", .text($0.unit)),
            ])
        }))
    record.add("level", .number(level))
    record.add(
      "predictions",
      .list(
        predictions.map { row in
          var record = Record()
          record.add("id", .text(row.id))
          for measure in measures {
            record.add(
              measure.name,
              pair(
                row.a.map { PredictionRecord.estimate(measure.value($0.costs)) } ?? .null,
                row.b.map { PredictionRecord.estimate(measure.value($0.costs)) } ?? .null))
          }
          return .object(record)
        }))
    return record
  }

  /// Everything for people.
  public var text: String {
    var text = "A: \(Self.title(a))\nB: \(Self.title(b))\n"
    if a.device.power.scope != b.device.power.scope { text += PowerScopes.warning([a, b].map(\.device)) + "\n" }
    if !facts.isEmpty {
      var table = TextTable([
        .init("fact"), .init("A", right: true), .init("B", right: true), .init("B/A", right: true),
      ])
      for fact in facts {
        table.add([
          fact.path, fact.a.map(DeviceFacts.shown) ?? "–", fact.b.map(DeviceFacts.shown) ?? "–",
          Self.ratio(fact.a?.value, fact.b?.value),
        ])
      }
      text += "\n" + table.text
    }
    var table = TextTable([
      .init("measure"), .init("form"), .init("coefficient"), .init("A", right: true), .init("B", right: true),
      .init("unit"), .init("B/A", right: true),
    ])
    for coefficient in coefficients {
      func shown(_ value: Double?) -> String { value.map { String(format: "%.3g", $0) } ?? "–" }
      table.add([
        coefficient.measure, coefficient.form, coefficient.feature, shown(coefficient.a), shown(coefficient.b),
        coefficient.unit, Self.ratio(coefficient.a, coefficient.b),
      ])
    }
    text += "\n" + table.text
    return text + "\n" + summary
  }

  private var summary: String {
    var table = TextTable([
      .init("prediction"), .init("A, median", right: true), .init("B, median", right: true),
      .init("B/A, median", right: true), .init("5 %", right: true), .init("95 %", right: true),
    ])
    for measure in measures {
      let ratios = ratios(measure.value)
      guard !ratios.isEmpty else { continue }
      func middle(_ side: (Prediction?, Prediction?) -> Prediction?) -> String {
        let values = predictions.compactMap { row in side(row.a, row.b).map { measure.value($0.costs).median } }
        return Humane.scaled(Statistics.median(values), measure.unit)
      }
      table.add([
        measure.name, middle { a, _ in a }, middle { _, b in b }, Humane.digits(Statistics.median(ratios)),
        Humane.digits(Statistics.quantile(ofSorted: ratios, 0.05)),
        Humane.digits(Statistics.quantile(ofSorted: ratios, 0.95)),
      ])
    }
    let both = predictions.count { $0.a != nil && $0.b != nil }
    return "Predictions for \(both) of \(predictions.count) sampled architectures that both can run:\n" + table.text
  }

  private static func ratio(_ a: Double?, _ b: Double?) -> String {
    guard let a, let b, a != 0 else { return "–" }
    return Humane.digits(b / a)
  }

  private static func title(_ twin: Twin) -> String {
    let fitted = twin.model.fit.map { "fitted on \($0.rows) rows" } ?? "from the datasheet"
    let settings = twin.settings
    return "\(twin.device.id), \(twin.runtime), \(fitted), batch size \(settings.batchSize), length"
      + " \(settings.sequenceLength), \(settings.precision.rawValue)"
  }
}

/// What is said where powers of different scopes stand side by side.
public enum PowerScopes {
  /// Empty where all devices have one scope.
  public static func warning(_ devices: [Device]) -> String {
    var byScope: [PowerScope: Set<String>] = [:]
    for device in devices { byScope[device.power.scope, default: []].insert(device.id) }
    guard byScope.count > 1 else { return "" }
    let parts = PowerScope.allCases.compactMap { scope in
      byScope[scope].map { "\(scope.rawValue): \($0.sorted().joined(separator: ", "))" }
    }
    return "Power and energy are of different scopes and do not compare: \(parts.joined(separator: "; "))."
  }
}
