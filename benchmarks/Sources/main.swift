import Foundation

let usage = """
  usage: edgetwin-benchmarks fidelity BASELINE.json | learning | prior | suggest | speed | weights | calibration | host [FOLDER [SHARE] [STAGE…]] | noise M.jsonl… | search [SECONDS [PROBLEM…]] | published [SEEDS] | bounds [DEVICE,…] | sampler … | explore … | studies [TRIALS] | kernels --serve | training --serve
  EDGETWIN_DATA names the folder with the shared measurements; BASELINE.json is what bdt_baseline.py wrote.
  """

struct BenchmarkUsage: Error, CustomStringConvertible {
  var text: String
  var description: String { text }
}

do {
  switch (CommandLine.arguments.dropFirst().first, CommandLine.arguments.dropFirst(2).first) {
  case ("fidelity", let path?): try await FidelityBenchmark(baseline: path).run()
  case ("learning", _): try await LearningBenchmark().run()
  case ("weights", _): try WeightBenchmark().run()
  case ("speed", _): try SpeedBenchmark().run()
  case ("prior", _): try PriorBenchmark().run()
  case ("suggest", _): try await SuggestBenchmark().run()
  case ("search", let seconds):
    var benchmark = SearchBenchmark(longSeconds: seconds.flatMap(Double.init) ?? 600)
    let problems = CommandLine.arguments.dropFirst(3)
    if !problems.isEmpty { benchmark.problems = Array(problems) }
    try await benchmark.run()
  case ("studies", let trials): try StudyBenchmark(trials: trials.flatMap(Int.init) ?? 1_000_000).run()
  case ("bounds", let devices):
    var benchmark = BoundBenchmark()
    if let devices { benchmark.devices = devices.split(separator: ",").map(String.init) }
    try await benchmark.run()
  case ("published", let seeds):
    var benchmark = PublishedObjectiveBenchmark()
    if let seeds = seeds.flatMap(Int.init), seeds > 0 { benchmark.seeds = seeds }
    try benchmark.run()
  case ("sampler", let problem?):
    let rest = Array(CommandLine.arguments.dropFirst(3))
    guard rest.count == 4, let seed = UInt64(rest[1]), let count = Int(rest[2]), let batch = Int(rest[3]) else {
      FileHandle.standardError.write(Data("usage: sampler PROBLEM NAME SEED EVALUATIONS BATCH\n".utf8))
      exit(64)
    }
    try SamplerBenchmark(problem: problem).sampler(rest[0], seed: seed, evaluations: count, batch: max(batch, 1))
  case ("explore", let problem?):
    let rest = CommandLine.arguments.dropFirst(3).compactMap(Double.init)
    guard rest.count == 3 else {
      FileHandle.standardError.write(Data("usage: explore PROBLEM SECONDS SEED THREADS\n".utf8))
      exit(64)
    }
    try await SamplerBenchmark(problem: problem).explore(
      seconds: rest[0], seed: UInt64(rest[1]), threads: Int(rest[2]))
  case ("kernels", "--serve"): try KernelServer().run()
  case ("host", let folder):
    var benchmark = HostBenchmark(folder: folder ?? "benchmarks/.cache/host")
    var rest = CommandLine.arguments.dropFirst(3)
    if let share = rest.first.flatMap(Double.init) {
      benchmark.shorten(to: share)
      rest = rest.dropFirst()
    }
    let stages = rest.compactMap(HostBenchmark.Stage.init)
    guard stages.count == rest.count else {
      throw BenchmarkUsage(text: "stages are \(HostBenchmark.Stage.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    try benchmark.run(stages: stages)
  case ("noise", _?): try NoiseBenchmark(paths: Array(CommandLine.arguments.dropFirst(2))).run()
  case ("training", "--serve"): try TrainingServer().run()
  case ("calibration", _): try CalibrationBenchmark().run()
  default:
    FileHandle.standardError.write(Data((usage + "\n").utf8))
    exit(64)
  }
} catch {
  FileHandle.standardError.write(Data("edgetwin-benchmarks: \(error)\n".utf8))
  exit(1)
}
