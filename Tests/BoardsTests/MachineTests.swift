import Architectures
import Foundation
import Testing

@testable import Boards

@Suite struct MachineTests {
  @Test func xeonWithFrequencies() throws {
    let cpuinfo = (0..<4).map {
      "processor\t: \($0)\nmodel name\t: Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz\ncpu MHz\t\t: 2500.000\n"
        + "flags\t\t: fpu sse4_2 avx avx2 fma avx512f avx512bw avx512vl avx512_vnni\n"
    }.joined(separator: "\n")
    var files = [
      "proc/cpuinfo": cpuinfo, "proc/loadavg": "0.52 0.58 0.59 1/467 12345",
      "proc/meminfo": "MemTotal:       16303428 kB\nMemFree: 100 kB\nMemAvailable:    8000000 kB",
      "proc/stat": "cpu  100 0 100 700 0 0 0 100 50 0\ncpu0 1 2 3", "proc/sys/kernel/osrelease": "6.1.0-13-amd64",
      "sys/class/thermal/thermal_zone0/type": "acpitz", "sys/class/thermal/thermal_zone0/temp": "27800",
      "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp", "sys/class/thermal/thermal_zone1/temp": "61000",
      "sys/devices/system/cpu/intel_pstate/no_turbo": "0", "sys/devices/virtual/dmi/id/product_name": "PowerEdge R640",
    ]
    for core in 0..<4 {
      let path = "sys/devices/system/cpu/cpu\(core)"
      files["\(path)/cpufreq/scaling_cur_freq"] = "\(2_000_000 + core * 100_000)"
      files["\(path)/cpufreq/scaling_governor"] = core == 3 ? "powersave" : "performance"
      files["\(path)/topology/thread_siblings_list"] = "\(core % 2),\(core % 2 + 2)"
    }
    let recorded = try RecordedTree(files)
    defer { recorded.remove() }
    let state = MachineState(recorded.tree)
    #expect(state.cpu == "Intel(R) Xeon(R) Gold 6248 CPU @ 2.50GHz" && state.cores == 4 && state.threadsPerCore == 2)
    #expect(
      state.instructionSets == ["sse4_2", "avx", "fma", "avx2", "avx512f", "avx512bw", "avx512vl", "avx512_vnni"])
    #expect(state.clocksHertz == [2e9, 2.1e9, 2.2e9, 2.3e9] && state.governors == ["performance", "powersave"])
    #expect(state.load == 0.52 && state.temperature == 61 && state.hottestZone == "x86_pkg_temp")
    #expect(state.stolenShare == 0.1 && state.isBoosting == true && state.kernel == "6.1.0-13-amd64")
    #expect(state.memoryBytes == 16_303_428 * 1_024 && state.availableMemoryBytes == 8_000_000 * 1_024)
    #expect(state.environment["clock_mhz"] == "2000-2300" && state.environment["boost"] == "on")
    let one = MachineState(recorded.tree, cores: [3])
    #expect(one.environment["clock_mhz"] == "2300" && one.governors == ["powersave"])
    // Physical cores are {0, 2} and {1, 3}: two threads take one thread of each.
    #expect(CoreAffinity.choice(2, allowed: [0, 1, 2, 3], tree: recorded.tree) == [2, 3])
    #expect(CoreAffinity.choice(3, allowed: [0, 1, 2, 3], tree: recorded.tree) == [1, 2, 3])
    #expect(CoreAffinity.choice(2, allowed: [0, 2], tree: recorded.tree) == [0, 2])
    #expect(CoreAffinity.choice(9, allowed: [0, 1], tree: recorded.tree) == [0, 1])
  }

  @Test func raspberryPi() throws {
    let core =
      "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\n"
      + "CPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n"
    let recorded = try RecordedTree([
      "proc/cpuinfo": core + core.replacing(": 0\nB", with: ": 1\nB"),
      "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.4\0",
      "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "1500000",
      "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "ondemand",
      "sys/class/thermal/thermal_zone0/type": "cpu-thermal", "sys/class/thermal/thermal_zone0/temp": "48199",
    ])
    defer { recorded.remove() }
    let state = MachineState(recorded.tree)
    #expect(state.cpu == "Cortex-A72" && state.board == "Raspberry Pi 4 Model B Rev 1.4" && state.cores == 2)
    #expect(state.instructionSets == ["asimd"] && state.clocksHertz == [1.5e9] && state.load == nil)
    #expect(state.environment["temperature_c"] == "48.2" && state.environment["load_average"] == nil)
  }

  @Test func bigCoresAreTakenFirst() throws {
    var files: [String: String] = [:]
    for core in 0..<8 {
      files["sys/devices/system/cpu/cpu\(core)/cpu_capacity"] = core < 4 ? "414" : "1024"
      files["sys/devices/system/cpu/cpu\(core)/topology/thread_siblings_list"] = "\(core)"
    }
    let recorded = try RecordedTree(files)
    defer { recorded.remove() }
    #expect(CoreAffinity.choice(2, allowed: Array(0..<8), tree: recorded.tree) == [6, 7])
    #expect(CoreAffinity.choice(5, allowed: Array(0..<8), tree: recorded.tree) == [3, 4, 5, 6, 7])
  }

  @Test func nothingReadableIsNoError() throws {
    let recorded = try RecordedTree([:])
    defer { recorded.remove() }
    let state = MachineState(recorded.tree)
    #expect(state.cores > 0 && state.clocksHertz.isEmpty && state.temperature == nil && state.stolenShare == nil)
    #expect(Meters.all(recorded.tree).isEmpty)
    #expect(SystemTree.cores("0-2,5, 7-6,x,9") == [0, 1, 2, 5, 9])
  }

  @Test(.enabled(if: !CoreAffinity.allowed.isEmpty, "the system does not bind threads to cores"))
  func bindingHoldsForThisThread() throws {
    let before = CoreAffinity.allowed
    let core = try #require(before.last)
    try CoreAffinity.bind([core])
    #expect(CoreAffinity.allowed == [core])
    try CoreAffinity.bind(before)
    #expect(CoreAffinity.allowed == before)
    #expect(throws: BoardError.self) { try CoreAffinity.bind([1_000_000]) }
  }
}

