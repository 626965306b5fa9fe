import Foundation

/// Numbers as people read them: three digits and a prefixed unit.
public enum Humane {
  /// Up to 100 s with an SI prefix, then in minutes, hours and days.
  public static func seconds(_ value: Double?) -> String {
    guard let value, value.isFinite, value >= 99.95 else { return scaled(value, "s") }
    for (size, unit, most) in [(60.0, "min", 5_999.0), (3_600, "h", 172_799), (86_400, "d", .infinity)]
    where value <= most {
      return "\(digits(value / size)) \(unit)"
    }
    return scaled(value, "s")
  }
  public static func joules(_ value: Double?) -> String { scaled(value, "J") }
  public static func watts(_ value: Double?) -> String { scaled(value, "W") }
  public static func bytes(_ value: Double?) -> String { scaled(value, "B") }

  /// A count: `4.39 M`.
  public static func count(_ value: Double?) -> String {
    if let value, abs(value) < 1_000, value == value.rounded() { return String(Int(value)) }
    return scaled(value, "").trimmingCharacters(in: .whitespaces)
  }

  /// With the SI prefix that leaves 1 to 999 before the point; an en dash for nothing.
  public static func scaled(_ value: Double?, _ unit: String) -> String {
    guard let value, value.isFinite else { return "–" }
    guard value != 0 else { return "0 \(unit)" }
    // Counted things have no fractions of a thousandth.
    let prefixes: [(Double, String)] =
      unit.isEmpty || unit.hasPrefix("B") || unit.hasPrefix("F")
      ? [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")]
      : [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""), (1e-3, "m"), (1e-6, "µ"), (1e-9, "n")]
    // 999.6 ms reads better as 1.00 s.
    let magnitude = abs(value) * 1.0005
    let (factor, prefix) = prefixes.first { magnitude >= $0.0 } ?? prefixes[prefixes.count - 1]
    return "\(digits(value / factor)) \(prefix)\(unit)"
  }

  /// Three digits.
  public static func digits(_ value: Double) -> String {
    let size = abs(value)
    if size > 0, size < 0.0995 { return String(format: "%.3g", value) }
    let decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.9995 ? 2 : 3
    return String(format: "%.\(decimals)f", value)
  }

  public static func percent(_ share: Double?) -> String {
    guard let share, share.isFinite else { return "–" }
    let value = share * 100
    return String(format: abs(value) < 9.95 ? "%.1f %%" : "%.0f %%", value)
  }
}
