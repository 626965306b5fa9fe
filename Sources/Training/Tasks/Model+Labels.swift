import Architectures
import ModelFiles

extension Model {
  /// Which of the model's outputs is the task's class 0, 1, …
  ///
  /// By the names of its labels, where it has them. What Hugging Face's `id2label` says is followed where it names the task's labels, in
  /// whatever case; other names of theirs (`POSITIVE`, `LABEL_1`) leave the order as it is.
  ///
  /// - Parameter source: how messages call the model.
  /// - Throws: `InputFileError` where the model has no classifier, or one of another task.
  func labelOrder(for task: TextTask, source: String) throws -> [Int] {
    guard let labels else {
      throw InputFileError(source: source, problem: "the model has no classifier; fine-tune it for the task first")
    }
    guard labels == task.labelCount else {
      throw InputFileError(
        source: source, field: "classifier.weight",
        problem: "the model has \(labels) labels; \(task.name) needs \(task.labelCount)")
    }
    guard let names = task.labelNames else { return Array(0..<labels) }
    guard let labelNames else {
      return hintedLabelNames.flatMap { hints in
        Self.places(of: names, in: hints.map { $0.lowercased() })
      } ?? Array(0..<labels)
    }
    guard let order = Self.places(of: names, in: labelNames) else {
      throw InputFileError(
        source: source, field: "label_names",
        problem: "the model's labels are \(labelNames.prefix(5).joined(separator: ", ")); those of \(task.name) are "
          + names.prefix(5).joined(separator: ", "))
    }
    return order
  }

  /// The model with its classifier's outputs in the task's order, so that class 0 is its output 0; as it is where it has no classifier for the
  /// task.
  package func arranged(for task: TextTask) -> Model {
    guard let order = try? labelOrder(for: task, source: ""), order != Array(order.indices) else { return self }
    var model = self
    for name in ["classifier.weight", "classifier.bias"] {
      guard let tensor = weights[name] else { continue }
      let (values, width) = (tensor.values, tensor.count / order.count)
      model.weights[name] = Tensor(
        shape: tensor.shape, values: order.flatMap { values[$0 * width..<($0 + 1) * width] })
    }
    model.labelNames = task.labelNames
    return model
  }

  /// Nil where a name is missing.
  private static func places(of names: [String], in own: [String]) -> [Int]? {
    let places = names.compactMap { own.firstIndex(of: $0) }
    return places.count == names.count ? places : nil
  }
}
