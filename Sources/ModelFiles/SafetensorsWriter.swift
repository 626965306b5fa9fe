import Architectures

/// Writes tensors as a safetensors file of F32, sorted by name, so that the same tensors give the same bytes.
public enum SafetensorsWriter {
  /// Writes by way of a temporary file: a file that exists is replaced when the new one is complete.
  ///
  /// - Throws: ``ModelFileError`` (kind `output`) where it cannot be written, such as on a full disk.
  public static func write(
    _ tensors: [String: Tensor], metadata: [String: String] = ["format": "pt"], to path: String
  ) throws(ModelFileError) {
    let sorted = tensors.sorted { $0.key < $1.key }
    var file = try AtomicFile(path: path)
    let header = header(sorted.map { ($0.key, $0.value.shape, $0.value.count) }, metadata: metadata)
    try file.write(withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) })
    try file.write(header)
    for (_, tensor) in sorted {
      try tensor.withUnsafeFloats { (floats) throws(ModelFileError) in try file.write(UnsafeRawBufferPointer(floats)) }
    }
    try file.finish()
  }

  /// The JSON header, padded with spaces so that the numbers after it are aligned to eight bytes.
  private static func header(_ tensors: [(String, [Int], Int)], metadata: [String: String]) -> [UInt8] {
    let pairs = metadata.sorted { $0.key < $1.key }.map { "\(JSONText.quoted($0.key)):\(JSONText.quoted($0.value))" }
    var members = metadata.isEmpty ? [] : ["\"__metadata__\":{\(pairs.joined(separator: ","))}"]
    var offset = 0
    for (name, shape, count) in tensors {
      let end = offset + 4 * count
      members.append(
        "\(JSONText.quoted(name)):{\"dtype\":\"F32\",\"shape\":\(JSONText.list(shape.map(String.init))),"
          + "\"data_offsets\":[\(offset),\(end)]}")
      offset = end
    }
    var header = [UInt8]("{\(members.joined(separator: ","))}".utf8)
    while header.count % 8 != 0 { header.append(0x20) }
    return header
  }
}
