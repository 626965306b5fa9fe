import Architectures

/// How a model did on the rows of a task.
public struct TaskScore: Sendable, Hashable {
  public let task: TextTask
  public let rows: Int
  /// Mean cross-entropy in nats, or mean squared error.
  public let loss: Double
  /// In the order of the task's official metrics.
  public let metrics: [(metric: Metric, value: Double)]
  /// A class or a number a row.
  public let predictions: [Double]

  public init(task: TextTask, loss: Double, predictions: [Double], expected: [Double]) {
    self.task = task
    self.loss = loss
    self.predictions = predictions
    rows = expected.count
    metrics = task.metrics.map { ($0, $0.value(predicted: predictions, expected: expected)) }
  }

  /// Mean of the official metrics, as GLUE has it; a correlation with a constant counts as 0.
  public var score: Double {
    metrics.reduce(0) { $0 + ($1.value.isNaN ? 0 : $1.value) } / Double(max(metrics.count, 1))
  }

  /// `{"task","rows","loss","metrics":{…},"score"}`.
  public var json: String {
    let members = metrics.map { "\"\($0.metric.rawValue)\":\(JSONText.number($0.value))" }
    return "{\"task\":\"\(task.id)\",\"rows\":\(rows),\"loss\":\(JSONText.number(loss)),"
      + "\"metrics\":{\(members.joined(separator: ","))},\"score\":\(JSONText.number(score))}"
  }

  /// `SST-2: accuracy 0.884 (872 rows, loss 0.3120)`.
  public var line: String {
    let shown = metrics.map { "\($0.metric.rawValue) \(Self.shown($0.value))" }.joined(separator: ", ")
    return "\(task.name): \(shown) (\(rows) rows, loss \(Self.shown(loss)))"
  }

  /// Four digits after the point.
  public static func shown(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return value.isNaN ? "not defined" : "\(value)" }
    let scaled = Int((abs(value) * 10_000).rounded())
    let fraction = String(scaled % 10_000)
    return "\(value < 0 ? "-" : "")\(scaled / 10_000)." + String(repeating: "0", count: 4 - fraction.count) + fraction
  }

  public static func == (left: TaskScore, right: TaskScore) -> Bool {
    left.task == right.task && left.loss == right.loss && left.predictions == right.predictions
      && left.metrics.map(\.value) == right.metrics.map(\.value)
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(task)
    hasher.combine(predictions)
  }

  /// The table of predictions: a header, then a row a data row; labels as spelled in the data, numbers with all their digits.
  public var predictionsTSV: String {
    var text = "index\tprediction\n"
    for (index, prediction) in predictions.enumerated() {
      text += "\(index)\t\(task.spelled(prediction))\n"
    }
    return text
  }
}

extension TextTask {
  /// A class as the data spell it, or a number.
  public func spelled(_ prediction: Double) -> String {
    if case .classification(let labels) = kind, let index = Int(exactly: prediction), labels.indices.contains(index) {
      return labels[index]
    }
    return "\(Float(prediction))"
  }
}

/// The mean of several tasks' scores, in the manner of GLUE (Wang et al. 2019): named with the tasks that it covers, since it is GLUE's own only
/// with all of them.
public struct ScoreMean: Sendable, Hashable {
  public let name: String
  public let value: Double

  /// Nil for no scores.
  public init?(_ scores: [TaskScore]) {
    guard !scores.isEmpty else { return nil }
    let order = TextTask.all.map(\.id)
    let sorted = scores.sorted {
      (order.firstIndex(of: $0.task.id) ?? order.count) < (order.firstIndex(of: $1.task.id) ?? order.count)
    }
    name = "mean of \(sorted.map(\.task.name).joined(separator: ", "))"
    value = sorted.reduce(0) { $0 + $1.score } / Double(sorted.count)
  }

  /// `{"name","value"}`.
  public var json: String { "{\"name\":\(JSONText.quoted(name)),\"value\":\(JSONText.number(value))}" }
}
