import Studies

extension StudyDocument {
  /// The rows of accuracies that a study's search learns from, as they are now.
  static func accuracyRows(_ text: String) -> [StudyDocument] {
    text.split(whereSeparator: \.isNewline).enumerated().map {
      StudyDocument(kind: .accuracy, name: "rows", part: $0, schema: "edgetwin.accuracy/1", json: String($1))
    }
  }
}

extension Study {
  /// The rows that were kept, a line each.
  func accuracyRows() throws -> String { try documents(.accuracy).map { $0.json + "\n" }.joined() }
}
