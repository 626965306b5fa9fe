import Foundation

let usage = """
  usage: edgetwin-benchmarks fidelity BASELINE.json | learning | prior | suggest | speed | calibration | search [SECONDS [PROBLEM…]] | kernels --serve
  EDGETWIN_DATA names the folder with the shared measurements; BASELINE.json is what bdt_baseline.py wrote.
  """

do {
  switch (CommandLine.arguments.dropFirst().first, CommandLine.arguments.dropFirst(2).first) {
  case ("fidelity", let path?): try await FidelityBenchmark(baseline: path).run()
  case ("learning", _): try await LearningBenchmark().run()
  case ("speed", _): try SpeedBenchmark().run()
  case ("prior", _): try PriorBenchmark().run()
  case ("suggest", _): try await SuggestBenchmark().run()
  case ("search", let seconds):
    var benchmark = SearchBenchmark(longSeconds: seconds.flatMap(Double.init) ?? 600)
    let problems = CommandLine.arguments.dropFirst(3)
    if !problems.isEmpty { benchmark.problems = Array(problems) }
    try await benchmark.run()
  case ("kernels", "--serve"): try KernelServer().run()
  case ("host-steps", let threads?): try HostSteps().run(threads: Int(threads) ?? 1, seconds: 100)
  case ("host-whatif", _): try HostWhatIf().run(seconds: 80)
  case ("host-debug", let device?): try HostDebug().run(device: device, rows: CommandLine.arguments[3])
  case ("calibration", _): try CalibrationBenchmark().run()
  default:
    FileHandle.standardError.write(Data((usage + "\n").utf8))
    exit(64)
  }
} catch {
  FileHandle.standardError.write(Data("edgetwin-benchmarks: \(error)\n".utf8))
  exit(1)
}
