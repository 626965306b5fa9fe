import Architectures
import CKernels
import ModelFiles

/// Weights in the form that the kernels read; made once a model.
final class PackedModel {
  struct Linear {
    var weights: UnsafeRawPointer
    var scales: UnsafePointer<Float>?
    var sums: UnsafePointer<Int32>?
    var bias: UnsafePointer<Float>
    var inputs: Int
    var outputs: Int
  }

  let kernels: UnsafePointer<edgetwin_kernels>
  /// What multiplies instead of the packed kernels; its weights stay as they are.
  let library: UnsafePointer<edgetwin_library>?
  let precision: KernelPrecision
  private let source: Model
  private let arena = MemoryArena()
  private(set) var byteCount = 0
  /// Whether all numbers that were copied or packed since it was last asked are finite.
  private var isFinite = true

  init(
    source: Model, kernels: UnsafePointer<edgetwin_kernels>, library: UnsafePointer<edgetwin_library>?,
    precision: KernelPrecision
  ) {
    self.source = source
    self.kernels = kernels
    self.library = library
    self.precision = precision
  }

  /// Looks at numbers while they are at hand: 8-bit weights would hide those that are not finite.
  private func look(at values: UnsafePointer<Float>, count: Int) {
    var found: UInt32 = 0
    for index in 0..<count { found |= (values[index].bitPattern & 0x7F80_0000) == 0x7F80_0000 ? 1 : 0 }
    if found != 0 { isFinite = false }
  }

  /// - Throws: ``KernelError`` (kind `model`) where a number of what was just read is not finite.
  private func checkFinite(_ names: [String]) throws(KernelError) {
    guard !isFinite else { return }
    isFinite = true
    throw KernelError(
      source.weights.error(
        names,
        "holds a number that is not finite (NaN or infinite): the file is damaged, or training diverged; take another copy"
          + " or an earlier checkpoint"))
  }

  private func block(floats: Int) -> UnsafeMutablePointer<Float> {
    block(bytes: 4 * floats).assumingMemoryBound(to: Float.self)
  }

  private func block(bytes: Int) -> UnsafeMutableRawPointer {
    byteCount += bytes
    return arena.take(byteCount: bytes)
  }

  private func tensor(_ name: String, _ shape: [Int]) throws(KernelError) -> Tensor {
    do { return try source.weights.tensor(name, shape: shape) } catch { throw KernelError(error) }
  }

  /// A tensor that is read here and there, looked at beforehand.
  func finiteTensor(_ name: String, _ shape: [Int]) throws(KernelError) -> Tensor {
    let tensor = try tensor(name, shape)
    tensor.withUnsafeFloats { values in
      if let base = values.baseAddress { look(at: base, count: values.count) }
    }
    try checkFinite([name])
    return tensor
  }

  static func rounded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  /// A copy of a vector, padded with zeros so that whole panels of it can be read.
  func vector(_ name: String, _ count: Int) throws(KernelError) -> UnsafePointer<Float> {
    let tensor = try tensor(name, [count])
    let copy = block(floats: Self.rounded(count) + 64)
    tensor.withUnsafeFloats { values in
      for index in 0..<count { copy[index] = values[index] }
    }
    look(at: copy, count: count)
    try checkFinite([name])
    return UnsafePointer(copy)
  }

  /// A matrix as it is, in rows.
  func rows(_ name: String, _ shape: [Int]) throws(KernelError) -> UnsafePointer<Float> {
    let tensor = try tensor(name, shape)
    let copy = block(floats: tensor.count + 16)
    tensor.withUnsafeFloats { values in
      guard let base = values.baseAddress else { return }
      for start in stride(from: 0, to: values.count, by: 1 << 20) {
        let part = start..<min(start + (1 << 20), values.count)
        (copy + start).update(from: base + start, count: part.count)
        look(at: copy + start, count: part.count)
        tensor.releasePages(part)
      }
    }
    tensor.releasePages()
    try checkFinite([name])
    return UnsafePointer(copy)
  }

