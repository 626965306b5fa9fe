import Architectures
import CoSearch
import Twins

/// Certificates of the least cost on each device of a setup, as rows and as a table.
public struct CostCertificates: Sendable {
  private let setup: SearchSetup
  private let certificates: [CostCertificate]
  private let isEnergy: Bool

  /// Candidates that a search looks at first for models near the least: branch and bound alone finds poor ones.
  private static let searched = 200_000
  /// Of the search's front, the cheapest that are given to branch and bound.
  private static let mostKnown = 20

  /// - Throws: what the search throws.
  public init(
    _ setup: SearchSetup, latencyWeight: Double, energyWeight: Double, minAccuracy: Double?, minParameters: Double?,
    maxParameters: Double?, tolerance: Double, threads: Int
  ) async throws {
    self.setup = setup
    isEnergy = energyWeight > 0
    var certificates: [CostCertificate] = []
    for device in setup.twins.indices {
      guard let bound = CostBound(setup.evaluator, device: device) else { continue }
      let query = CostQuery(
        device: device, latencyWeight: latencyWeight, energyWeight: energyWeight, minAccuracy: minAccuracy,
        minParameters: minParameters, maxParameters: maxParameters)
      certificates.append(
        bound.certificate(
          query, tolerance: tolerance, known: try await Self.known(query, setup: setup, threads: threads)))
    }
    self.certificates = certificates
  }

  /// Models that a short search finds for a query. Of least parameters a search knows no budget: those of its models that have them count.
  public static func known(_ query: CostQuery, setup: SearchSetup, threads: Int) async throws -> [DesignPoint] {
    var problem = setup.problem
    problem.objectives = [.accuracy, query.energyWeight > 0 ? .energy : .latency]
    problem.budgets = Budgets(maxParameters: query.maxParameters, minAccuracy: query.minAccuracy)
    problem.confidence = 0.5
    problem.referencePoint = ObjectiveValues()
    problem.scalar = nil
    let found = try await Explorer(setup.asking(problem, devices: [query.device]).evaluator).explore(
      .evaluations(searched), seed: 1, threads: threads)
    func cost(_ candidate: Candidate) -> Double {
      query.latencyWeight * candidate.costs.latencySeconds.median
        + query.energyWeight * candidate.costs.energyJoules.median
    }
    return found.front.filter { Double($0.parameters) >= query.minParameters ?? 0 }.sorted { cost($0) < cost($1) }
      .prefix(mostKnown).map(\.point)
  }

  /// Whether no device has a model that is allowed.
  public var areAllEmpty: Bool { certificates.allSatisfy { $0.point == nil } }

  public var records: [Record] {
    certificates.map { certificate in
      let unit = isEnergy ? "j" : "s"
      var record = Record()
      record.add("device", .text(setup.problem.devices[certificate.query.device]))
      record.add("cost", .text(isEnergy ? "energy" : "latency"))
      record.add("least_found_\(unit)", FieldValue(certificate.point == nil ? nil : certificate.cost))
      record.add(
        "lower_bound_\(unit)", FieldValue(certificate.lowerBound.isFinite ? certificate.lowerBound : nil))
      record.add("gap", FieldValue(certificate.gap.isFinite ? certificate.gap : nil))
      record.add("boxes", .whole(certificate.boxes))
      if let point = certificate.point {
        let architecture = setup.space.architecture(of: point)
        record.add("architecture", .object(ArchitectureRecord.record(architecture)))
        record.add("embedding", .list(setup.space.embedding(of: point).map(FieldValue.whole)))
      } else {
        record.add("architecture", .null)
      }
      return record
    }
  }

  public var table: String {
    var table = TextTable([
      .init("device"), .init("least found", right: true), .init("no model below", right: true),
      .init("gap", right: true), .init("model"),
    ])
    for certificate in certificates {
      func shown(_ value: Double) -> String { isEnergy ? Humane.joules(value) : Humane.seconds(value) }
      table.add([
        setup.problem.devices[certificate.query.device], certificate.point == nil ? "none" : shown(certificate.cost),
        certificate.lowerBound.isFinite ? shown(certificate.lowerBound) : "–",
        certificate.point == nil ? "–" : Humane.percent(certificate.gap),
        certificate.point.map { setup.space.architecture(of: $0).id } ?? "",
      ])
    }
    return table.text
  }
}