@Suite struct MeterTests {
  @Test func packagesAndThePlatformAreFound() throws {
    let zone = "sys/class/powercap"
    let recorded = try RecordedTree([
      "\(zone)/intel-rapl/enabled": "1", "\(zone)/intel-rapl:0/name": "package-0",
      "\(zone)/intel-rapl:0/energy_uj": "1000000", "\(zone)/intel-rapl:0/max_energy_range_uj": "262143328850",
      "\(zone)/intel-rapl:0:0/name": "core", "\(zone)/intel-rapl:0:0/energy_uj": "5",
      "\(zone)/intel-rapl:1/name": "psys", "\(zone)/intel-rapl:1/energy_uj": "7000000",
      // The same package by another driver.
      "\(zone)/intel-rapl-mmio:0/name": "package-0", "\(zone)/intel-rapl-mmio:0/energy_uj": "9",
    ])
    defer { recorded.remove() }
    let meters = Meters.all(recorded.tree)
    #expect(meters.map(\.name) == ["powercap psys", "powercap package-0"])
    #expect(meters.map(\.scope) == [.board, .package] && meters.allSatisfy { $0.idleIncluded })
    #expect(try meters[0].read() == .energy(joules: 7, modulusJoules: nil))
    #expect(try meters[1].read() == .energy(joules: 1, modulusJoules: 262_143_328_850 * 1e-6))
  }

  @Test func packagesOfSeveralSocketsAreSummed() throws {
    let zone = "sys/class/powercap"
    let recorded = try RecordedTree([
      "\(zone)/intel-rapl:0/name": "package-0", "\(zone)/intel-rapl:0/energy_uj": "1000000",
      "\(zone)/intel-rapl:1/name": "package-1", "\(zone)/intel-rapl:1/energy_uj": "2500000",
    ])
    defer { recorded.remove() }
    let meters = Meters.all(recorded.tree)
    #expect(meters.map(\.name) == ["powercap packages"])
    #expect(try meters[0].read() == .energy(joules: 3.5, modulusJoules: nil))
  }

  @Test func jetsonNano() throws {
    let chip = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0"
    let recorded = try RecordedTree([
      "sys/bus/i2c/drivers/ina3221x/bind": "", "\(chip)/rail_name_0": "POM_5V_IN", "\(chip)/in_power0_input": "2847",
      "\(chip)/rail_name_1": "POM_5V_GPU", "\(chip)/in_power1_input": "40", "\(chip)/rail_name_2": "POM_5V_CPU",
      "\(chip)/in_power2_input": "682",
    ])
    defer { recorded.remove() }
    let meters = Meters.all(recorded.tree)
    #expect(meters.map(\.name) == ["ina3221 POM_5V_IN"] && meters[0].scope == .board)
    #expect(try meters[0].read() == .power(watts: 2.847))
  }

