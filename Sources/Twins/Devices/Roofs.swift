import Architectures
import Foundation

/// What a device's kernels reach when each is timed by itself: the facts that the costs of `native` and `onnxruntime` are derived from.
///
/// A file without them has roofs that follow from its peak rate and bandwidth. Lists may hold several numbers of threads; shapes that
/// are not listed are interpolated.
public struct Roofs: Sendable, Hashable, Codable {
  /// A matrix product of `m×k` and `k×n`, operands as a model finds them.
  public struct Product: Sendable, Hashable, Codable {
    public var m: Int
    public var k: Int
    public var n: Int
    public var threads: Int
    public var precision: Precision
    /// Whether a residual sum and a layer norm follow within the call, which threads then share by whole rows.
    public var isNormalised: Bool
    /// `2mkn` over the time of a call.
    public var flopsPerSecond: Double

    enum CodingKeys: String, CodingKey {
      case m, k, n, threads, precision
      case isNormalised = "normalised"
      case flopsPerSecond = "flop_per_s"
    }

    public init(
      m: Int, k: Int, n: Int, threads: Int, precision: Precision = .fp32, isNormalised: Bool = false,
      flopsPerSecond: Double
    ) {
      self.m = m
      self.k = k
      self.n = n
      self.threads = threads
      self.precision = precision
      self.isNormalised = isNormalised
      self.flopsPerSecond = flopsPerSecond
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      m = try container.decode(Int.self, forKey: .m)
      k = try container.decode(Int.self, forKey: .k)
      n = try container.decode(Int.self, forKey: .n)
      threads = try container.decode(Int.self, forKey: .threads)
      precision = try container.decode(Precision.self, forKey: .precision)
      isNormalised = try container.decodeIfPresent(Bool.self, forKey: .isNormalised) ?? false
      flopsPerSecond = try container.decode(Double.self, forKey: .flopsPerSecond)
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(m, forKey: .m)
      try container.encode(k, forKey: .k)
      try container.encode(n, forKey: .n)
      try container.encode(threads, forKey: .threads)
      try container.encode(precision, forKey: .precision)
      if isNormalised { try container.encode(true, forKey: .isNormalised) }
      try container.encode(flopsPerSecond, forKey: .flopsPerSecond)
    }
  }

  /// The rate of reading and writing a working set over and over.
  public struct Stream: Sendable, Hashable, Codable {
    /// Size of the working set.
    public var bytes: Double
    public var threads: Int
    public var bytesPerSecond: Double

    enum CodingKeys: String, CodingKey {
      case bytes, threads
      case bytesPerSecond = "bytes_per_s"
    }

    public init(bytes: Double, threads: Int, bytesPerSecond: Double) {
      self.bytes = bytes
      self.threads = threads
      self.bytesPerSecond = bytesPerSecond
    }
  }

  /// An element-wise kernel on data in cache.
  public struct Elementwise: Sendable, Hashable, Codable {
    /// What is done with each element.
    public enum Kernel: String, Sendable, Hashable, Codable, CaseIterable {
      /// A row of scores: scaled, exponentiated, normalised.
      case softmax
      case gelu
      /// Residual sum and layer norm.
      case layerNorm = "layer_norm"
    }

    public var kernel: Kernel
    public var threads: Int
    public var elementsPerSecond: Double

    enum CodingKeys: String, CodingKey {
      case kernel, threads
      case elementsPerSecond = "elements_per_s"
    }

    public init(kernel: Kernel, threads: Int, elementsPerSecond: Double) {
      self.kernel = kernel
      self.threads = threads
      self.elementsPerSecond = elementsPerSecond
    }
  }

  /// A whole head of this project's kernels, one sequence: its products, softmax and own operation, q, k and v in cache.
  public struct Head: Sendable, Hashable, Codable {
    public var operation: HeadOperation
    public var headSize: Int
    public var length: Int
    /// Whether it adds relative scores.
    public var isRelative: Bool
    /// Heads run side by side on so many.
    public var threads: Int
    /// Time of many heads over their number.
    public var seconds: Double

