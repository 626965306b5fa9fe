import SwiftProtobuf

/// A graph under construction: operators in order, constants, and names for what they pass on.
struct OnnxGraph {
  /// A constant: its numbers are made when they are written, one constant at a time, so that a model is never in memory
  /// twice.
  struct Constant {
    enum Content {
      case integers([Int64])
      case floats([Float])
      case tensor(Tensor)
      /// Rows, columns or blocks of a model's tensors in another order.
      case made(() -> [Float])
    }

    var name: String
    var shape: [Int]
    var content: Content
  }

  enum Attribute {
    case integer(Int)
    case integers([Int])
    case float(Float)
  }

  private(set) var nodes: [Onnx_NodeProto] = []
  private(set) var constants: [Constant] = []
  private var counts: [String: Int] = [:]
  private var integerNames: [[Int64]: String] = [:]
  private var floatNames: [UInt32: String] = [:]
  /// Prefix of the names of what is added: the part of the model that it belongs to.
  var scope = ""

  private mutating func unique(_ name: String) -> String {
    let full = scope.isEmpty ? name : "\(scope)/\(name)"
    let count = counts[full, default: 0]
    counts[full] = count + 1
    return count == 0 ? full : "\(full)_\(count)"
  }

  /// Adds an operator with one output, and gives the output's name.
  mutating func add(
    _ operation: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], output: String? = nil
  ) -> String {
    add(operation, inputs, attributes, outputs: [output])[0]
  }

  /// Adds an operator; outputs that are nil get names of their own.
  mutating func add(
    _ operation: String, _ inputs: [String], _ attributes: [(String, Attribute)] = [], outputs: [String?]
  ) -> [String] {
    var node = Onnx_NodeProto()
    node.opType = operation
    node.name = unique(operation)
    node.input = inputs
    node.output = outputs.enumerated().map { index, name in name ?? "\(node.name)_output_\(index)" }
    node.attribute = attributes.map { name, value in
      var attribute = Onnx_AttributeProto()
      attribute.name = name
      switch value {
      case .integer(let number):
        attribute.type = .int
        attribute.i = Int64(number)
      case .integers(let numbers):
        attribute.type = .ints
        attribute.ints = numbers.map(Int64.init)
      case .float(let number):
        attribute.type = .float
        attribute.f = number
      }
      return attribute
    }
    nodes.append(node)
    return node.output
  }

  /// A constant of one axis, such as a shape; the same numbers are the same constant.
  mutating func integers(_ values: [Int]) -> String {
    let values = values.map(Int64.init)
    if let name = integerNames[values] { return name }
    let name = "integers_\(integerNames.count)"
    constants.append(Constant(name: name, shape: [values.count], content: .integers(values)))
    integerNames[values] = name
    return name
  }

  /// A constant without axes; the same number is the same constant.
  mutating func number(_ value: Float) -> String {
    if let name = floatNames[value.bitPattern] { return name }
    let name = "number_\(floatNames.count)"
    constants.append(Constant(name: name, shape: [], content: .floats([value])))
    floatNames[value.bitPattern] = name
    return name
  }

  mutating func constant(_ name: String, shape: [Int], _ content: Constant.Content) -> String {
    let name = unique(name)
    constants.append(Constant(name: name, shape: shape, content: content))
    return name
  }

  // MARK: Shorthands

  mutating func matMul(_ a: String, _ b: String) -> String { add("MatMul", [a, b]) }
  mutating func plus(_ a: String, _ b: String) -> String { add("Add", [a, b]) }
  mutating func times(_ a: String, _ b: String) -> String { add("Mul", [a, b]) }

  /// `shape`: 0 keeps the size of the same axis, −1 takes what is left.
  mutating func reshape(_ x: String, _ shape: [Int]) -> String { add("Reshape", [x, integers(shape)]) }

  mutating func transpose(_ x: String, _ order: [Int]) -> String {
    add("Transpose", [x], [("perm", .integers(order))])
  }

  /// Elements from `start` to before `end` (both of one axis with one element) along `axis`.
  mutating func slice(_ x: String, from start: String, to end: String, axis: Int) -> String {
    add("Slice", [x, start, end, integers([axis])])
  }
}
