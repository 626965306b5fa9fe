import CBoards
import Foundation

/// Which cores a measurement runs on.
public enum CoreAffinity {
  /// Cores that this thread may use now; empty where the system does not say.
  public static var allowed: [Int] {
    var cores = [Int32](repeating: 0, count: 1_024)
    let count = cboards_get_affinity(&cores, Int32(cores.count))
    return count > 0 ? cores.prefix(Int(count)).map(Int.init) : []
  }

  /// Binds this thread, and threads and processes that it starts from now on, to cores.
  /// - Throws: ``BoardError/pinning(problem:)``.
  public static func bind(_ cores: [Int]) throws(BoardError) {
    let result = cboards_set_affinity(cores.map(Int32.init), Int32(cores.count))
    guard result == 0 else {
      throw .pinning(
        problem: "\(String(cString: strerror(-result))) (cores \(cores.map(String.init).joined(separator: ",")))")
    }
  }

  /// The best `count` of the allowed cores: the fastest kind first, one thread a physical core before a second one, and the first core,
  /// which serves most interrupts, last of its kind.
  ///
  /// - Returns: fewer than `count` where there are not so many.
  public static func choice(_ count: Int, allowed: [Int], tree: SystemTree = SystemTree()) -> [Int] {
    let cpus = "sys/devices/system/cpu"
    func speed(_ core: Int) -> Double {
      tree.number("\(cpus)/cpu\(core)/cpu_capacity") ?? tree.number("\(cpus)/cpu\(core)/cpufreq/cpuinfo_max_freq") ?? 0
    }
    func place(_ core: Int) -> Int {
      let siblings = tree.text("\(cpus)/cpu\(core)/topology/thread_siblings_list").map(SystemTree.cores) ?? [core]
      // Of a physical core its highest number goes first.
      return siblings.filter { $0 > core && allowed.contains($0) }.count
    }
    let ranked = allowed.map { (core: $0, speed: speed($0), place: place($0)) }
    let order = ranked.sorted {
      ($0.place, -$0.speed, -$0.core) < ($1.place, -$1.speed, -$1.core)
    }
    // A second thread of a fast core is still slower than a slow core of its own, so the place counts first.
    return order.prefix(count).map(\.core).sorted()
  }
}