  func norm(_ name: String, _ width: Int) throws(KernelError) -> edgetwin_norm {
    edgetwin_norm(
      gamma: try vector("\(name).weight", width), beta: try vector("\(name).bias", width),
      epsilon: Float(source.layerNormEpsilon))
  }

  /// Linear maps of one input side by side: their outputs follow one another.
  func linear(_ names: [String], inputs: Int, outputs: Int) throws(KernelError) -> Linear {
    var tensors: [Tensor] = []
    var biases: [Tensor] = []
    for name in names {
      tensors.append(try tensor("\(name).weight", [outputs, inputs]))
      biases.append(try tensor("\(name).bias", [outputs]))
    }
    return try pack(tensors, biases: biases, inputs: inputs, outputs: outputs, names: names)
  }

  /// - Parameter names: of the maps, for messages.
  func pack(
    _ tensors: [Tensor], biases: [Tensor], inputs: Int, outputs: Int, names: [String]
  ) throws(KernelError) -> Linear {
    let linear = packed(tensors, biases: biases, inputs: inputs, outputs: outputs)
    try checkFinite(names)
    return linear
  }

  private func packed(_ tensors: [Tensor], biases: [Tensor], inputs: Int, outputs: Int) -> Linear {
    let total = outputs * tensors.count
    let bias = block(floats: Self.rounded(total) + 64)
    for (index, tensor) in biases.enumerated() {
      tensor.withUnsafeFloats { values in
        for column in 0..<outputs { bias[index * outputs + column] = values[column] }
      }
    }
    look(at: bias, count: total)
    let linear = unpacked(bias: bias, inputs: inputs, outputs: total)
    // Tensors are packed straight from the file, unless one ends within a panel: then they are laid one under another first.
    if tensors.count == 1 || library != nil || outputs % kernels.pointee.panel_columns == 0 {
      for (index, tensor) in tensors.enumerated() {
        tensor.withUnsafeFloats { values in
          fill(linear, with: values, from: index * outputs, count: outputs) { tensor.releasePages($0) }
        }
        tensor.releasePages()
      }
      return linear
    }
    let joined = AlignedMemory(floats: total * inputs)
    for (index, tensor) in tensors.enumerated() {
      tensor.withUnsafeFloats { values in
        if let base = values.baseAddress {
          joined.floats.advanced(by: index * outputs * inputs).update(from: base, count: values.count)
        }
      }
      tensor.releasePages()
    }
    fill(linear, with: UnsafeBufferPointer(start: joined.floats, count: total * inputs), from: 0, count: total) { _ in }
    return linear
  }

  /// Room for packed weights.
  private func unpacked(bias: UnsafeMutablePointer<Float>, inputs: Int, outputs: Int) -> Linear {
    switch precision {
    case .fp32:
      return Linear(
        weights: UnsafeRawPointer(
          block(floats: library == nil ? edgetwin_packed_floats(kernels, outputs, inputs) : outputs * inputs)),
        scales: nil,
        sums: nil,
        bias: UnsafePointer(bias), inputs: inputs, outputs: outputs)
    case .int8:
      let sums = block(bytes: 4 * (Self.rounded(outputs) + 64)).assumingMemoryBound(to: Int32.self)
      return Linear(
        weights: UnsafeRawPointer(block(bytes: edgetwin_packed_int8_bytes(kernels, outputs, inputs))),
        scales: UnsafePointer(block(floats: Self.rounded(outputs) + 64)), sums: UnsafePointer(sums),
        bias: UnsafePointer(bias), inputs: inputs, outputs: outputs)
    }
  }

