import CKernels

/// What multiplies the linear layers, as it is written into every measurement.
public struct MatrixLibrary: Sendable, Hashable, CustomStringConvertible {
  public var name: String
  public var version: String
  /// Instruction set or core that it computes with.
  public var core: String

  public init(name: String, version: String, core: String) {
    self.name = name
    self.version = version
    self.core = core
  }

  init(kernels: UnsafePointer<edgetwin_kernels>, library: UnsafePointer<edgetwin_library>?) {
    guard let library else {
      self.init(name: "edgetwin", version: "", core: String(cString: kernels.pointee.name))
      return
    }
    self.init(
      name: String(cString: library.pointee.name), version: String(cString: library.pointee.version),
      core: String(cString: library.pointee.core))
  }

  public var description: String {
    [name, version, core.isEmpty ? "" : "(\(core))"].filter { !$0.isEmpty }.joined(separator: " ")
  }
}
