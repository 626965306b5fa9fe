import Architectures
import ModelFiles
import Testing

@testable import GrowAndPrune

@Suite struct TransferTests {
  private static let architectures = [
    mixedArchitecture(), mixedArchitecture(.absolute), evenArchitecture(), evenArchitecture(position: .relativeKey),
  ]

  private func child(
    _ parent: Model, _ from: Pedigree, _ to: Pedigree, _ options: TransferOptions = TransferOptions(seed: 5)
  ) throws -> (model: Model, report: TransferReport) {
    try Transfer.child(of: parent, from: from, to: to, options: options)
  }

  @Test(arguments: architectures) func anUnchangedChildIsItsParent(_ architecture: Architecture) throws {
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    #expect(pedigree.architecture == architecture && pedigree.isConsistent)
    let (model, report) = try child(parent, pedigree, pedigree)
    #expect(model.weights.names == parent.weights.names && report.transferredShare == 1)
    #expect(model.weights.names.allSatisfy { model.weights[$0]?.values == parent.weights[$0]?.values })
  }

  // MARK: Growth

  @Test(arguments: architectures) func growthKeepsTheFunction(_ architecture: Architecture) throws {
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    var children: [(String, Pedigree)] = []
    for layer in architecture.layers.indices {
      for operation in HeadOperation.allCases {
        children.append(("\(operation) in \(layer)", pedigree.growingHead(layer: layer, operation: operation)))
      }
      let width = architecture.layers[layer].hiddenSize
      let appended = pedigree.appendingHidden(layer: layer, width: 2 * width + 3)
      children.append(("hidden layer in \(layer)", appended))
      children.append(("two in \(layer)", appended.appendingHidden(layer: layer, width: 2 * width)))
      for hidden in architecture.layers[layer].feedForward.indices {
        children.append(("neurons in \(layer)", pedigree.widening(layer: layer, hidden: hidden, by: 5)))
      }
      let inserted = pedigree.insertingLayer(after: layer)
      children.append(("layer after \(layer)", inserted))
      children.append(("two layers after \(layer)", inserted.insertingLayer(after: layer + 1)))
      children.append(
        (
          "everything in \(layer)",
          appended.growingHead(layer: layer, operation: .convolution9).insertingLayer(after: layer)
        ))
    }
    for (name, grown) in children {
      #expect(grown.isConsistent)
      let (model, report) = try child(parent, pedigree, grown)
      let error = try difference(model, parent)
      #expect(error < 1e-5, "\(name): \(error)")
      #expect(report.total == model.weights.dictionary.values.reduce(0) { $0 + $1.count }, "\(name)")
      #expect(report.transferredShare > 0.2 && report.transferredShare < 1, "\(name)")
    }
  }

  /// The published growth, for comparison: the same children do not compute what their parent computes.
  @Test func freshGrowthDoesNot() throws {
    let architecture = evenArchitecture()
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    for grown in [
      pedigree.growingHead(layer: 1, operation: .scaledDotProduct), pedigree.appendingHidden(layer: 1, width: 32),
      pedigree.insertingLayer(after: 1),
    ] {
      let (model, _) = try child(parent, pedigree, grown, TransferOptions(growth: .fresh, seed: 5))
      #expect(try difference(model, parent) > 1e-3)
    }
  }

  /// A hidden layer that is too narrow to carry the output starts anew, and the child still runs.
  @Test func narrowHiddenLayer() throws {
    let architecture = evenArchitecture()
    let pedigree = Pedigree(root: architecture)
    let (model, report) = try child(
      largeModel(architecture), pedigree, pedigree.appendingHidden(layer: 0, width: 31))
    #expect(try scores(model).allSatisfy(\.isFinite) && report.new > 31 * 24)
  }

  // MARK: Pruning

  @Test(arguments: architectures) func prunedHeadsAreMaskedHeads(_ architecture: Architecture) throws {
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    for (layer, shape) in architecture.layers.enumerated() where shape.heads.count > 1 {
      let going: Set<Int> = shape.heads.count > 3 ? [0, 2] : [0]
      let pruned = try #require(pedigree.pruningHeads(layer: layer, going))
      let (model, _) = try child(parent, pedigree, pruned)
      let masked = parent.setting("encoder.layer.\(layer).attention.output.dense.weight") { _, column in
        going.contains(column / shape.headSize)
      }
      #expect(try difference(model, masked) < 1e-5)
      #expect(try difference(masked, parent) > 1e-3)
    }
    let all = Set(architecture.layers[0].heads.indices)
    #expect(pedigree.pruningHeads(layer: 0, all) == nil)
  }

