import Architectures
import ArgumentParser
import Boards
import Foundation
import GrowAndPrune
import Measurements
import Studies
import Training
import Twins
import Workbench

import struct Measurements.Measurement

/// The last part of `run`: a root in the manner of this machine's fastest finalist, trained, refined and measured here.
struct HostRefinement {
  var result: MainJob.DeviceResult
  var inputs: (train: TaskData, dev: TaskData, profile: RefinementConfiguration)
  var options: RunRefinementOptions
  /// How many finalists there are to take the fastest of.
  var finalists: Int
  var seed: UInt64
  var threads: Int
  /// Keeps the tree and what is measured.
  var study: Study?

  func run(format: RecordFormat) async throws {
    let chosen = result.exploration.finalists(count: finalists)
    guard
      let fastest = chosen.min(by: { $0.costs.latencySeconds.median < $1.costs.latencySeconds.median })
    else {
      Console.say("nothing is trained and refined: this machine has no finalist")
      return
    }
    let folder =
      options.output ?? FileManager.default.temporaryDirectory.appending(path: "edgetwin-run-\(UUID().uuidString)").path
    defer { if options.output == nil { try? FileManager.default.removeItem(atPath: folder) } }
    let job = MainJobRefinement(
      MainJobRefinement.Options(
        train: inputs.train, dev: inputs.dev, profile: inputs.profile, trainingSeconds: 0.4 * options.refinementTime,
        refiningSeconds: 0.6 * options.refinementTime, trainingSteps: options.trainingSteps, speedUp: options.speedUp,
        seed: seed, threads: min(threads, 256), folder: folder),
      twin: result.twin)
    let finalist = result.setup.space.architecture(of: fastest.point)
    let name = inputs.train.task.metrics.count == 1 ? inputs.train.task.metrics[0].rawValue : "score"
    var report = try await Interrupt.cancelling { () throws -> RefinementReport? in
      let display = RefinementDisplay(scoreName: name)
      let training = TrainingDisplay()
      do {
        return try job.run(finalist) { event in
          switch event {
          case .note(let text):
            Console.endProgress()
            Console.say(text)
          case .training(let progress): _ = training.show(progress)
          case .refining(let event): try display.show(event)
          }
        }
      } catch is CancellationError {
        return nil
      }
    }
    Console.endProgress()
    guard report != nil else {
      Console.complain("stopped before the end: what was trained is not whole")
      throw ExitCode(Failure.interrupted)
    }
    if let outcome = report?.outcome { try study?.keep(outcome, name: "run") }
    let measured = try await measured(report)
    report?.take(measured.rows)
    guard let report else { return }
    if format == .table {
      try Console.write("\n" + report.text)
    } else {
      try Console.write([report.record], format: format)
    }
    if let output = options.output {
      try Console.write(report.record.json + "\n", to: output + "/report.json")
      try Console.write(report.text, to: output + "/report.txt")
      Console.say("\(output): the report, root and refined models, and the tree")
    }
    if measured.wasStopped { throw ExitCode(Failure.interrupted) }
  }

  /// Both models, as finalists are measured.
  private func measured(_ report: RefinementReport?) async throws -> (rows: [Measurement], wasStopped: Bool) {
    guard let report else { return ([], false) }
    let work = try LocalWork(result.twin, runtime: .native)
    let job = LocalJob(work: work, plan: .ofFinalists(result.twin))
    let collected = MeasuredRows(study: study)
    let models = [report.root.architecture] + [report.refined?.architecture].compactMap(\.self)
    let found = try await Interrupt.cancelling {
      try await job.measure(models) { _, row in try collected.add(row) }
    }
    Console.endProgress()
    for failure in found.failures { Console.complain("\(failure.error)") }
    return (collected.rows, found.wasStopped)
  }
}
