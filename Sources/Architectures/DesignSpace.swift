import BigInt

/// The set that design points are drawn from: every layer picks a hidden size, a feed-forward stack and a
/// multiset of head operations.
///
/// Indices of a ``DesignPoint`` refer to the lists here: hidden sizes as listed; feed-forward stacks by
/// length, each length in lexicographic order of the list of widths; head combinations by number of heads as
/// listed, each in lexicographic order of the list of operations (combinations with replacement). For
/// FlexiBERT 2.0 this is the published numbering.
public struct DesignSpace: Sendable {
  /// Everything that a space is made from, unchecked.
  public struct Choices: Hashable, Sendable {
    public var layerCounts: [Int]
    public var hiddenSizes: [Int]
    public var headCounts: [Int]
    public var operations: [HeadOperation]
    public var feedForwardWidths: [Int]
    public var maximumFeedForwardStack: Int
    public var vocabularySize: Int
    public var maximumPositions: Int
    public var typeVocabularySize: Int
    public var position: Architecture.Position

    public init(
      layerCounts: [Int], hiddenSizes: [Int], headCounts: [Int], operations: [HeadOperation],
      feedForwardWidths: [Int], maximumFeedForwardStack: Int, vocabularySize: Int = 50_265,
      maximumPositions: Int = 514, typeVocabularySize: Int = 1, position: Architecture.Position = .relativeKey
    ) {
      self.layerCounts = layerCounts
      self.hiddenSizes = hiddenSizes
      self.headCounts = headCounts
      self.operations = operations
      self.feedForwardWidths = feedForwardWidths
      self.maximumFeedForwardStack = maximumFeedForwardStack
      self.vocabularySize = vocabularySize
      self.maximumPositions = maximumPositions
      self.typeVocabularySize = typeVocabularySize
      self.position = position
    }

    /// FlexiBERT 2.0 (Tuli and Jha, "EdgeTran", IEEE TMC 2024), with the lists that its published data use.
    public static let flexibert2 = Choices(
      layerCounts: [2, 4, 6, 8, 10, 12], hiddenSizes: [128, 256, 512, 768], headCounts: [2, 4, 8, 12],
      operations: HeadOperation.allCases, feedForwardWidths: [256, 512, 1024, 2048, 3072, 4096],
      maximumFeedForwardStack: 3)
  }

  public let choices: Choices
  let tables: DesignSpaceTables

  /// - Throws: ``DesignSpaceError/invalid(field:reason:)`` where a list is empty, repeats itself or holds a
  ///   value out of range, or where the space is larger than a ``DesignPoint`` can say.
  public init(_ choices: Choices) throws(DesignSpaceError) {
    try choices.check()
    self.choices = choices
    tables = DesignSpaceTables(choices)
  }

  private init(checked choices: Choices) {
    self.choices = choices
    tables = DesignSpaceTables(choices)
  }

  /// FlexiBERT 2.0: 22 502 760 layers, 1.6859e88 architectures.
  public static let flexibert2 = DesignSpace(checked: .flexibert2)

