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
  /// The exported graph in ONNX Runtime: the same products, element-wise kernels partly fused.
  case onnxRuntime = "onnxruntime"
  /// HAT's encoders in fairseq (PyTorch): heads of a layer batched, absolute positions.
  case fairseq

  /// The runtime that people name: `protran`, `native`, `onnxruntime` or `hat`.
  public var runtime: String {
    switch self {
    case .protranEager, .protranTensorFlow, .protranOpenVINO: "protran"
    case .native: "native"
    case .onnxRuntime: "onnxruntime"
    case .fairseq: "hat"
    }
  }

  /// ProTran's programs run one head at a time and keep tables that are never used.
  var isProTran: Bool { runtime == "protran" }

  /// Whether costs are derived from the times of single kernels at the device's roofs.
  public var usesRoofs: Bool { self == .native || self == .onnxRuntime }
}
