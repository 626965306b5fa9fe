import Foundation

/// A number with a unit, as people type it: `20ms`, `0.2J`, `10W`, `4GB`, `25.6GB/s`, `1.8GHz`, `48GFLOP/s`.
public struct Quantity: Sendable, Hashable {
  /// In the base unit.
  public var value: Double
  public var unit: String

  /// What is wrong with a quantity.
  public struct ParseError: Error, CustomStringConvertible, Sendable, Equatable {
    public var text: String
    public var unit: String

    public var description: String {
      unit == "1"
        ? "\"\(text)\" is not a number"
        : "\"\(text)\" is not a quantity in \(unit); write a number and a unit"
          + " (\(Quantity.examples[unit] ?? "1\(unit)"))"
    }
  }

  static let examples = [
    "s": "20ms", "J": "0.2J", "W": "10W", "B": "4GB", "Hz": "1.8GHz", "B/s": "25.6GB/s", "FLOP/s": "48GFLOP/s",
  ]

  private static let prefixes: [(String, Double)] = [
    ("n", 1e-9), ("u", 1e-6), ("µ", 1e-6), ("m", 1e-3), ("k", 1e3), ("K", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12),
    ("Ki", 1024), ("Mi", 1_048_576), ("Gi", 1_073_741_824),
  ]

  /// - Parameter unit: the base unit that is expected; `1` for a bare number.
  /// - Throws: ``ParseError``; a quantity without its unit is an error too.
  public init(parsing text: String, unit: String) throws(ParseError) {
    let trimmed = text.trimmingCharacters(in: .whitespaces)
    let numberEnd =
      trimmed.firstIndex { character in
        !(character.isASCII && (character.isNumber || ".+-eE".contains(character)))
      } ?? trimmed.endIndex
    var number = trimmed[..<numberEnd]
    var suffix = trimmed[numberEnd...].trimmingCharacters(in: .whitespaces)
    // An `e` or `E` that no digits follow belongs to the unit.
    while let last = number.last, !last.isNumber && last != "." {
      suffix = String(number.removeLast()) + suffix
    }
    guard let value = Double(number), value.isFinite else { throw ParseError(text: text, unit: unit) }
    self.unit = unit
    if unit == "1" {
      guard suffix.isEmpty else { throw ParseError(text: text, unit: unit) }
      self.value = value
      return
    }
    let spelled = unit == "FLOP/s" && suffix.hasSuffix("FLOPS") ? String(suffix.dropLast(5)) + "FLOP/s" : suffix
    if spelled == unit {
      self.value = value
      return
    }
    guard spelled.hasSuffix(unit),
      let prefix = Self.prefixes.first(where: { $0.0 == String(spelled.dropLast(unit.count)) })
    else { throw ParseError(text: text, unit: unit) }
    self.value = value * prefix.1
  }
}
