import Architectures
import Foundation

/// Numbers that stand for a proposal in a surrogate.
struct ProposalFeatures: Sendable {
  enum Kind: Sendable {
    /// The embedding, each number over its largest value, then the device as one number of several.
    case embedding
    /// Sums over the layers that a designer would look at, on a logarithmic scale; the device apart. They are known of any
    /// member of the space, whatever answers the questions.
    case structure
  }

  let kind: Kind
  let domain: SearchDomain
  /// Without the device.
  let modelDimension: Int
  private let maxima: [Double]
  private let combinations: [HeadCombination]
  /// Weights, widths and length of each stack; the weights apart from what the hidden size brings.
  private let stacks: [(inner: Double, first: Double, last: Double, widths: Double, length: Double)]

  /// `ln(1 + sum)` of these: layers; first hidden size; attention weights; feed-forward weights; hidden sizes; widths of stacks;
  /// lengths of stacks; heads; heads' sizes; convolution's sizes times taps; joins' weights; then the share of each kind of head.
  private static let sums = 11

  init(_ kind: Kind, domain: SearchDomain) {
    self.kind = kind
    self.domain = domain
    maxima = domain.space.embeddingMaxima.map { Double(max($0, 1)) }
    combinations = domain.space.headCombinations
    stacks = domain.space.feedForwardStacks.map { stack in
      var inner = 0.0
      for index in stack.indices.dropFirst() { inner += Double(stack[index - 1] * stack[index]) }
      return (
        inner, Double(stack.first ?? 0), Double(stack.last ?? 0), Double(stack.reduce(0, +)), Double(stack.count)
      )
    }
    modelDimension = kind == .embedding ? domain.space.embeddingDimension : Self.sums + HeadOperation.allCases.count
  }

  /// Of the model, then one number a device: 1 for the proposal's own.
  func row(_ proposal: Proposal) -> [Double] {
    var row = kind == .embedding ? embedding(proposal.point) : structure(proposal.point)
    for device in 0..<domain.deviceCount { row.append(device == proposal.device ? 1 : 0) }
    return row
  }

  private func embedding(_ point: DesignPoint) -> [Double] {
    zip(domain.space.embedding(of: point), maxima).map { Double($0) / $1 }
  }

  private func structure(_ point: DesignPoint) -> [Double] {
    var sums = [Double](repeating: 0, count: Self.sums)
    var kinds = SIMD8<Double>(repeating: 0)
    let sizes = domain.space.hiddenSizes
    sums[0] = Double(point.layerCount)
    sums[1] = Double(sizes[point[0].hidden])
    for index in 0..<point.layerCount {
      let layer = point[index]
      let h = sizes[layer.hidden]
      let combination = combinations[layer.heads]
      let heads = max(combination.headCount, 1)
      let d = Double(h / heads)
      let stack = stacks[layer.feedForward]
      sums[2] += Double(h) * Double(heads) * d
      sums[3] += stack.inner + Double(h) * (stack.first + stack.last)
      sums[4] += Double(h)
      sums[5] += stack.widths
      sums[6] += stack.length
      sums[7] += Double(heads)
      sums[8] += Double(heads) * d
      for operation in HeadOperation.allCases {
        sums[9] += Double(combination.count(of: operation) * (operation.taps ?? 0)) * d
      }
      if index + 1 < point.layerCount, point[index + 1].hidden != layer.hidden {
        sums[10] += Double(h * sizes[point[index + 1].hidden])
      }
      kinds += SIMD8<Double>(SIMD8<UInt32>(truncatingIfNeeded: combination.counts))
    }
    let total = max(sums[7], 1)
    return sums.map { log(1 + $0) } + HeadOperation.allCases.map { kinds[Int($0.rawValue)] / total }
  }
}
