/// A dictionary that is written in the order of its keys, so that the same value always gives the same text.
struct SortedByKey<Value: Encodable>: Encodable {
  private let values: [String: Value]

  init(_ values: [String: Value]) { self.values = values }

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for (key, value) in values.sorted(by: { $0.key < $1.key }) {
      try container.encode(value, forKey: Key(stringValue: key))
    }
  }
}
