/// Why a series of measured accuracies is not added to: what it holds would be lost, or mixed with something else.
public enum AccuracyMeasurementError: Error, Sendable, Equatable, CustomStringConvertible {
  case alreadyBegun(folder: String, rows: Int)
  /// A row is of another recipe: `name` is what differs.
  case otherRecipe(folder: String, name: String, was: String, isNow: String)

  public var description: String {
    switch self {
    case .alreadyBegun(let folder, let rows):
      "\(folder): holds \(rows) rows already; give --resume to add to them, or another --output"
    case .otherRecipe(let folder, let name, let was, let isNow):
      "\(folder): its rows were measured with another \(name): \(was), now \(isNow); give another --output, since rows of several recipes"
        + " cannot be compared"
    }
  }
}
