import Architectures
import Foundation
import Twins

/// The device files that can be named by their ids: those that come with the program, or a person's own.
public struct DeviceLibrary: Sendable {
  /// Folders that are looked through, in order; the first that has an id wins.
  public let folders: [String]

  /// A device file and where it was found.
  public struct Entry: Sendable {
    public var path: String
    public var file: DeviceFile
  }

  /// Environment variable that names the folder (or several, separated by colons).
  public static let variable = "EDGETWIN_DEVICES"
  private static let folderName = "device-models"

  public init(folders: [String]) {
    self.folders = folders
  }

  /// The library of this process: `EDGETWIN_DEVICES` where it is set; else `share/edgetwin/device-models` beside the program's `bin`;
  /// else the nearest `device-models` in a folder above the program; else one in the working folder.
  public static func standard(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    executable: String? = Bundle.main.executablePath,
    workingFolder: String = FileManager.default.currentDirectoryPath
  ) -> DeviceLibrary {
    if let named = environment[variable], !named.isEmpty {
      return DeviceLibrary(folders: named.split(separator: ":").map(String.init))
    }
    if let executable {
      let program = URL(filePath: executable).resolvingSymlinksInPath()
      var folder = program.deletingLastPathComponent()
      let installed = folder.deletingLastPathComponent().appending(path: "share/edgetwin/\(folderName)")
      if isFolder(installed.path) { return DeviceLibrary(folders: [installed.path]) }
      while folder.path != "/" {
        folder.deleteLastPathComponent()
        let candidate = folder.appending(path: folderName)
        if isFolder(candidate.path) { return DeviceLibrary(folders: [candidate.path]) }
      }
    }
    return DeviceLibrary(folders: [URL(filePath: workingFolder).appending(path: folderName).path])
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// Every device of the library, by id.
  /// - Throws: `InputFileError` where there is no folder, `YAMLFileError` where a file in it is wrong.
  public func entries() throws -> [Entry] {
    var found: [String: Entry] = [:]
    for path in try paths() {
      let entry = Entry(path: path, file: try DeviceFile(path: path))
      if found[entry.file.device.id] == nil { found[entry.file.device.id] = entry }
    }
    return found.values.sorted { $0.file.device.id < $1.file.device.id }
  }

  /// The device with an id, or in a file: what has a slash or ends in `.yaml` is a path, and `-` is standard input.
  /// - Parameter folder: what a relative path is relative to; nil is the working folder.
  /// - Throws: `InputFileError` or `YAMLFileError` for a file, `TwinError.unknownDevice` for an id.
  public func entry(_ name: String, relativeTo folder: URL? = nil) throws -> Entry {
    if name == "-", folder == nil { return Entry(path: name, file: try DeviceFile(path: name)) }
    if Self.isPath(name) {
      var path = name
      if let folder, !name.hasPrefix("/") { path = folder.appending(path: name).path }
      guard FileManager.default.fileExists(atPath: path) else {
        throw InputFileError(source: path, problem: "there is no such device file")
      }
      return Entry(path: path, file: try DeviceFile(path: path))
    }
    let paths = try paths()
    // Files are named by their ids; one that is not is found by what it says.
    if let path = paths.first(where: { URL(filePath: $0).deletingPathExtension().lastPathComponent == name }) {
      let entry = Entry(path: path, file: try DeviceFile(path: path))
      if entry.file.device.id == name { return entry }
    }
    var known: [String] = []
    for path in paths {
      guard let file = try? DeviceFile(path: path) else { continue }
      if file.device.id == name { return Entry(path: path, file: file) }
      known.append(file.device.id)
    }
    throw TwinError.unknownDevice(name, known: known.sorted())
  }

  static func isPath(_ name: String) -> Bool {
    let lower = name.lowercased()
    return name.contains("/") || lower.hasSuffix(".yaml") || lower.hasSuffix(".yml") || lower.hasSuffix(".json")
  }

  private func paths() throws -> [String] {
    var result: [String] = []
    for folder in folders {
      guard Self.isFolder(folder) else {
        throw InputFileError(
          source: folder,
          problem: "there is no such folder of device files; set \(Self.variable) to one, or give a device file's path")
      }
      let names: [String]
      do {
        names = try FileManager.default.contentsOfDirectory(atPath: folder)
      } catch {
        throw InputFileError(source: folder, problem: "cannot be listed: \(error.localizedDescription)")
      }
      result += names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map {
        URL(filePath: folder).appending(path: $0).path
      }
    }
    return result
  }
}

extension DeviceFile {
  /// The runtime to use where none is asked for: `protran` where it is calibrated, else another calibrated one, else `protran`, else the
  /// first by name.
  public var defaultRuntime: String {
    let names = runtimes.keys.sorted()
    let calibrated = names.filter { runtimes[$0]?.model != nil }
    let preferred = "protran"
    for list in [calibrated, names] where !list.isEmpty {
      return list.contains(preferred) ? preferred : list[0]
    }
    return preferred
  }

  /// Runtimes that were fitted to measurements.
  public var calibratedRuntimes: [String] { runtimes.keys.sorted().filter { runtimes[$0]?.model?.fit != nil } }
}
