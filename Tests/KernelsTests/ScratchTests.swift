import Testing
@testable import Kernels
@Test func placeholder() {}
