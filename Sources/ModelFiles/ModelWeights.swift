/// A model's tensors by name, without a leading `bert.` (``Architecture/tensorSpecifications(labels:maskedLanguageModel:tiesDecoder:)``).
public struct ModelWeights: Sendable {
  private var tensors: [String: Tensor]
  /// How messages call the place that the tensors come from.
  private let source: String

  public init(_ tensors: [String: Tensor]) { self.init(tensors, source: "model") }

  init(_ tensors: [String: Tensor], source: String) {
    self.tensors = tensors
    self.source = source
  }

  /// Sorted.
  public var names: [String] { tensors.keys.sorted() }

  /// A tensor by its name; nil where there is none.
  public subscript(name: String) -> Tensor? {
    get { tensors[name] }
    set { tensors[name] = newValue }
  }

  /// All tensors.
  public var dictionary: [String: Tensor] { tensors }

  /// What is wrong with some of these weights, naming where they are from.
  public func error(_ names: [String], _ problem: String) -> ModelFileError {
    ModelFileError(source: source, field: names.joined(separator: ", "), problem: problem)
  }

  /// - Throws: ``ModelFileError`` where there is no such tensor or it has another shape.
  public func tensor(_ name: String, shape: [Int]) throws(ModelFileError) -> Tensor {
    guard let tensor = tensors[name] else {
      throw ModelFileError(source: source, field: name, problem: "the tensor is missing; it must have shape \(shape)")
    }
    guard tensor.shape == shape else {
      throw ModelFileError(
        source: source, field: name, problem: "has shape \(tensor.shape); the architecture needs \(shape)")
    }
    return tensor
  }

  public func contains(_ name: String) -> Bool { tensors[name] != nil }
}
