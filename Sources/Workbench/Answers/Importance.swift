import Architectures
import CoSearch
import Foundation
import Numerics

/// Which choices of a model matter for what: Sobol indices of the predicted quantities over groups of the embedding.
///
/// Every choice is drawn by itself and uniformly: the number of layers; each layer's hidden size, feed-forward stack, number of heads
/// and, one by one, the heads' kinds; the device, where there are several. Costs count by their logarithm.
struct Importance: Sendable {
  enum Group: String, Sendable, Hashable, CaseIterable {
    case layers
    case hiddenSizes = "hidden_sizes"
    case feedForward = "feed_forward"
    case headCount = "head_count"
    case headKinds = "head_kinds"
    case device

    var title: String {
      switch self {
      case .layers: "number of layers"
      case .hiddenSizes: "hidden sizes"
      case .feedForward: "feed-forward stacks"
      case .headCount: "numbers of heads"
      case .headKinds: "kinds of heads"
      case .device: "device"
      }
    }
  }

  let groups: [Group]
  /// The problem's objectives that vary, with an index for each group.
  let objectives: [(objective: Objective, indices: SobolIndices)]
  let samples: Int

  /// - Parameter samples: points of each of the two samples; the twins are asked `groups + 2` times as often.
  init(_ evaluator: CandidateEvaluator, seed: UInt64, samples: Int = 4_096) {
    let groups = Group.allCases.filter { $0 != .device || evaluator.devices.count > 1 }
    self.groups = groups
    self.samples = samples
    func values(_ origin: (Group) -> UInt64) -> [[Double]] {
      Self.values(evaluator, seed: seed, samples: samples, origin: origin)
    }
    let first = values { _ in 0 }
    let second = values { _ in 1 }
    let mixed = groups.map { group in values { $0 == group ? 1 : 0 } }
    objectives = evaluator.problem.objectives.enumerated().compactMap { lane, objective in
      SobolIndices(a: first[lane], b: second[lane], mixed: mixed.map { $0[lane] }).map { (objective, $0) }
    }
  }

  /// Values of the objectives, a list each, at points whose groups come from the sample that `origin` names.
  private static func values(
    _ evaluator: CandidateEvaluator, seed: UInt64, samples: Int, origin: (Group) -> UInt64
  ) -> [[Double]] {
    var byDevice: [[(index: Int, point: DesignPoint)]] = Array(repeating: [], count: evaluator.devices.count)
    for index in 0..<samples {
      func random(_ group: Group, _ position: UInt64) -> CounterRandom {
        // The group is part of the stream: groups must be drawn independently of each other.
        CounterRandom(
          seed: seed, stream: 0x50B0, UInt64(Group.allCases.firstIndex(of: group) ?? 0), origin(group), UInt64(index),
          position)
      }
      var device = random(.device, 0)
      byDevice[device.nextIndex(below: evaluator.devices.count)].append(
        (index, point(evaluator.space) { random($0, $1) }))
    }
    let objectives = evaluator.problem.objectives
    var values = objectives.map { _ in [Double](repeating: .nan, count: samples) }
    for (device, own) in byDevice.enumerated() where !own.isEmpty {
      for (candidate, place) in zip(evaluator.candidates(of: own.map(\.point), device: device), own) {
        for (lane, objective) in objectives.enumerated() {
          let value = candidate.assessment.values[objective] ?? .nan
          values[lane][place.index] = objective.direction == .maximize ? value : log(value)
        }
      }
    }
    return values
  }

  private static func point(_ space: DesignSpace, _ random: (Group, UInt64) -> CounterRandom) -> DesignPoint {
    var draw = random(.layers, 0)
    let count = space.layerCounts[draw.nextIndex(below: space.layerCounts.count)]
    return DesignPoint(
      layers: (0..<count).map { layer in
        let layer = UInt64(layer)
        var (hidden, stack, number, kinds) = (
          random(.hiddenSizes, layer), random(.feedForward, layer), random(.headCount, layer), random(.headKinds, layer)
        )
        let heads = space.headCounts[number.nextIndex(below: space.headCounts.count)]
        let operations = (0..<heads).map { _ in space.operations[kinds.nextIndex(below: space.operations.count)] }
        return DesignPoint.Layer(
          hidden: hidden.nextIndex(below: space.hiddenSizes.count),
          feedForward: stack.nextIndex(below: space.feedForwardStackCount),
          heads: space.headCombinationIndex(of: HeadCombination(operations)) ?? 0)
      })
  }

  var text: String {
    guard !objectives.isEmpty else { return "" }
    var table = TextTable(
      [.init("choice")] + objectives.map { .init($0.objective.title, right: true) })
    for (row, group) in groups.enumerated() {
      table.add(
        [group.title]
          + objectives.map { column in
            let index = column.indices.groups[row]
            return "\(Self.percent(index.first)) (\(Self.percent(index.total)))"
          })
    }
    let error = objectives.flatMap { $0.indices.groups.map { max($0.firstError, $0.totalError) } }.max() ?? 0
    return
      "Which choices matter: share of the variance of what is predicted that a choice explains alone (with its"
      + " interactions), every choice drawn uniformly, costs by their logarithm\n" + table.text
      + "Sobol indices from \(samples) samples; standard errors at most \(Self.percent(error)).\n"
  }

  private static func percent(_ share: Double) -> String { String(format: "%.0f %%", max(share, 0) * 100) }

  var records: [Record] {
    objectives.flatMap { column in
      groups.enumerated().map { row, group in
        let index = column.indices.groups[row]
        var record = Record()
        record.add("objective", .text(column.objective.rawValue))
        record.add("choice", .text(group.rawValue))
        record.add("first_order", .number(index.first))
        record.add("first_order_standard_error", .number(index.firstError))
        record.add("total", .number(index.total))
        record.add("total_standard_error", .number(index.totalError))
        return record
      }
    }
  }
}