    enum CodingKeys: String, CodingKey {
      case operation
      case headSize = "head_size"
      case length = "sequence_length"
      case isRelative = "relative"
      case threads, seconds
    }

    public init(
      operation: HeadOperation, headSize: Int, length: Int, isRelative: Bool, threads: Int, seconds: Double
    ) {
      self.operation = operation
      self.headSize = headSize
      self.length = length
      self.isRelative = isRelative
      self.threads = threads
      self.seconds = seconds
    }

    public init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let name = try container.decode(String.self, forKey: .operation)
      guard let operation = HeadOperation(name: name) else {
        throw DecodingError.dataCorruptedError(
          forKey: .operation, in: container, debugDescription: "\"\(name)\" is no head operation")
      }
      self.operation = operation
      headSize = try container.decode(Int.self, forKey: .headSize)
      length = try container.decode(Int.self, forKey: .length)
      isRelative = try container.decode(Bool.self, forKey: .isRelative)
      threads = try container.decode(Int.self, forKey: .threads)
      seconds = try container.decode(Double.self, forKey: .seconds)
    }

    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(operation.name, forKey: .operation)
      try container.encode(headSize, forKey: .headSize)
      try container.encode(length, forKey: .length)
      try container.encode(isRelative, forKey: .isRelative)
      try container.encode(threads, forKey: .threads)
      try container.encode(seconds, forKey: .seconds)
    }
  }

  /// Starting a kernel on that many threads and waiting for it.
  public struct Dispatch: Sendable, Hashable, Codable {
    public var threads: Int
    public var seconds: Double

    public init(threads: Int, seconds: Double) {
      self.threads = threads
      self.seconds = seconds
    }
  }

  /// The matrix library that ``products`` were measured with.
  public var library: String?
  public var products: [Product]
  public var streams: [Stream]
  public var elementwise: [Elementwise]
  public var dispatch: [Dispatch]
  /// Of the `native` runtime; where there are none, heads follow from ``products`` and ``elementwise``.
  public var heads: [Head]
  /// How fast the cores were meanwhile; empty where it was not looked at.
  public var paces: [Pace]
  /// How long maps wait for weights from memory; nil where it was not measured.
  public var weights: Weights?
  /// What one call of the runtime costs before any kernel runs.
  public var callSeconds: Double?
  /// What a head costs beside its kernels, a sequence: finding its columns, being scheduled.
  public var headSeconds: Double?
  /// The last cache that all threads share.
  public var cacheBytes: Double?
  public var provenance: Fact.Provenance
  public var source: String?

  enum CodingKeys: String, CodingKey {
    case library, products, streams, elementwise, dispatch, heads, paces, weights, provenance, source
    case callSeconds = "call_s"
    case headSeconds = "head_s"
    case cacheBytes = "cache_bytes"
  }

  public init(
    library: String? = nil, products: [Product] = [], streams: [Stream] = [], elementwise: [Elementwise] = [],
    dispatch: [Dispatch] = [], heads: [Head] = [], paces: [Pace] = [], weights: Weights? = nil,
    callSeconds: Double? = nil, headSeconds: Double? = nil,
    cacheBytes: Double? = nil,
    provenance: Fact.Provenance = .measured, source: String? = nil
  ) {
    self.library = library
    self.products = products
    self.streams = streams
    self.elementwise = elementwise
    self.dispatch = dispatch
    self.heads = heads
    self.paces = paces
    self.weights = weights
    self.callSeconds = callSeconds
    self.headSeconds = headSeconds
    self.cacheBytes = cacheBytes
    self.provenance = provenance
    self.source = source
  }

  /// Most entries of a list: as many as a file can sensibly hold.
  static let maximumEntries = 4096

  /// The number of threads that something was measured on which is nearest to one that is wanted, by their ratio; the smaller of two.
  static func nearest(_ wanted: Int, among counts: [Int]) -> Int? {
    func distance(_ count: Int) -> Double { abs(log(Double(count) / Double(wanted))) }
    return counts.min { (distance($0), $0) < (distance($1), $1) }
  }

  /// - Throws: `DecodingError` for a value that no device has, naming its place.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    library = try container.decodeIfPresent(String.self, forKey: .library)
    products = try container.decodeIfPresent([Product].self, forKey: .products) ?? []
    streams = try container.decodeIfPresent([Stream].self, forKey: .streams) ?? []
    elementwise = try container.decodeIfPresent([Elementwise].self, forKey: .elementwise) ?? []
    dispatch = try container.decodeIfPresent([Dispatch].self, forKey: .dispatch) ?? []
    heads = try container.decodeIfPresent([Head].self, forKey: .heads) ?? []
    paces = try container.decodeIfPresent([Pace].self, forKey: .paces) ?? []
    weights = try container.decodeIfPresent(Weights.self, forKey: .weights)
    callSeconds = try container.decodeIfPresent(Double.self, forKey: .callSeconds)
    headSeconds = try container.decodeIfPresent(Double.self, forKey: .headSeconds)
    cacheBytes = try container.decodeIfPresent(Double.self, forKey: .cacheBytes)
    provenance = try container.decode(Fact.Provenance.self, forKey: .provenance)
    source = try container.decodeIfPresent(String.self, forKey: .source)
    func reject(_ key: CodingKeys, _ index: Int?, _ problem: String) throws -> Never {
      let place = index.map { "\(key.rawValue) \($0): " } ?? ""
      throw DecodingError.dataCorrupted(
        .init(codingPath: container.codingPath + [key], debugDescription: place + problem))
    }
    let sizes = 1...1_000_000
    let rates = 1.0...1e18
    for (key, count) in [
      (CodingKeys.products, products.count), (.streams, streams.count), (.elementwise, elementwise.count),
      (.dispatch, dispatch.count), (.heads, heads.count), (.paces, paces.count),
    ] where count > Self.maximumEntries {
      try reject(key, nil, "holds \(count) entries; at most \(Self.maximumEntries) are read")
    }
    for (index, entry) in products.enumerated() {
      guard [entry.m, entry.k, entry.n].allSatisfy(sizes.contains) else {
        try reject(.products, index, "m, k and n must be in \(sizes)")
      }
      guard Settings.threadCounts.contains(entry.threads), rates.contains(entry.flopsPerSecond) else {
        try reject(.products, index, "threads or flop_per_s is not a value that a device can have")
      }
    }
    for (index, entry) in streams.enumerated()
    where
      !(entry.bytes >= 1 && entry.bytes <= 1e15 && Settings.threadCounts.contains(entry.threads)
      && rates.contains(entry.bytesPerSecond))
    {
      try reject(.streams, index, "bytes, threads or bytes_per_s is not a value that a device can have")
    }
    for (index, entry) in elementwise.enumerated()
    where !(Settings.threadCounts.contains(entry.threads) && rates.contains(entry.elementsPerSecond)) {
      try reject(.elementwise, index, "threads or elements_per_s is not a value that a device can have")
    }
    for (index, entry) in dispatch.enumerated()
    where !(Settings.threadCounts.contains(entry.threads) && entry.seconds >= 0 && entry.seconds <= 1) {
      try reject(.dispatch, index, "threads or seconds is not a value that a device can have")
    }
    for (index, entry) in paces.enumerated()
    where !(Settings.threadCounts.contains(entry.threads) && entry.seconds > 0 && entry.seconds <= 60) {
      try reject(.paces, index, "threads or seconds is not a value that a device can have")
    }
    for (index, entry) in heads.enumerated()
    where
      !(sizes.contains(entry.headSize) && sizes.contains(entry.length) && Settings.threadCounts.contains(entry.threads)
      && entry.seconds > 0 && entry.seconds <= 60)
    {
      try reject(.heads, index, "head_size, sequence_length, threads or seconds is not a value that a head can have")
    }
    if let problem = weights?.problem { try reject(.weights, nil, problem) }
    for (key, value) in [(CodingKeys.callSeconds, callSeconds), (.headSeconds, headSeconds)] {
      if let value, !(value >= 0 && value <= 60) { try reject(key, nil, "must be between 0 and 60 s") }
    }
    if let cacheBytes, !(cacheBytes >= 1 && cacheBytes <= 1e15) {
      try reject(.cacheBytes, nil, "is not a size that a cache can have")
    }
  }
}
