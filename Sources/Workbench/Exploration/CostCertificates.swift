import CoSearch
import Twins

/// Certificates of the least cost on each device of a setup, as rows and as a table.
public struct CostCertificates: Sendable {
  private let setup: SearchSetup
  private let certificates: [CostCertificate]
  private let isEnergy: Bool

  public init(
    _ setup: SearchSetup, latencyWeight: Double, energyWeight: Double, minAccuracy: Double?, minParameters: Double?,
    maxParameters: Double?, tolerance: Double
  ) {
    self.setup = setup
    isEnergy = energyWeight > 0
    certificates = setup.twins.indices.compactMap { device in
      guard let bound = CostBound(setup.evaluator, device: device) else { return nil }
      return bound.certificate(
        CostQuery(
          device: device, latencyWeight: latencyWeight, energyWeight: energyWeight, minAccuracy: minAccuracy,
          minParameters: minParameters, maxParameters: maxParameters),
        tolerance: tolerance)
    }
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
