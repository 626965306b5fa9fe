import Foundation

extension Roofs {
  /// What linear maps wait for weights that the last cache does not hold.
  ///
  /// A map of few tokens is through with its weights before memory has brought the next; one of many computes meanwhile. ``products`` are
  /// timed with weights in cache, and a model whose weights are more waits by so much for each byte.
  public struct Weights: Sendable, Hashable, Codable {
    /// Of a map with so many rows, how much longer a call takes for each byte of its weights.
    public struct Wait: Sendable, Hashable, Codable {
      public var tokens: Int
      public var threads: Int
      public var secondsPerByte: Double

      enum CodingKeys: String, CodingKey {
        case tokens, threads
        case secondsPerByte = "s_per_byte"
      }

      public init(tokens: Int, threads: Int, secondsPerByte: Double) {
        self.tokens = tokens
        self.threads = threads
        self.secondsPerByte = secondsPerByte
      }
    }

    /// Weights up to which a cache that is shared with others holds all; and from which on it holds none when they are needed again.
    public var cachedBytes: Double
    public var streamedBytes: Double
    public var waits: [Wait]

    enum CodingKeys: String, CodingKey {
      case cachedBytes = "cached_bytes"
      case streamedBytes = "streamed_bytes"
      case waits
    }

    public init(cachedBytes: Double, streamedBytes: Double, waits: [Wait]) {
      self.cachedBytes = cachedBytes
      self.streamedBytes = streamedBytes
      self.waits = waits
    }

    /// What is wrong with the numbers, if anything is.
    var problem: String? {
      guard cachedBytes >= 0, streamedBytes > cachedBytes, streamedBytes <= 1e15 else {
        return "cached_bytes must be 0 or more, and streamed_bytes above it"
      }
      if waits.count > Roofs.maximumEntries { return "waits holds more than \(Roofs.maximumEntries) entries" }
      for (index, wait) in waits.enumerated()
      where
        !((1...1_000_000).contains(wait.tokens) && Settings.threadCounts.contains(wait.threads)
        && wait.secondsPerByte >= 0 && wait.secondsPerByte <= 1e-3)
      {
        return "waits \(index): tokens, threads or s_per_byte is not a value that a device can have"
      }
      return nil
    }

    /// Seconds a byte on the measured number of threads that is nearest, between and beyond measured numbers of rows as at them.
    func secondsPerByte(tokens: Double, threads: Int) -> Double? {
      guard let count = Roofs.nearest(threads, among: waits.map(\.threads)) else { return nil }
      let own = waits.filter { $0.threads == count }.sorted { $0.tokens < $1.tokens }
      guard let first = own.first, let last = own.last else { return nil }
      if tokens <= Double(first.tokens) { return first.secondsPerByte }
      guard let upper = own.firstIndex(where: { Double($0.tokens) > tokens }) else { return last.secondsPerByte }
      let (a, b) = (own[upper - 1], own[upper])
      let share = log(tokens / Double(a.tokens)) / log(Double(b.tokens) / Double(a.tokens))
      return (1 - share) * a.secondsPerByte + share * b.secondsPerByte
    }
  }
}
