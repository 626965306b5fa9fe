import CKernels

/// A correction on the log scale: a polynomial in a few summaries, each clipped to the range it was fitted on.
///
/// It is what a Gaussian process over the same summaries is compiled to, so that it costs a few dozen multiplications.
public struct ResidualModel: Sendable, Hashable, Codable {
  public var inputs: [Summary]
  /// `z = (clip(summary, lower, upper) − center) / scale`, for each input.
  public var lower: [Double]
  public var upper: [Double]
  public var center: [Double]
  public var scale: [Double]
  public var degree: Int
  /// One a monomial, in the order of ``Monomials``.
  public var weights: [Double]

  public init(
    inputs: [Summary], lower: [Double], upper: [Double], center: [Double], scale: [Double], degree: Int,
    weights: [Double]
  ) {
    self.inputs = inputs
    self.lower = lower
    self.upper = upper
    self.center = center
    self.scale = scale
    self.degree = degree
    self.weights = weights
  }

  /// Whether the parts fit together, as a file may not.
  var isConsistent: Bool {
    let count = inputs.count
    return count >= 1 && count <= 6 && (1...5).contains(degree) && lower.count == count && upper.count == count
      && center.count == count && scale.count == count && scale.allSatisfy { $0 > 0 }
      && weights.count <= Monomials.maximumCount
      && weights.count == Monomials(variables: count, degree: degree).count
  }

  /// Moves a summary's zero: a candidate whose `summary` is larger by `distance` gets what it got before.
  mutating func shift(_ summary: Summary, by distance: Double) {
    for index in inputs.indices where inputs[index] == summary {
      lower[index] += distance
      upper[index] += distance
      center[index] += distance
    }
  }

  func value(of summaries: SummaryValues, logSeconds: Double, monomials: Monomials) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: inputs.count) { z in
      for index in inputs.indices {
        let raw = summaries.value(of: inputs[index], logSeconds: logSeconds)
        z[index] = (min(max(raw, lower[index]), upper[index]) - center[index]) / scale[index]
      }
      return monomials.sum(weights: weights, at: UnsafeBufferPointer(z))
    }
  }
}

/// All monomials of some variables up to a degree, constant first, each a product of an earlier one and a variable.
public struct Monomials: Sendable {
  public let variables: Int
  public let degree: Int
  /// For monomial `i`, the earlier monomial and the variable that it is the product of; unused for the constant.
  private let parents: [UInt8]
  private let factors: [UInt8]

  public init(variables: Int, degree: Int) {
    self.variables = variables
    self.degree = degree
    var factors: [(parent: Int, variable: Int)] = [(0, 0)]
    // A monomial's variables are taken in rising order, so that each occurs once.
    var last: [(index: Int, variable: Int)] = [(0, 0)]
    for _ in 0..<degree {
      var next: [(index: Int, variable: Int)] = []
      for parent in last {
        for variable in parent.variable..<variables {
          next.append((factors.count, variable))
          factors.append((parent.index, variable))
        }
      }
      last = next
    }
    // More monomials than a byte can number are refused with the file that asks for them.
    parents = factors.map { UInt8(truncatingIfNeeded: $0.parent) }
    self.factors = factors.map { UInt8(truncatingIfNeeded: $0.variable) }
  }

  public var count: Int { factors.count }

  /// The earlier monomial and the variable that monomial `index`, from 1, is the product of.
  func factors(of index: Int) -> (parent: Int, variable: Int) { (Int(parents[index]), Int(factors[index])) }

  /// The most monomials that a model may have.
  static let maximumCount = 256

  /// Σ weight · monomial at `z`.
  @inline(__always)
  func sum(weights: [Double], at z: UnsafeBufferPointer<Double>) -> Double {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { scratch in
      edgetwin_polynomial(weights, parents, factors, count, z.baseAddress, scratch.baseAddress)
    }
  }

  /// The monomials' values at `z`, for fitting.
  public func values(at z: [Double]) -> [Double] {
    var values = [Double](repeating: 1, count: count)
    for index in 1..<count { values[index] = values[Int(parents[index])] * z[Int(factors[index])] }
    return values
  }
}
