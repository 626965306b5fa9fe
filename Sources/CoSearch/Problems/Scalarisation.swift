/// One number to minimise, from weights and scales: `Σ w·(1 − accuracy/scale) + Σ w·(value/scale)` over the objectives to maximise
/// and to minimise.
///
/// Where the weights sum to 1 this is EdgeTran's `1 − P`, with `P = Σ w·accuracy/scale + Σ w·(1 − value/scale)`.
public struct Scalarisation: Sendable, Hashable {
  public var weights: ObjectiveValues
  public var scales: ObjectiveValues

  public init(weights: ObjectiveValues, scales: ObjectiveValues) {
    self.weights = weights
    self.scales = scales
  }

  /// - Parameter values: in the units of ``Objective``; those without a weight are not read.
  public func value(_ values: ObjectiveValues) -> Double {
    var sum = 0.0
    for objective in Objective.allCases {
      guard let weight = weights[objective], weight != 0 else { continue }
      let scaled = (values[objective] ?? .nan) / (scales[objective] ?? 1)
      sum += weight * (objective.direction == .maximize ? 1 - scaled : scaled)
    }
    return sum
  }
}

extension Scalarisation: Codable {
  enum CodingKeys: String, CodingKey {
    case weights, scales
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    weights = try container.decode(ObjectiveValues.self, forKey: .weights)
    scales = try container.decode(ObjectiveValues.self, forKey: .scales)
    var total = 0.0
    for objective in Objective.allCases {
      if let weight = weights[objective] {
        guard weight.isFinite, weight >= 0 else {
          throw container.invalid(.weights, objective.rawValue, "a weight must be at least 0, not \(weight)")
        }
        guard scales[objective] != nil else {
          throw container.invalid(.scales, nil, "\(objective.rawValue) has a weight and no scale")
        }
        total += weight
      }
      if let scale = scales[objective] {
        guard scale.isFinite, scale > 0 else {
          throw container.invalid(.scales, objective.rawValue, "a scale must be positive, not \(scale)")
        }
        guard weights[objective] != nil else {
          throw container.invalid(.weights, nil, "\(objective.rawValue) has a scale and no weight")
        }
      }
    }
    guard total > 0 else { throw container.invalid(.weights, nil, "at least one weight must be above 0") }
  }
}

/// A coding key for places inside a value.
struct PlaceKey: CodingKey {
  var stringValue: String
  var intValue: Int?

  init(stringValue: String) { self.stringValue = stringValue }

  init(intValue: Int) {
    self.intValue = intValue
    stringValue = "\(intValue)"
  }
}

extension KeyedDecodingContainer {
  /// The error that names a place below `key`.
  func invalid(_ key: Key, _ place: String?, _ problem: String) -> DecodingError {
    let path = codingPath + [key as any CodingKey] + (place.map { [PlaceKey(stringValue: $0)] } ?? [])
    return .dataCorrupted(.init(codingPath: path, debugDescription: problem))
  }

  func invalid(_ key: Key, index: Int, _ place: String?, _ problem: String) -> DecodingError {
    var path = codingPath + [key as any CodingKey, PlaceKey(intValue: index)]
    if let place { path.append(PlaceKey(stringValue: place)) }
    return .dataCorrupted(.init(codingPath: path, debugDescription: problem))
  }
}
