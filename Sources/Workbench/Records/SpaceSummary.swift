import Architectures
import Foundation

/// A design space by the numbers: what its architectures are made of, and exactly how many there are.
public struct SpaceSummary: Sendable {
  public let space: DesignSpace

  public init(_ space: DesignSpace) {
    self.space = space
  }

  /// The exact number of architectures, all digits.
  public var cardinality: String { space.cardinality.description }

  /// Rounded to five digits, such as `1.6859e88`; all digits where there are no more than six.
  public var roundedCardinality: String {
    let digits = cardinality
    guard digits.count > 6, let leading = Double(digits.prefix(12)) else { return digits }
    let mantissa = (leading / pow(10, Double(min(digits.count, 12) - 5))).rounded()
    // 9.99996 is rounded to the next power.
    return mantissa >= 1e5
      ? "1.0000e\(digits.count)" : String(format: "%.4fe%d", mantissa / 1e4, digits.count - 1)
  }

  /// Architectures by number of layers, exact.
  public var parts: [(layers: Int, count: String)] {
    space.layerCounts.map { ($0, space.cardinality(layers: $0).description) }
  }

  /// Everything as one object; numbers beyond 64 bits as texts of all their digits.
  public var record: Record {
    var record = Record()
    record.add("schema", .text("edgetwin.space-summary/1"))
    record.add("id", .text(space.id))
    record.add("cardinality", .text(cardinality))
    record.add("cardinality_rounded", .text(roundedCardinality))
    record.add(
      "by_layers",
      .list(
        parts.map { part in
          var record = Record()
          record.add("layers", .whole(part.layers))
          record.add("cardinality", .text(part.count))
          return .object(record)
        }))
    record.add("layer_cardinality", .whole(space.layerCardinality))
    record.add("hidden_sizes", .list(space.hiddenSizes.map(FieldValue.whole)))
    record.add("feed_forward_stacks", .whole(space.feedForwardStackCount))
    record.add("head_combinations", .whole(space.headCombinationCount))
    record.add("embedding_dimension", .whole(space.embeddingDimension))
    return record
  }

  /// Everything for people.
  public var text: String {
    func list(_ values: [Int]) -> String { values.map(String.init).joined(separator: ", ") }
    var text = "design space \(space.id): \(roundedCardinality) architectures\n\n"
    var made = TextTable([.init("of a layer"), .init("choices", right: true), .init("which")])
    made.add(["hidden size", "\(space.hiddenSizes.count)", list(space.hiddenSizes)])
    made.add([
      "feed-forward stack", "\(space.feedForwardStackCount)",
      "1 to \(space.maximumFeedForwardStack) of \(list(space.feedForwardWidths))",
    ])
    made.add([
      "heads", "\(space.headCombinationCount)",
      "\(list(space.headCounts)) of \(space.operations.map(\.name).joined(separator: ", ")), in any order",
    ])
    made.add(["together", "\(space.layerCardinality)", ""])
    text += made.text + "\n"
    var table = TextTable([.init("layers", right: true), .init("architectures, exactly", right: true)])
    for part in parts { table.add(["\(part.layers)", part.count]) }
    table.add(["all", cardinality])
    return text + table.text
  }
}
