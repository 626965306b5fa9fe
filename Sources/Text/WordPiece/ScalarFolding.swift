import Foundation

/// What BERT's basic tokeniser does to one Unicode scalar: clean, space out, decompose, strip, lower-case.
///
/// Scalars are decomposed one by one. Canonical decomposition of a whole text could also reorder marks; it makes
/// no difference once the nonspacing ones are gone.
struct ScalarFolding: Sendable {
  enum Class: UInt8, Sendable {
    /// Not part of the text: control and format characters.
    case dropped
    case whitespace
    /// A word of its own.
    case punctuation
    case letter
  }

  let lowercase: Bool
  let stripsAccents: Bool
  let spacesIdeographs: Bool

  /// The class of a scalar that has been folded.
  static func classify(_ scalar: Unicode.Scalar) -> Class {
    switch scalar {
    case "\t", "\n", "\r", " ": return .whitespace
    case "!"..."/", ":"..."@", "["..."`", "{"..."~": return .punctuation
    case "0"..."9", "A"..."Z", "a"..."z": return .letter
    default: break
    }
    switch scalar.properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation:
      return .punctuation
    case .control, .format, .privateUse, .surrogate:
      // U+0085 is white space and a control character; control comes first.
      return .dropped
    default:
      return scalar == "\u{FFFD}" ? .dropped : scalar.properties.isWhitespace ? .whitespace : .letter
    }
  }

  /// True for the blocks of CJK ideographs, which are split into single characters (not for kana or hangul).
  static func isIdeograph(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F, 0x2B740...0x2B81F,
      0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }

  /// Hands on what becomes of a scalar that is neither dropped nor white space: no scalar, one or several.
  func fold(_ scalar: Unicode.Scalar, _ body: (Unicode.Scalar) -> Void) {
    guard stripsAccents else { return lower(scalar, body) }
    for part in Self.decomposition(of: scalar) where part.properties.generalCategory != .nonspacingMark {
      lower(part, body)
    }
  }

  private func lower(_ scalar: Unicode.Scalar, _ body: (Unicode.Scalar) -> Void) {
    if lowercase, scalar.properties.changesWhenLowercased {
      for mapped in scalar.properties.lowercaseMapping.unicodeScalars { body(mapped) }
    } else {
      body(scalar)
    }
  }

  private static func decomposition(of scalar: Unicode.Scalar) -> String.UnicodeScalarView {
    // Nothing below À, and no ideograph of the main blocks, decomposes.
    let text = String(Character(scalar))
    switch scalar.value {
    case 0..<0xC0, 0x2010...0x2027, 0x3400...0x9FFF: return text.unicodeScalars
    default: return text.decomposedStringWithCanonicalMapping.unicodeScalars
    }
  }
}
