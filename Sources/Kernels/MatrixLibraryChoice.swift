import CKernels
import Foundation

/// What can multiply the fp32 linear layers.
public enum MatrixLibraryChoice: String, Sendable, Hashable, CaseIterable {
  /// Packed kernels of this project, written for AVX2 and AVX-512.
  case edgetwin
  case onednn
  case openblas
  case accelerate

  /// The environment variable that chooses where ``SessionOptions/matrixLibrary`` does not.
  public static let environmentVariable = "EDGETWIN_MATRIX_LIBRARY"

  /// What the environment asks for; nil where it says nothing.
  ///
  /// - Throws: ``KernelError`` (kind `input`) for a name that is not known.
  static func environment(
    _ variables: [String: String] = ProcessInfo.processInfo.environment
  ) throws(KernelError) -> MatrixLibraryChoice? {
    guard let name = variables[environmentVariable], !name.isEmpty else { return nil }
    guard let choice = MatrixLibraryChoice(rawValue: name) else {
      throw KernelError(
        .input,
        "\(environmentVariable): matrix library \(name) is not known; take one of \(allCases.map(\.rawValue).joined(separator: ", "))"
      )
    }
    return choice
  }

  /// The library itself; nil for our own kernels.
  ///
  /// - Throws: ``KernelError`` (kind `machine`) where it is not installed.
  func open() throws(KernelError) -> UnsafePointer<edgetwin_library>? {
    guard self != .edgetwin else { return nil }
    guard let library = edgetwin_library_open(rawValue) else {
      throw KernelError(
        .machine, "matrix library \(rawValue) is not on this machine; install it, or take \(Self.edgetwin.rawValue)")
    }
    return library
  }

  /// The first library that is installed, for processors that our kernels are not written for.
  static func firstInstalled() -> UnsafePointer<edgetwin_library>? {
    for choice in [MatrixLibraryChoice.accelerate, .onednn, .openblas] {
      if let library = edgetwin_library_open(choice.rawValue) { return library }
    }
    return nil
  }
}
