import Architectures

/// Writes the parts of a checkpoint one after another: numbers of 8 bytes, little end first, so that nothing is rounded.
struct CheckpointWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ value: UInt64) {
    withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func put(_ value: Int) { put(UInt64(bitPattern: Int64(value))) }
  mutating func put(_ value: Double) { put(value.bitPattern) }

  mutating func put(_ vector: SIMD8<Double>) { for lane in 0..<8 { put(vector[lane]) } }

  mutating func put(_ values: [Double]) {
    put(values.count)
    for value in values { put(value) }
  }

  mutating func put(_ point: DesignPoint) {
    put(point.layerCount)
    for layer in point.layers { put(layer.hidden << 32 | layer.feedForward << 16 | layer.heads) }
  }

  mutating func put(_ found: Found) {
    put(found.point)
    put(found.device)
    put(found.coordinates)
    put(found.scalar)
    put(found.violation)
  }

  mutating func put(_ found: [Found]) {
    put(found.count)
    for item in found { put(item) }
  }
}

/// Reads what ``CheckpointWriter`` wrote; whatever does not fit is an error, not a trap.
struct CheckpointReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static let damaged = SearchError.checkpoint(problem: "what was kept of the search is damaged; begin it anew")

  /// No search comes near it, and sums of a few such numbers do not overflow.
  static let largestCount = 1 << 60

  var isAtEnd: Bool { position == bytes.count }

  mutating func word() throws(SearchError) -> UInt64 {
    guard position + 8 <= bytes.count else { throw Self.damaged }
    var value: UInt64 = 0
    for index in 0..<8 { value |= UInt64(bytes[position + index]) << (8 * UInt64(index)) }
    position += 8
    return value
  }

  mutating func int() throws(SearchError) -> Int { Int(Int64(bitPattern: try word())) }

  mutating func int(in range: Range<Int>) throws(SearchError) -> Int {
    let value = try int()
    guard range.contains(value) else { throw Self.damaged }
    return value
  }

  mutating func double() throws(SearchError) -> Double { Double(bitPattern: try word()) }

  mutating func vector() throws(SearchError) -> SIMD8<Double> {
    var vector = SIMD8<Double>(repeating: 0)
    for lane in 0..<8 { vector[lane] = try double() }
    return vector
  }

  /// A number of items, each of which takes at least a word.
  mutating func count() throws(SearchError) -> Int { try int(in: 0..<(bytes.count - position) / 8 + 1) }

  mutating func doubles() throws(SearchError) -> [Double] {
    var values: [Double] = []
    for _ in 0..<(try count()) { values.append(try double()) }
    return values
  }

  mutating func point(of space: DesignSpace) throws(SearchError) -> DesignPoint {
    var layers: [DesignPoint.Layer] = []
    for _ in 0..<(try int(in: 0..<DesignPoint.maximumLayerCount + 1)) {
      let word = try word()
      layers.append(
        DesignPoint.Layer(
          hidden: Int(word >> 32 & 0xF), feedForward: Int(word >> 16 & 0xFFF), heads: Int(word & 0xFFFF)))
    }
    let point = DesignPoint(layers: layers)
    guard space.contains(point) else { throw Self.damaged }
    return point
  }

  mutating func found(_ evaluator: CandidateEvaluator) throws(SearchError) -> Found {
    Found(
      point: try point(of: evaluator.space), device: try int(in: 0..<evaluator.devices.count),
      coordinates: try vector(), scalar: try double(), violation: try double())
  }

  mutating func allFound(_ evaluator: CandidateEvaluator) throws(SearchError) -> [Found] {
    var result: [Found] = []
    for _ in 0..<(try count()) { result.append(try found(evaluator)) }
    return result
  }
}
