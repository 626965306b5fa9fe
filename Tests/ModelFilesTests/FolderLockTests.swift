import Foundation
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

  /// What a killed process was writing goes; what a living one writes, and files of other names, stay.
  @Test func leftoversGo() throws {
    let folder = try Folder()
    let process = Process()
    process.executableURL = URL(filePath: "/bin/true")
    try process.run()
    process.waitUntilExit()
    let living = "checkpoint.\(getpid())-7.part"
    for name in ["checkpoint.\(process.processIdentifier)-7.part", living, "a.part", "checkpoint"] {
      _ = try folder.write([1], to: name)
    }
    AtomicFile.removeLeftovers(in: folder.url.path)
    #expect(folder.contents.sorted() == ["a.part", "checkpoint", living])
  }

  @Test func whatIsNoFolderCannotBeKept() throws {
    let folder = try Folder()
    #expect(throws: ModelFileError.self) { try FolderLock(folder.path("none")) }
    #expect(throws: ModelFileError.self) { try FolderLock(try folder.write([1], to: "file")) }
  }
}
