import Architectures
import CKernels
import Kernels

/// The heads of one layer as the attention kernels want them.
final class HeadTable {
  let heads: UnsafeMutablePointer<edgetwin_training_head>
  let count: Int
  let fourierWidth: AlignedMemory?
  let cosineWidth: AlignedMemory?
  /// True where a head has weights of its own.
  let hasOwnWeights: Bool

  init(
    _ layer: Architecture.Layer, path: String, layout: ParameterLayout,
    kernels: UnsafePointer<edgetwin_training_kernels>
  ) {
    count = layer.heads.count
    heads = .allocate(capacity: count)
    var hasOwnWeights = false
    for (index, operation) in layer.heads.enumerated() {
      var head = edgetwin_training_head()
      let name = "\(path).heads.\(index)"
      switch operation {
      case .scaledDotProduct: head.kind = Int32(EDGETWIN_HEAD_SCALED_DOT_PRODUCT.rawValue)
      case .weightedMultiplicative:
        head.kind = Int32(EDGETWIN_HEAD_WEIGHTED.rawValue)
        head.first = layout.first("\(name).wma.weight")
        head.count = layer.headSize * layer.headSize
      case .discreteFourier: head.kind = Int32(EDGETWIN_HEAD_FOURIER.rawValue)
      case .discreteCosine: head.kind = Int32(EDGETWIN_HEAD_COSINE.rawValue)
      case .convolution5, .convolution9, .convolution13:
        let part = "\(name).convolution"
        head.kind = Int32(EDGETWIN_HEAD_CONVOLUTION.rawValue)
        head.taps = Int32(operation.taps ?? 1)
        head.first = layout.first("\(part).depthwise.weight")
        head.pointwise = layout.first("\(part).pointwise.weight") - head.first
        head.pointwise_bias = layout.first("\(part).pointwise.bias") - head.first
        head.span = layout.first("\(part).span.weight") - head.first
        head.span_bias = layout.first("\(part).span.bias") - head.first
        head.value = layout.first("\(part).value.weight") - head.first
        head.value_bias = layout.first("\(part).value.bias") - head.first
        head.count = head.value_bias + layer.headSize
      }
      hasOwnWeights = hasOwnWeights || head.count > 0
      (heads + index).initialize(to: head)
    }
    self.hasOwnWeights = hasOwnWeights
    let square = 2 * layer.headSize * ((layer.headSize + 15) / 16 * 16) * kernels.pointee.real_bytes
    func table(_ isUsed: Bool, _ fill: (Int, UnsafeMutableRawPointer?) -> Void) -> AlignedMemory? {
      guard isUsed else { return nil }
      let memory = AlignedMemory(byteCount: square + 1024)
      fill(layer.headSize, memory.base)
      return memory
    }
    fourierWidth = table(layer.heads.contains(.discreteFourier)) { kernels.pointee.fourier_width($0, $1) }
    cosineWidth = table(layer.heads.contains(.discreteCosine)) { kernels.pointee.cosine_width($0, $1) }
  }

  deinit { heads.deallocate() }

  static func tables(
    _ architecture: Architecture, layout: ParameterLayout, kernels: UnsafePointer<edgetwin_training_kernels>
  ) -> [HeadTable] {
    architecture.layers.enumerated().map { index, layer in
      HeadTable(layer, path: "encoder.layer.\(index).attention.self", layout: layout, kernels: kernels)
    }
  }
}
