/// How much of a machine a power meter sees. Figures of different scopes do not compare.
public enum PowerScope: String, Sendable, Hashable, Codable, CaseIterable {
  /// The whole board, as at its supply.
  case board
  /// Processor package: CPU, GPU and memory controller.
  case package
  /// The accelerator chip.
  case accelerator
  /// A card or module with its memory, without the host.
  case module
}
