import Foundation
import SwiftProtobuf

/// Writes a graph as an ONNX file, constant by constant.
///
/// A protocol buffer's message may be written in parts, so only the header of each constant passes through SwiftProtobuf:
/// its numbers go from the model's file straight to this one.
enum OnnxFile {
  static let irVersion: Int64 = 8
  static let operatorSet: Int64 = 17
  /// A protocol buffer's length must fit 31 bits; some room is left for what surrounds the graph.
  static let largestGraphBytes = Int(Int32.max) - 65_536

  /// - Parameters:
  ///   - graph: without inputs and outputs, which `interface` has.
  ///   - largest: bytes of the graph from which on the numbers go to a file of their own, `<path>.data`.
  /// - Throws: ``ModelFileError`` (kind `output`).
  static func write(
    _ graph: OnnxGraph, interface: Onnx_GraphProto, to path: String, largest: Int = largestGraphBytes
  ) throws(ModelFileError) {
    var proto = interface
    proto.node = graph.nodes
    let body = try serialised(proto, path)
    let headers = try graph.constants.map { (constant) throws(ModelFileError) in
      try serialised(header(of: constant), path)
    }
    var length = body.count
    for (constant, header) in zip(graph.constants, headers) {
      length += fieldLength(messageLength(header, constant)) + 1
    }
    guard length <= largest else { return try writeInTwo(graph, proto, to: path) }
    var file = try AtomicFile(path: path)
    try file.write(serialised(frame(), path))
    // Field 7 of the model, a message: the graph.
    try file.write([7 << 3 | 2] + varint(length))
    try file.write(body)
    for (constant, header) in zip(graph.constants, headers) {
      // Field 5 of the graph: a constant; its field 9: the numbers.
      try file.write([5 << 3 | 2] + varint(messageLength(header, constant)))
      try file.write(header)
      try file.write([9 << 3 | 2] + varint(byteCount(constant)))
      try write(constant, to: file)
    }
    try file.finish()
  }

  /// The graph in `path`, the numbers in `<path>.data` beside it, each at a multiple of 64 bytes.
  private static func writeInTwo(
    _ graph: OnnxGraph, _ proto: Onnx_GraphProto, to path: String
  ) throws(ModelFileError) {
    let dataPath = path + ".data"
    var proto = proto
    var data = try AtomicFile(path: dataPath)
    var offset = 0
    for constant in graph.constants {
      var header = header(of: constant)
      // What shapes are computed from is read before the numbers are.
      if case .integers(let values) = constant.content {
        header.rawData = values.withUnsafeBytes { Data($0) }
      } else {
        let gap = (64 - offset % 64) % 64
        try data.write(Array(repeating: 0, count: gap))
        offset += gap
        header.dataLocation = .external
        header.externalData = [
          entry("location", URL(filePath: dataPath).lastPathComponent), entry("offset", String(offset)),
          entry("length", String(byteCount(constant))),
        ]
        try write(constant, to: data)
        offset += byteCount(constant)
      }
      proto.initializer.append(header)
    }
    var model = frame()
    model.graph = proto
    var file = try AtomicFile(path: path)
    try file.write(serialised(model, path))
    try data.finish()
    try file.finish()
  }

  private static func entry(_ key: String, _ value: String) -> Onnx_StringStringEntryProto {
    var entry = Onnx_StringStringEntryProto()
    entry.key = key
    entry.value = value
    return entry
  }

  /// The model around the graph.
  private static func frame() -> Onnx_ModelProto {
    var model = Onnx_ModelProto()
    model.irVersion = irVersion
    model.producerName = "edgetwin"
    var set = Onnx_OperatorSetIdProto()
    set.version = operatorSet
    model.opsetImport = [set]
    return model
  }

  private static func header(of constant: OnnxGraph.Constant) -> Onnx_TensorProto {
    var header = Onnx_TensorProto()
    header.name = constant.name
    header.dims = constant.shape.map(Int64.init)
    let type: Onnx_TensorProto.DataType
    if case .integers = constant.content { type = .int64 } else { type = .float }
    header.dataType = Int32(type.rawValue)
    return header
  }

  private static func byteCount(_ constant: OnnxGraph.Constant) -> Int {
    if case .integers(let values) = constant.content { return 8 * values.count }
    return 4 * constant.shape.reduce(1, *)
  }

  private static func write(_ constant: OnnxGraph.Constant, to file: borrowing AtomicFile) throws(ModelFileError) {
    func put(_ values: [Float]) throws(ModelFileError) {
      // The header promised as many.
      guard 4 * values.count == byteCount(constant) else {
        throw ModelFileError(
          kind: .output, source: constant.name, problem: "has \(values.count) numbers for shape \(constant.shape)")
      }
      try values.withUnsafeBufferPointer { (buffer) throws(ModelFileError) in
        try file.write(UnsafeRawBufferPointer(buffer))
      }
    }
    switch constant.content {
    case .integers(let values):
      try values.withUnsafeBufferPointer { (buffer) throws(ModelFileError) in
        try file.write(UnsafeRawBufferPointer(buffer))
      }
    case .floats(let values): try put(values)
    case .tensor(let tensor):
      try tensor.withUnsafeFloats { (floats) throws(ModelFileError) in
        try file.write(UnsafeRawBufferPointer(floats))
      }
    case .made(let make): try put(make())
    }
  }

  // MARK: Protocol buffers by hand

  private static func serialised(_ message: some Message, _ path: String) throws(ModelFileError) -> [UInt8] {
    do {
      return try message.serializedBytes()
    } catch {
      throw ModelFileError(kind: .output, source: path, problem: "cannot be made a protocol buffer: \(error)")
    }
  }

  /// Length of a constant's message: its header and the field of its numbers.
  private static func messageLength(_ header: [UInt8], _ constant: OnnxGraph.Constant) -> Int {
    header.count + 1 + fieldLength(byteCount(constant))
  }

  /// Length of a field's content with the number that says its length.
  private static func fieldLength(_ count: Int) -> Int { varint(count).count + count }

  private static func varint(_ value: Int) -> [UInt8] {
    var rest = UInt64(value)
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
