import Testing

@testable import ModelFiles

@Suite struct FolderLockTests {
  @Test func aFolderHasOneWriterAtATime() throws {
    let folder = try Folder()
    let path = folder.url.path
    let result = try FolderLock.hold(path) {
      #expect {
        try FolderLock.hold(path) {}
      } throws: {
        "\($0)".contains("another process works in this folder")
      }
      return 7
    }
    #expect(result == 7)
    // It is let go of, also after an error.
    #expect(throws: CancellationError.self) { try FolderLock.hold(path) { throw CancellationError() } }
    try FolderLock.hold(path) {}
    #expect(folder.contents == [])
  }

  @Test func whatIsNoFolderCannotBeKept() throws {
    let folder = try Folder()
    #expect(throws: ModelFileError.self) { try FolderLock.hold(folder.path("none")) {} }
    #expect(throws: ModelFileError.self) { try FolderLock.hold(try folder.write([1], to: "file")) {} }
  }
}