  /// `flexibert2`, or for other choices a stable hash of them, as 16 hexadecimal digits: what tells embeddings of one space from those of
  /// another.
  public var id: String {
    if self == .flexibert2 { return "flexibert2" }
    let hash = yaml.utf8.reduce(into: 0xcbf2_9ce4_8422_2325 as UInt64) { $0 = ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  public var layerCounts: [Int] { choices.layerCounts }
  public var hiddenSizes: [Int] { choices.hiddenSizes }
  public var headCounts: [Int] { choices.headCounts }
  public var operations: [HeadOperation] { choices.operations }
  public var feedForwardWidths: [Int] { choices.feedForwardWidths }
  public var maximumFeedForwardStack: Int { choices.maximumFeedForwardStack }
  public var vocabularySize: Int { choices.vocabularySize }
  public var maximumPositions: Int { choices.maximumPositions }
  public var typeVocabularySize: Int { choices.typeVocabularySize }
  public var position: Architecture.Position { choices.position }

  public var feedForwardStackCount: Int { tables.stacks.count }
  public var headCombinationCount: Int { tables.combinations.count }
  public var maximumLayerCount: Int { tables.maximumLayerCount }

  /// Number of different layers.
  public var layerCardinality: Int { hiddenSizes.count * feedForwardStackCount * headCombinationCount }

  /// Exact number of points.
  public var cardinality: BigInt { layerCounts.reduce(BigInt(0)) { $0 + cardinality(layers: $1) } }

  /// Exact number of points with so many layers.
  public func cardinality(layers: Int) -> BigInt { BigInt(layerCardinality).power(layers) }

  /// Every head combination, in the order of its numbers: to be fetched once before a hot loop.
  public var headCombinations: [HeadCombination] { tables.combinations }

  /// Every feed-forward stack, in the order of its numbers.
  public var feedForwardStacks: [[Int]] { tables.stacks }

  /// Widths of the feed-forward stack numbered `index`, which must be below ``feedForwardStackCount``.
  public func feedForwardStack(_ index: Int) -> [Int] { tables.stacks[index] }

  /// Head combination `index`, which must be below ``headCombinationCount``.
  public func headCombination(_ index: Int) -> HeadCombination { tables.combinations[index] }

  /// The number of a head combination; nil where its count or an operation is not of the space.
  public func headCombinationIndex(of combination: HeadCombination) -> Int? { tables.index(of: combination) }
}

extension DesignSpace: Hashable {
  public static func == (left: DesignSpace, right: DesignSpace) -> Bool { left.choices == right.choices }
  public func hash(into hasher: inout Hasher) { hasher.combine(choices) }
}

extension DesignSpace.Choices {
  private static let largestSize = Architecture.Limits.standard.size

  fileprivate func check() throws(DesignSpaceError) {
    try Self.check("layer_counts", layerCounts, upTo: DesignPoint.maximumLayerCount)
    try Self.check("hidden_sizes", hiddenSizes, upTo: Self.largestSize)
    try Self.check("head_counts", headCounts, upTo: 255)
    try Self.check("operations", operations.map { Int($0.rawValue) + 1 }, upTo: HeadOperation.allCases.count)
    try Self.check("feed_forward_widths", feedForwardWidths, upTo: Self.largestSize)
    try Self.check("maximum_feed_forward_stack", [maximumFeedForwardStack], upTo: 16)
    try Self.check("vocabulary_size", [vocabularySize], upTo: Self.largestSize)
    try Self.check("maximum_positions", [maximumPositions], upTo: Self.largestSize)
    try Self.check("type_vocabulary_size", [typeVocabularySize], upTo: Self.largestSize)

    try Self.checkTotal("hidden_sizes", hiddenSizes.count, atMost: 16, "sizes")
    if let smallest = hiddenSizes.min(), let most = headCounts.max(), smallest < most {
      throw .invalid(field: "head_counts", reason: "\(most) heads cannot share a hidden size of \(smallest)")
    }
    var stacks = 0
    var ofThisLength = 1
    for _ in 0..<maximumFeedForwardStack {
      ofThisLength *= feedForwardWidths.count
      stacks += ofThisLength
      try Self.checkTotal("feed_forward_widths", stacks, atMost: 4_096, "feed-forward stacks")
    }
    var combinations = 0
    for count in headCounts {
      combinations += DesignSpaceTables.multisets(of: count, from: operations.count)
      try Self.checkTotal("head_counts", combinations, atMost: 65_536, "head combinations")
    }
  }

  private static func check(_ field: String, _ values: [Int], upTo limit: Int) throws(DesignSpaceError) {
    guard !values.isEmpty else { throw .invalid(field: field, reason: "must not be empty") }
    var seen: Set<Int> = []
    for value in values {
      guard value >= 1, value <= limit else {
        throw .invalid(field: field, reason: "\(value) is not within 1 to \(limit)")
      }
      guard seen.insert(value).inserted else {
        throw .invalid(field: field, reason: "a value is given twice")
      }
    }
  }

  private static func checkTotal(
    _ field: String, _ count: Int, atMost limit: Int, _ what: String
  ) throws(DesignSpaceError) {
    guard count <= limit else {
      throw .invalid(field: field, reason: "more than \(limit) \(what), which a design point cannot number")
    }
  }
}