  @Test func jetsonOrinAndAGraphicsCard() throws {
    let recorded = try RecordedTree([
      "sys/class/hwmon/hwmon3/name": "ina3221", "sys/class/hwmon/hwmon3/in1_label": "VDD_IN",
      "sys/class/hwmon/hwmon3/in1_input": "5008", "sys/class/hwmon/hwmon3/curr1_input": "1000",
      "sys/class/hwmon/hwmon3/in2_label": "VDD_CPU_GPU_CV", "sys/class/hwmon/hwmon3/in2_input": "5000",
      "sys/class/hwmon/hwmon3/curr2_input": "200", "sys/class/hwmon/hwmon10/name": "amdgpu",
      "sys/class/hwmon/hwmon10/power1_average": "31000000", "sys/class/hwmon/hwmon1/name": "nvme",
      "sys/class/hwmon/hwmon1/power1_input": "1",
    ])
    defer { recorded.remove() }
    let meters = Meters.all(recorded.tree)
    #expect(meters.map(\.name) == ["ina3221 VDD_IN", "ina3221 VDD_CPU_GPU_CV", "hwmon amdgpu"])
    #expect(meters.map(\.scope) == [.board, .package, .accelerator])
    #expect(try meters[0].read() == .power(watts: 5.008))
    #expect(try meters[2].read() == .power(watts: 31))
    #expect(try Meters.named("hwmon amdgpu", recorded.tree).scope == .accelerator)
    do {
      _ = try Meters.named("x", recorded.tree)
      Issue.record("there is no such meter")
    } catch {
      #expect(
        error.description
          == "power meter x: is not there; known are ina3221 VDD_IN, ina3221 VDD_CPU_GPU_CV, hwmon amdgpu")
    }
  }

  @Test func energyIsIntegrated() throws {
    func samples(_ values: [(Double, MeterReading)]) -> MeterTrace {
      MeterTrace(values.map { MeterTrace.Sample(atSeconds: $0.0, reading: $0.1) })
    }
    // 2 W for a second, 4 W for a second; between the halves 3 J.
    let counter = samples([
      (0, .energy(joules: 98, modulusJoules: 100)), (1, .energy(joules: 0, modulusJoules: 100)),
      (2, .energy(joules: 4, modulusJoules: 100)),
    ])
    let use = try #require(counter.use(from: 0.5, to: 1.5))
    #expect(abs(use.joules - 3) < 1e-12 && use.peakWatts == 4 && use.intervalSeconds == 1)
    // A ramp from 0 to 10 W, trapezoids: exact.
    let ramp = samples((0...10).map { (Double($0), .power(watts: Double($0))) })
    #expect(abs((ramp.use(from: 0, to: 10)?.joules ?? 0) - 50) < 1e-12)
    #expect(ramp.use(from: 2, to: 4)?.peakWatts == 4)
    // A steady power goes on beyond the readings.
    let steady = samples([(1, .power(watts: 5)), (2, .power(watts: 5))])
    #expect(abs((steady.use(from: 0, to: 4)?.joules ?? 0) - 20) < 1e-12)
    #expect(samples([(1, .power(watts: 5))]).use(from: 0, to: 2) == nil)
    // A counter that starts again without saying where leaves its interval out.
    let reset = samples([
      (0, .energy(joules: 5, modulusJoules: nil)), (1, .energy(joules: 1, modulusJoules: nil)),
      (2, .energy(joules: 3, modulusJoules: nil)),
    ])
    #expect(abs((reset.use(from: 0, to: 2)?.joules ?? 0) - 4) < 1e-12)
  }

  @Test func seriesMeterEnergy() throws {
    struct Constant: Meter {
      let clock: FakeClock
      var name: String { "constant" }
      var scope: PowerScope { .board }
      var intervalSeconds: Double { 0.001 }
      func read() -> MeterReading { .energy(joules: 7 * clock.now(), modulusJoules: nil) }
    }
    let clock = FakeClock()
    let workload = FakeWorkload("a", clock) { _, _ in 0.02 }
    let result = SeriesMeasurer(
      plan: MeasuringProtocol(repeats: 4), clock: clock, meter: Constant(clock: clock)
    ).measure([workload])
    let summary = try #require(result.results[0]?.summary)
    #expect(abs((summary.callJoules ?? 0) - 0.14) < 1e-9 && abs((summary.peakWatts ?? 0) - 7) < 1e-6)
  }
}
