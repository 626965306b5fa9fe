import Foundation

let usage = """
  usage: edgetwin-benchmarks fidelity BASELINE.json | learning | prior | suggest | speed | calibration | host [ROWS.jsonl [SHARE]] | search [SECONDS [PROBLEM…]] | studies [TRIALS] | kernels --serve
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
  case ("studies", let trials): try StudyBenchmark(trials: trials.flatMap(Int.init) ?? 1_000_000).run()
  case ("kernels", "--serve"): try KernelServer().run()
  case ("host", let rows):
    var benchmark = HostBenchmark()
    benchmark.rowsPath = rows
    if let share = CommandLine.arguments.dropFirst(3).first.flatMap(Double.init) { benchmark.shorten(to: share) }
    try benchmark.run()
  case ("calibration", _): try CalibrationBenchmark().run()
  default:
    FileHandle.standardError.write(Data((usage + "\n").utf8))
    exit(64)
  }
} catch {
  FileHandle.standardError.write(Data("edgetwin-benchmarks: \(error)\n".utf8))
  exit(1)
}
