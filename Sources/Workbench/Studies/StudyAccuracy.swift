import Studies

extension Study {
  /// Keeps the rows of accuracies that a study's search learns from, as they are now.
  func keep(accuracyRows text: String) throws {
    let lines = text.split(whereSeparator: \.isNewline)
    try keep(
      lines.enumerated().map {
        StudyDocument(kind: .accuracy, name: "rows", part: $0, schema: "edgetwin.accuracy/1", json: String($1))
      }, replacing: (.accuracy, "rows"))
  }

  /// The rows that were kept, a line each.
  func accuracyRows() throws -> String { try documents(.accuracy).map { $0.json + "\n" }.joined() }
}