  @Test(arguments: architectures) func prunedNeuronsAreMaskedNeurons(_ architecture: Architecture) throws {
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    for (layer, shape) in architecture.layers.enumerated() {
      for (hidden, width) in shape.feedForward.enumerated() {
        let kept = Set((0..<width).filter { $0 % 3 != 1 })
        let pruned = try #require(pedigree.keepingNeurons(layer: layer, hidden: hidden, kept))
        let (model, _) = try child(parent, pedigree, pruned)
        let next = hidden + 1 == shape.feedForward.count ? "output.dense" : "intermediate.stack.\(hidden)"
        let masked = parent.setting("encoder.layer.\(layer).\(next).weight") { _, column in !kept.contains(column) }
        #expect(try difference(model, masked) < 1e-5)
        #expect(try difference(masked, parent) > 1e-3)
      }
    }
  }

  /// Parts behind a pruned one keep their own weights, over several generations.
  @Test func identitiesSurvive() throws {
    let architecture = evenArchitecture(heads: 4)
    let root = largeModel(architecture)
    let first = Pedigree(root: architecture)
    let second = try #require(first.pruningHeads(layer: 1, [1]))
    let third = second.growingHead(layer: 1, operation: .discreteCosine)
    let fourth = try #require(third.pruningHeads(layer: 1, [0, 2]))
    var model = root
    for (from, to) in [(first, second), (second, third), (third, fourth)] {
      model = try child(model, from, to).model
    }
    #expect(fourth.layers[1].heads.map(\.operation) == [architecture.layers[1].heads[2], .discreteCosine])
    let name = "encoder.layer.1.attention.self.value.weight"
    let (values, old) = (try #require(model.weights[name]?.values), try #require(root.weights[name]?.values))
    #expect(Array(values[..<64]) == Array(old[128..<192]))
    // What reads the grown head is still zero.
    let output = try #require(model.weights["encoder.layer.1.attention.output.dense.weight"]?.values)
    #expect((0..<16).allSatisfy { row in output[row * 8 + 4..<row * 8 + 8].allSatisfy { $0 == 0 } })
  }

  /// A model whose channels all come twice, and are read once, is the narrow model: pruning the copies must give that one back.
  @Test(arguments: [evenArchitecture(), evenArchitecture(position: .relativeKey)])
  func prunedWidth(_ architecture: Architecture) throws {
    let narrow = largeModel(architecture, masked: false)
    var wide = architecture
    for layer in wide.layers.indices { wide.layers[layer].hiddenSize *= 2 }
    var tensors: [String: Tensor] = [:]
    for specification in wide.tensorSpecifications(labels: 3, maskedLanguageModel: false) {
      tensors[specification.name] = doubled(try #require(narrow.weights[specification.name]), specification)
    }
    let parent = Model(architecture: wide, weights: ModelWeights(tensors), labels: 3)
    #expect(try difference(parent, narrow) < 1e-5)
    let pedigree = Pedigree(root: wide)
    // The first of some, the second of others.
    let kept = Set((0..<16).map { $0 % 3 == 0 ? $0 + 16 : $0 })
    // What is read stands at the first copies: those that go are read at none.
    var moved = parent
    for specification in wide.tensorSpecifications(labels: 3, maskedLanguageModel: false) {
      moved.weights[specification.name] = readElsewhere(try #require(parent.weights[specification.name]), specification)
    }
    #expect(try difference(moved, narrow) < 1e-5)
    let pruned = try #require(pedigree.keepingChannels(layers: 0..<3, kept))
    #expect(pruned.architecture == architecture)
    let (model, report) = try child(moved, pedigree, pruned)
    #expect(try difference(model, narrow) < 1e-5 && report.transferredShare == 1)
  }

  private func isRead(_ name: String) -> Bool {
    ["self.query.weight", "self.key.weight", "self.value.weight", "intermediate.dense.weight", "pooler.dense.weight"]
      .contains { name.hasSuffix($0) } || name == "classifier.weight"
  }

  /// Twice the rows or columns where they are channels; what reads them reads the first copy.
  private func doubled(_ tensor: Tensor, _ specification: TensorSpecification) -> Tensor? {
    let (rows, width) = (tensor.shape[0], tensor.shape.count > 1 ? tensor.shape[1] : 1)
    let newRows = specification.shape[0]
    let newWidth = specification.shape.count > 1 ? specification.shape[1] : 1
    let old = tensor.values
    var values = [Float](repeating: 0, count: newRows * newWidth)
    for row in 0..<newRows {
      for column in 0..<newWidth where column < width || !isRead(specification.name) {
        values[row * newWidth + column] = old[(row % rows) * width + column % width]
      }
    }
    return Tensor(shape: specification.shape, values: values)
  }

  /// Every third channel is read from its second copy.
  private func readElsewhere(_ tensor: Tensor, _ specification: TensorSpecification) -> Tensor {
    guard isRead(specification.name), specification.shape.count == 2 else { return tensor }
    let width = specification.shape[1]
    var values = tensor.values
    for row in 0..<specification.shape[0] {
      for channel in stride(from: 0, to: width / 2, by: 3) {
        values.swapAt(row * width + channel, row * width + channel + width / 2)
      }
    }
    return Tensor(shape: tensor.shape, values: values) ?? tensor
  }

  /// Within a segment, joins appear that pass the kept channels on.
  @Test func narrowLayerWithinASegment() throws {
    let architecture = evenArchitecture()
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    let kept = Set(0..<10)
    let pruned = try #require(pedigree.keepingChannels(layers: 1..<2, kept))
    #expect(pruned.architecture.layers.map(\.hiddenSize) == [16, 10, 16] && pruned.isConsistent)
    let (model, _) = try child(parent, pedigree, pruned)
    let down = try #require(model.weights["encoder.layer.0.join.weight"]?.values)
    #expect((0..<160).allSatisfy { down[$0] == ($0 / 16 == $0 % 16 ? 1 : 0) })
    let up = try #require(model.weights["encoder.layer.1.join.weight"]?.values)
    #expect((0..<100).allSatisfy { up[$0] == ($0 / 10 == $0 % 10 ? 1 : 0) })
    #expect(try scores(model).allSatisfy(\.isFinite))
    // The neighbours' width would leave a join no place.
    #expect(pruned.keepingChannels(layers: 0..<1, kept.union([12]).subtracting([0])) == nil)
  }

  @Test func prunedLayer() throws {
    let architecture = evenArchitecture(layers: 4)
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    for layer in 0..<4 {
      let pruned = try #require(pedigree.pruningLayer(layer))
      let (model, _) = try child(parent, pedigree, pruned)
      for (index, source) in (0..<4).filter({ $0 != layer }).enumerated() {
        for specification in pruned.architecture.layerSpecifications(index) {
          let name = specification.name.replacing("layer.\(index).", with: "layer.\(source).")
          #expect(model.weights[specification.name]?.values == parent.weights[name]?.values)
        }
      }
    }
  }

  /// A layer between two others of different widths goes: its two joins become one.
  @Test func prunedLayerBetweenJoins() throws {
    let architecture = mixedArchitecture()
    let parent = largeModel(architecture)
    let pedigree = Pedigree(root: architecture)
    #expect(pedigree.pruningLayer(0) == nil && pedigree.pruningLayer(2) == nil)
    let pruned = try #require(pedigree.pruningLayer(1))
    let (model, _) = try child(parent, pedigree, pruned)
    func values(_ name: String) throws -> [Double] { try #require(parent.weights[name]).values.map(Double.init) }
    let (first, second) = (try values("encoder.layer.0.join.weight"), try values("encoder.layer.1.join.weight"))
    let (offset, last) = (try values("encoder.layer.0.join.bias"), try values("encoder.layer.1.join.bias"))
    let join = try #require(model.weights["encoder.layer.0.join.weight"])
    #expect(join.shape == [16, 28])
    for row in 0..<16 {
      for column in 0..<28 {
        let expected = (0..<12).reduce(0.0) { $0 + second[row * 12 + $1] * first[$1 * 28 + column] }
        #expect(abs(Double(join.values[row * 28 + column]) - expected) < 1e-5)
      }
      let expected = (0..<12).reduce(last[row]) { $0 + second[row * 12 + $1] * offset[$1] }
      #expect(abs(Double(model.weights["encoder.layer.0.join.bias"]?.values[row] ?? 0) - expected) < 1e-5)
    }
  }

  /// A tied decoder whose embeddings narrow alone gets weights of its own.
  @Test func tiedDecoder() throws {
    let architecture = evenArchitecture()
    let parent = largeModel(architecture)
    #expect(!parent.weights.contains("cls.predictions.decoder.weight"))
    let pedigree = Pedigree(root: architecture)
    let whole = try #require(pedigree.keepingChannels(layers: 0..<3, Set(0..<9)))
    #expect(try !child(parent, pedigree, whole).model.weights.contains("cls.predictions.decoder.weight"))
    let first = try #require(pedigree.keepingChannels(layers: 0..<1, Set(0..<9)))
    let (model, _) = try child(parent, pedigree, first)
    let words = parent.weights["embeddings.word_embeddings.weight"]?.values
    #expect(model.weights["cls.predictions.decoder.weight"]?.values == words)
    #expect(try scores(model).allSatisfy(\.isFinite))
  }

  @Test func json() throws {
    let pedigree = try #require(
      Pedigree(root: mixedArchitecture()).growingHead(layer: 1, operation: .convolution13)
        .keepingNeurons(layer: 0, hidden: 1, [0, 1, 2, 5, 8]))
    let value = try JSONParser.document([UInt8](pedigree.json.utf8), source: "t")
    #expect(try Pedigree(value, source: "t", path: "") == pedigree)
    for (was, isNow) in [
      ("\"layers\"", "\"other\""), ("\"channels\":\"0-27\"", "\"channels\":\"0-3,2\""), ("c_13", "c_7"),
    ] {
      let bad = pedigree.json.replacing(was, with: isNow)
      #expect(bad != pedigree.json)
      #expect(throws: InputFileError.self) {
        try Pedigree(JSONParser.document([UInt8](bad.utf8), source: "t"), source: "t", path: "")
      }
    }
    #expect(Pedigree.identities("0-99999999999") == nil && Pedigree.identities("3,x") == nil)
  }
}