  /// Packs `count` rows of weights as the outputs from `first`, the start of a panel, on. A few megabytes at a time, each of which
  /// `done` is told (as elements of `values`), so that a large matrix is never in memory twice.
  private func fill(
    _ linear: Linear, with values: UnsafeBufferPointer<Float>, from first: Int, count: Int, done: (Range<Int>) -> Void
  ) {
    guard let source = values.baseAddress else { return }
    let (panel, inputs) = (kernels.pointee.panel_columns, linear.inputs)
    let step = max(1, (1 << 20) / max(inputs, 1) / panel) * panel
    let weights = UnsafeMutableRawPointer(mutating: linear.weights)
    for row in stride(from: 0, to: count, by: step) {
      let rows = min(step, count - row)
      let from = source + row * inputs
      look(at: from, count: rows * inputs)
      if library != nil {
        weights.assumingMemoryBound(to: Float.self).advanced(by: (first + row) * inputs)
          .update(from: from, count: rows * inputs)
      } else if let scales = linear.scales, let sums = linear.sums {
        let packed = weights + edgetwin_packed_int8_bytes(kernels, first + row, inputs)
        kernels.pointee.pack_int8(
          from, rows, inputs, packed.assumingMemoryBound(to: Int8.self),
          UnsafeMutablePointer(mutating: scales + first + row), UnsafeMutablePointer(mutating: sums + first + row))
      } else {
        let packed = weights.assumingMemoryBound(to: Float.self) + edgetwin_packed_floats(kernels, first + row, inputs)
        kernels.pointee.pack(from, rows, inputs, packed)
      }
      done(row * inputs..<(row + rows) * inputs)
    }
  }

  /// A small matrix [rows, columns] by rows of `stride` floats, the rest zero; `value` gives its elements.
  func table(rows: Int, columns: Int, stride: Int, _ value: (Int, Int) -> Float) -> UnsafePointer<Float> {
    let copy = block(floats: rows * stride + 64)
    for row in 0..<rows {
      for column in 0..<columns { copy[row * stride + column] = value(row, column) }
    }
    return UnsafePointer(copy)
  }

  /// A tensor [rows, columns] as a table, transposed or not.
  func table(
    _ name: String, _ shape: [Int], transposed: Bool, stride: Int
  ) throws(KernelError) -> UnsafePointer<Float> {
    let tensor = try finiteTensor(name, shape)
    let columns = shape.count > 1 ? shape[1] : 1
    return tensor.withUnsafeFloats { values in
      transposed
        ? table(rows: columns, columns: shape[0], stride: stride) { values[$1 * columns + $0] }
        : table(rows: shape[0], columns: columns, stride: stride) { values[$0 * columns + $1] }
    }
  }

  /// The head operations of a layer, as the attention kernel wants them.
  func heads(_ layer: Architecture.Layer, path: String) throws(KernelError) -> UnsafePointer<edgetwin_head> {
    let d = layer.headSize
    let padded = Self.rounded(d)
    let list = block(bytes: layer.heads.count * MemoryLayout<edgetwin_head>.stride)
      .bindMemory(to: edgetwin_head.self, capacity: layer.heads.count)
    for (index, operation) in layer.heads.enumerated() {
      var head = edgetwin_head()
      let name = "\(path).heads.\(index)"
      switch operation {
      case .scaledDotProduct: head.kind = Int32(EDGETWIN_HEAD_SCALED_DOT_PRODUCT.rawValue)
      case .weightedMultiplicative:
        head.kind = Int32(EDGETWIN_HEAD_WEIGHTED.rawValue)
        head.weighted = try table("\(name).wma.weight", [d, d], transposed: false, stride: padded)
      case .discreteFourier: head.kind = Int32(EDGETWIN_HEAD_FOURIER.rawValue)
      case .discreteCosine: head.kind = Int32(EDGETWIN_HEAD_COSINE.rawValue)
      case .convolution5, .convolution9, .convolution13:
        let taps = operation.taps ?? 1
        let part = "\(name).convolution"
        head.kind = Int32(EDGETWIN_HEAD_CONVOLUTION.rawValue)
        head.taps = Int32(taps)
        head.depthwise = try table("\(part).depthwise.weight", [d, taps], transposed: true, stride: padded)
        head.pointwise = try table("\(part).pointwise.weight", [d, d], transposed: true, stride: padded)
        head.pointwise_bias = try vector("\(part).pointwise.bias", d)
        head.span = try table("\(part).span.weight", [taps, d], transposed: true, stride: 16)
        head.span_bias = try vector("\(part).span.bias", taps)
        head.value = try table("\(part).value.weight", [d, d], transposed: true, stride: padded)
        head.value_bias = try vector("\(part).value.bias", d)
      }
      list[index] = head
    }
    return UnsafePointer(list)
  }
}
