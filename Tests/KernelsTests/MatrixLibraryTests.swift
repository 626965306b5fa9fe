import CKernels
import Testing

@testable import Kernels

/// Libraries that multiply the linear layers instead of our kernels.
@Suite struct MatrixLibraryTests {
  @Test(
    .enabled(if: !installedLibraries.isEmpty, "needs oneDNN, OpenBLAS or Accelerate"), arguments: installedLibraries,
    OutputHead.allCases)
  func agreesWithTheReference(library: MatrixLibraryChoice, head: OutputHead) throws {
    for name in fixtureNames {
      let fixture = try Fixture.named(name)
      let session = try fixture.session(head, SessionOptions(matrixLibrary: library))
      let values = try session.run(fixture.batch(fixture.everything))
      #expect(relativeError(values, fixture.expected(head)) <= 1e-5, "\(session.matrixLibrary), \(name)")
    }
  }

  /// More tokens and columns than a task has, so that the threads share them.
  @Test(
    .enabled(if: !installedLibraries.isEmpty, "needs oneDNN, OpenBLAS or Accelerate"), arguments: installedLibraries)
  func anyNumberOfThreadsGivesTheSameBits(library: MatrixLibraryChoice) throws {
    let fixture = try Fixture.named("relative")
    let many = (0..<30).flatMap { _ in fixture.everything }
    let batch = try fixture.batch(many)
    #expect(batch.tokenCount > 256)
    for head in OutputHead.allCases {
      let one = try fixture.session(head, batchSize: many.count, SessionOptions(matrixLibrary: library)).run(batch)
      let expected = (0..<30).flatMap { _ in fixture.expected(head) }
      #expect(relativeError(one, expected) <= 1e-5, "\(head)")
      for threads in 2...3 {
        let options = SessionOptions(threads: threads, matrixLibrary: library)
        let more = try fixture.session(head, batchSize: many.count, options).run(batch)
        #expect(bits(more) == bits(one), "\(head), \(threads) threads")
      }
    }
  }

  @Test(
    .enabled(if: !installedLibraries.isEmpty, "needs oneDNN, OpenBLAS or Accelerate"), arguments: installedLibraries)
  func theLibraryIsNamed(library: MatrixLibraryChoice) throws {
    let names: [MatrixLibraryChoice: String] = [.onednn: "oneDNN", .openblas: "OpenBLAS", .accelerate: "Accelerate"]
    let fixture = try Fixture.named("absolute")
    let session = try fixture.session(.mean, SessionOptions(matrixLibrary: library))
    #expect(session.matrixLibrary.name == names[library])
    #expect(session.profile().contains { $0.name.hasSuffix(": norm") })
    #expect(try fixture.session(.mean, SessionOptions(matrixLibrary: .edgetwin)).matrixLibrary.name == "edgetwin")
  }

  @Test func theEnvironmentChooses() throws {
    #expect(try MatrixLibraryChoice.environment([:]) == nil)
    #expect(try MatrixLibraryChoice.environment(["EDGETWIN_MATRIX_LIBRARY": ""]) == nil)
    #expect(try MatrixLibraryChoice.environment(["EDGETWIN_MATRIX_LIBRARY": "openblas"]) == .openblas)
    #expect(
      kernelMessage(.input) { try MatrixLibraryChoice.environment(["EDGETWIN_MATRIX_LIBRARY": "mkl"]) }
        == "EDGETWIN_MATRIX_LIBRARY: matrix library mkl is not known; take one of edgetwin, onednn, openblas, accelerate"
    )
    #expect(edgetwin_library_open("mkl") == nil)
    #if !os(macOS)
      #expect(
        kernelMessage(.machine) { try MatrixLibraryChoice.accelerate.open() }
          == "matrix library accelerate is not on this machine; install it, or take edgetwin")
    #endif
  }
}
