import Architectures
import ModelFiles

extension Model {
  /// The model with every tensor that a training head needs: those that are missing start as an untrained model's do.
  ///
  /// - Parameters:
  ///   - labels: width of the classifier; a classifier of another width is replaced by a fresh one. Not used by the masked-LM head.
  ///   - seed: of the fresh tensors.
  public func prepared(for head: TrainingHead, labels: Int = 1, seed: UInt64) -> Model {
    var model = self
    let isMaskedLanguageModel = head == .maskedLanguageModel
    if !isMaskedLanguageModel {
      if model.labels != labels {
        model.weights["classifier.weight"] = nil
        model.weights["classifier.bias"] = nil
      }
      model.labels = labels
    }
    let needed = architecture.tensorSpecifications(
      labels: isMaskedLanguageModel ? nil : labels, maskedLanguageModel: isMaskedLanguageModel)
    for specification in needed where !model.weights.contains(specification.name) {
      model.weights[specification.name] = specification.initialTensor(seed: seed)
    }
    return model
  }
}
