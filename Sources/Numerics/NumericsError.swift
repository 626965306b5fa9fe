/// What went wrong in a numeric routine, in words that name the quantity at fault.
public enum NumericsError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Two sizes that must agree do not.
  case dimensionMismatch(what: String, expected: Int, got: Int)
  /// An input holds a NaN or an infinity.
  case notFinite(what: String)
  /// An argument is outside its domain.
  case invalidArgument(what: String, reason: String)
  /// Fewer observations than unknowns, and nothing (ridge, prior) to make up for them.
  case underdetermined(rows: Int, columns: Int)
  /// A matrix that must be symmetric positive definite is not.
  case notPositiveDefinite(what: String)
  /// A residual or a Jacobian element was not finite at these parameters.
  case nonFiniteEvaluation(what: String, parameters: [Double])
  /// An iteration reached its cap.
  case didNotConverge(what: String, iterations: Int)
  /// The GNU Scientific Library reported an error.
  case library(operation: String, code: Int, message: String)

  public var description: String {
    switch self {
    case .dimensionMismatch(let what, let expected, let got):
      "\(what): expected \(expected) elements, got \(got)"
    case .notFinite(let what):
      "\(what) holds a value that is not finite; remove or repair it first"
    case .invalidArgument(let what, let reason):
      "\(what): \(reason)"
    case .underdetermined(let rows, let columns):
      "\(rows) observations cannot determine \(columns) coefficients; add observations or a ridge"
    case .notPositiveDefinite(let what):
      "\(what) is not positive definite; add a ridge to its diagonal or drop collinear columns"
    case .nonFiniteEvaluation(let what, let parameters):
      "\(what) is not finite at parameters \(parameters); bound or transform the parameters"
    case .didNotConverge(let what, let iterations):
      "\(what) did not converge in \(iterations) iterations"
    case .library(let operation, let code, let message):
      "\(operation): GSL error \(code), \(message)"
    }
  }
}
