import Foundation

/// What `/proc/cpuinfo` says, on x86 and ARM.
struct CPUInfo {
  private(set) var name: String?
  private(set) var count = 0
  private(set) var instructionSets: [String] = []
  /// Clock by core, where the file tells.
  private(set) var megahertz: [Int: Double] = [:]

  /// Those that matrix kernels choose by, narrow to wide.
  private static let interesting = [
    "sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16",
    "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimdhp", "fphp", "asimddp", "i8mm", "bf16", "sve",
    "sve2",
    "sme",
  ]

  /// Cores of ARM, by implementer and part number (Arm Ltd. and Nvidia).
  private static let parts: [String: String] = [
    "0x41/0xd03": "Cortex-A53", "0x41/0xd04": "Cortex-A35", "0x41/0xd05": "Cortex-A55", "0x41/0xd07": "Cortex-A57",
    "0x41/0xd08": "Cortex-A72", "0x41/0xd09": "Cortex-A73", "0x41/0xd0a": "Cortex-A75", "0x41/0xd0b": "Cortex-A76",
    "0x41/0xd0c": "Neoverse-N1", "0x41/0xd40": "Neoverse-V1", "0x41/0xd41": "Cortex-A78", "0x41/0xd42": "Cortex-A78AE",
    "0x41/0xd44": "Cortex-X1", "0x41/0xd49": "Neoverse-N2", "0x41/0xd4f": "Neoverse-V2", "0x4e/0x004": "Carmel",
  ]

  init(_ text: String) {
    var core = 0
    var arm: [String] = []
    var implementer = ""
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard parts.count == 2, !parts[1].isEmpty else { continue }
      switch parts[0] {
      case "processor":
        core = Int(parts[1]) ?? count
        count += 1
      case "model name": if name == nil { name = parts[1] }
      case "cpu MHz": megahertz[core] = Double(parts[1])
      case "flags", "Features":
        if instructionSets.isEmpty {
          let flags = Set(parts[1].split(separator: " ").map(String.init))
          instructionSets = Self.interesting.filter(flags.contains)
        }
      case "CPU implementer": implementer = parts[1]
      case "CPU part":
        let key = "\(implementer)/\(parts[1])"
        let part = Self.parts[key] ?? "ARM \(key)"
        if !arm.contains(part) { arm.append(part) }
      default: break
      }
    }
    // ARM's own `model name`, where there is one, says less than the part.
    if !arm.isEmpty { name = arm.joined(separator: " + ") }
  }
}
