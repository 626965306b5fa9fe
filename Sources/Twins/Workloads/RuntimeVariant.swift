/// The software that executes a model, as far as it changes what is executed.
///
/// ProTran's profiler ran three different programs (`edgetran.md`): which one is a property of the device file.
public enum RuntimeVariant: String, Sendable, Hashable, CaseIterable, Codable {
  /// ProTran in eager PyTorch, one head at a time, relative positions.
  case protranEager = "eager-pytorch"
  /// ProTran in TensorFlow (M1 GPU): absolute positions, so no relative scores; 1-D DFT, DCT over features only.
  case protranTensorFlow = "tensorflow"
  /// ProTran through ONNX and OpenVINO (NCS2), fp16.
  case protranOpenVINO = "openvino"
  /// This project's kernels (operations.md): heads of one kind batched, relative scores as one matrix product.
  case native

  /// The runtime that people name: `protran` or `native`.
  public var runtime: String { self == .native ? "native" : "protran" }
}
