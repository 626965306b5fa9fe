import Foundation

/// The kernel's files (`/proc`, `/sys`), below a root that tests put elsewhere.
public struct SystemTree: Sendable {
  public let root: String

  public init(root: String = "/") {
    self.root = root.hasSuffix("/") ? root : root + "/"
  }

  func path(_ path: String) -> String { root + path }

  /// The text of a file without white space around it; nil where it cannot be read or is empty.
  func text(_ path: String) -> String? {
    guard let data = FileManager.default.contents(atPath: self.path(path)) else { return nil }
    let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines.union(["\0"]))
    return text.isEmpty ? nil : text
  }

  func number(_ path: String) -> Double? { text(path).flatMap(Double.init) }

  /// Names in a folder, sorted with numbers by their value; none where it cannot be listed.
  func names(in folder: String) -> [String] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? []
    return names.sorted { $0.compare($1, options: .numeric) == .orderedAscending }
  }

  /// Cores in a list as the kernel writes it, such as `0-3,8`.
  static func cores(_ list: String) -> [Int] {
    list.split(separator: ",").flatMap { part -> [Int] in
      let ends = part.split(separator: "-").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
      guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 16 else { return [] }
      return Array(first...last)
    }
  }
}
