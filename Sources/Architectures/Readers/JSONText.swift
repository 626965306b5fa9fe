/// JSON as this project writes it: one line, members in a fixed order, numbers with all their digits.
package enum JSONText {
  /// `text` in quotes, escaped; what is not ASCII stays as it is.
  package static func quoted(_ text: String) -> String {
    let hexadecimal = Array("0123456789abcdef".unicodeScalars)
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\0"..<" ", "\u{7F}":
        result += "\\u00"
        result.unicodeScalars.append(hexadecimal[Int(scalar.value >> 4 & 15)])
        result.unicodeScalars.append(hexadecimal[Int(scalar.value & 15)])
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  /// The shortest digits that read back as the same number; `null` for what JSON has no number for.
  package static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

  package static func list(_ items: some Sequence<String>) -> String {
    "[" + items.joined(separator: ",") + "]"
  }
}
