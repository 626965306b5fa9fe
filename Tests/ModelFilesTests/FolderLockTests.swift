import Testing

@testable import ModelFiles

@Suite struct FolderLockTests {
  @Test func aFolderHasOneWriterAtATime() throws {
    let folder = try Folder()
    let path = folder.url.path
    let lock = try FolderLock(path)
    #expect {
      try FolderLock(path)
    } throws: {
      "\($0)".contains("another process works in this folder")
    }
    lock.release()
    try FolderLock(path).release()
    #expect(folder.contents == [])
  }

  @Test func whatIsNoFolderCannotBeKept() throws {
    let folder = try Folder()
    #expect(throws: ModelFileError.self) { try FolderLock(folder.path("none")) }
    #expect(throws: ModelFileError.self) { try FolderLock(try folder.write([1], to: "file")) }
  }
}
