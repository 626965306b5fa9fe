import Architectures
import Twins

/// A compiled twin as a device of a search.
public struct TwinCosting: CandidateCosting {
  public let deviceID: String
  private let compiled: CompiledTwin
  private let bytesPerElement: Double
  private let tokens: Double
  private let length: Double
  private let parameters: ParameterTable
  private let hiddenSizes: [Double]
  /// `3a` by hidden size and combination's number of heads.
  private let attentionWidths: [[Double]]
  private let headCounts: [Int]
  private let widestFeedForward: [Double]

  /// - Parameters:
  ///   - deviceID: as the problem names the device.
  ///   - space: the one that the twin was compiled for.
  public init(_ compiled: CompiledTwin, deviceID: String, space: DesignSpace) {
    self.deviceID = deviceID
    self.compiled = compiled
    let settings = compiled.twin.settings
    bytesPerElement = settings.precision.bytes
    length = Double(settings.sequenceLength)
    tokens = Double(settings.batchSize) * length
    parameters = ParameterTable(space: space, convention: .native)
    hiddenSizes = space.hiddenSizes.map(Double.init)
    let most = space.headCounts.max() ?? 0
    attentionWidths = space.hiddenSizes.map { h in (0...most).map { $0 == 0 ? 0 : 3 * Double(h / $0 * $0) } }
    headCounts = (0..<space.headCombinationCount).map { space.headCombination($0).headCount }
    widestFeedForward = (0..<space.feedForwardStackCount).map { Double(space.feedForwardStack($0).max() ?? 0) }
  }

  /// What the costs are made of.
  package func parts(_ space: DesignSpace) -> TwinParts { TwinParts(compiled, space: space) }

  public var powerScope: PowerScope { compiled.twin.device.power.scope }
  public var intervalLevel: Double { compiled.level }

  public var memoryLimitBytes: Double? {
    let memory = compiled.twin.device.memory
    return memory.overflow == .error ? memory.availableBytes : nil
  }

  public func costs(of points: [DesignPoint], into costs: inout [CostEstimate]) {
    compiled.predict(points, into: &costs)
  }

  /// As `MemoryNeed` has it, by table.
  public func memoryBytes(of points: [DesignPoint], into bytes: inout [Double]) {
    bytes.removeAll(keepingCapacity: true)
    bytes.reserveCapacity(points.count)
    for point in points {
      var widest = 0.0
      for index in 0..<point.layerCount {
        let layer = point[index]
        let attention = attentionWidths[layer.hidden][headCounts[layer.heads]] + length
        widest = max(widest, 2 * hiddenSizes[layer.hidden] + max(attention, widestFeedForward[layer.feedForward]))
      }
      bytes.append(bytesPerElement * (Double(parameters.count(of: point)) + tokens * widest))
    }
  }
}
