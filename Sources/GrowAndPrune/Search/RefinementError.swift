/// Why a refinement cannot go on.
package enum RefinementError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The folder holds a refinement, and to go on was not asked for.
  case alreadyBegun(folder: String)
  /// The folder holds a refinement of something else.
  case otherInputs(folder: String, name: String, was: String, isNow: String)
  /// Pruning cannot reach the budget.
  case unreachable(String)
  /// A result could not be written.
  case output(String)

  package var description: String {
    switch self {
    case .alreadyBegun(let folder):
      "\(folder) holds a refinement; give --resume to go on with it, or another folder"
    case .otherInputs(let folder, let name, let was, let isNow):
      "\(folder) holds a refinement with another \(name): \(was), now \(isNow); give what it was begun with, or another folder"
    case .unreachable(let problem): problem
    case .output(let problem): problem
    }
  }
}
