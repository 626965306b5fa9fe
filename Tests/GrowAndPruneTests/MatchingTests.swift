import Architectures
import ModelFiles
import Testing

@testable import GrowAndPrune

@Suite struct MatchingTests {
  @Test(arguments: [mixedArchitecture(), evenArchitecture()])
  func anArchitectureMatchesItself(_ architecture: Architecture) throws {
    let parent = largeModel(architecture)
    let from = Pedigree(root: architecture)
    let to = Pedigree(matching: architecture, to: from)
    #expect(to.layers == from.layers && to.isConsistent)
    let (model, report) = try Transfer.child(of: parent, from: from, to: to)
    #expect(try difference(model, parent) == 0 && report.transferredShare == 1)
  }

  /// A layer more in the middle is found by the kinds of its heads, and the others meet their own.
  @Test func layersMeetByTheirKinds() throws {
    func layer(_ operation: HeadOperation) -> Architecture.Layer {
      Architecture.Layer(
        hiddenSize: 12, headSize: 4, heads: [operation, operation, .scaledDotProduct], feedForward: [16])
    }
    func architecture(_ operations: [HeadOperation]) -> Architecture {
      var result = evenArchitecture(layers: 1, width: 12, heads: 3)
      result.layers = operations.map(layer)
      return result
    }
    let small = architecture([.discreteFourier, .convolution5, .weightedMultiplicative])
    let large = architecture([.discreteFourier, .convolution13, .convolution5, .weightedMultiplicative])
    let from = Pedigree(root: small)
    let to = Pedigree(matching: large, to: from)
    #expect(to.isConsistent && to.architecture == large)
    let places = to.layers.map { layer in from.layers.firstIndex { $0.identity == layer.identity } }
    #expect(places == [0, nil, 1, 2])
    // The new layer changes nothing.
    let parent = largeModel(small)
    let (model, report) = try Transfer.child(of: parent, from: from, to: to)
    #expect(try difference(model, parent) < 1e-5)
    #expect(report.transferredShare > 0.7 && report.transferredShare < 1)
    // And back.
    let back = Pedigree(matching: small, to: Pedigree(root: large))
    let (again, all) = try Transfer.child(of: model, from: Pedigree(root: large), to: back)
    #expect(all.transferredShare == 1 && again.architecture == small)
  }

  /// Heads of a kind meet first, in order; those left over take what is left.
  @Test func headsMeetByTheirKinds() {
    var small = evenArchitecture(layers: 1, heads: 4)
    small.layers[0].heads = [.convolution5, .discreteCosine, .convolution5, .scaledDotProduct]
    var other = small
    other.layers[0].heads = [.scaledDotProduct, .convolution5, .convolution9, .convolution5]
    let from = Pedigree(root: other)
    let heads = Pedigree(matching: small, to: from).layers[0].heads
    let places = heads.map { head in from.layers[0].heads.firstIndex { $0.identity == head.identity } }
    #expect(places == [1, 2, 3, 0] && heads.map(\.operation) == small.layers[0].heads)
  }

  @Test(arguments: TransferOptions.UnequalSizes.allCases)
  func unequalSizes(_ form: TransferOptions.UnequalSizes) throws {
    let (small, large) = (
      mixedArchitecture(),
      evenArchitecture(layers: 5, width: 20, heads: 5, feedForward: [30, 9], position: .relativeKey)
    )
    for (source, target) in [(small, large), (large, small)] {
      let from = Pedigree(root: source)
      let to = Pedigree(matching: target, to: from)
      #expect(to.architecture == target && to.isConsistent)
      let parent = largeModel(source)
      let options = TransferOptions(unequalSizes: form, seed: 3)
      let (model, report) = try Transfer.child(of: parent, from: from, to: to, options: options)
      #expect(try scores(model).allSatisfy(\.isFinite))
      #expect(report.transferredShare > 0.2 && (report.projected > 0) == (form == .randomProjection))
      let again = try Transfer.child(of: parent, from: from, to: to, options: options).model
      #expect(model.weights.names.allSatisfy { model.weights[$0]?.values == again.weights[$0]?.values })
    }
  }

  /// A random projection keeps inner products on average: W Pᵀ P x is near W x.
  @Test func projectionKeepsProducts() throws {
    let map = AxisMap.randomProjection(900, parentCount: 30, seed: 1, stream: 2)
    let again = AxisMap.randomProjection(900, parentCount: 30, seed: 1, stream: 2)
    guard case .projection(let values) = map.content, case .projection(let same) = again.content else {
      Issue.record("no projection")
      return
    }
    #expect(values == same)
    for first in 0..<30 {
      for second in 0..<30 {
        let product = (0..<900).reduce(0.0) { $0 + Double(values[$1 * 30 + first]) * Double(values[$1 * 30 + second]) }
        #expect(abs(product - (first == second ? 1 : 0)) < 0.2)
      }
    }
  }
}
