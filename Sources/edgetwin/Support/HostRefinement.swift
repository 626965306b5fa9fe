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
  var inputs: RunRefinementInputs
  /// How many finalists there are to take the fastest of.
  var finalists: Int
  var seed: UInt64
  var threads: Int
  /// Keeps how far it has come, the tree and what is measured.
  var study: Study?

  func run(format: RecordFormat) async throws {
    guard let begun = try begun() else {
      Console.say("nothing is trained and refined: this machine has no finalist")
      return
    }
    let folder =
      inputs.folder ?? FileManager.default.temporaryDirectory.appending(path: "edgetwin-run-\(UUID().uuidString)").path
    defer { if inputs.folder == nil { try? FileManager.default.removeItem(atPath: folder) } }
    let plan = MainJobPlan(folder: folder, request: inputs.request, dataHash: inputs.dataHash, progress: begun)
    if let study, inputs.plan == nil { try plan.keep(in: study) }
    let request = inputs.request
    let job = MainJobRefinement(
      MainJobRefinement.Options(
        train: inputs.train, dev: inputs.dev, profile: inputs.configuration,
        trainingSeconds: 0.4 * request.refinementSeconds, refiningSeconds: 0.6 * request.refinementSeconds,
        trainingSteps: request.trainingSteps, speedUp: request.speedUp, seed: seed, threads: min(threads, 256),
        folder: folder),
      twin: result.twin)
    let name = inputs.train.task.metrics.count == 1 ? inputs.train.task.metrics[0].rawValue : "score"
    let study = study
    var report = try await Interrupt.cancelling { () throws -> RefinementReport? in
      let display = RefinementDisplay(scoreName: name)
      let training = TrainingDisplay()
      do {
        return try job.run(
          from: begun,
          keep: { progress in
            guard let study else { return }
            var now = plan
            now.progress = progress
            try now.keep(in: study)
          },
          tell: { event in
            switch event {
            case .note(let text):
              Console.endProgress()
              Console.say(text)
            case .training(let progress): _ = training.show(progress)
            case .refining(let event): try display.show(event)
            }
          })
      } catch is CancellationError {
        return nil
      } catch is TrainingStopped {
        return nil
      }
    }
    Console.endProgress()
    guard report != nil else {
      Console.complain(
        study == nil
          ? "stopped before the end: what was trained is not whole"
          : "stopped before the end: the same study goes on from there")
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
    if inputs.folder != nil {
      try Console.write(report.record.json + "\n", to: folder + "/report.json")
      try Console.write(report.text, to: folder + "/report.txt")
      Console.say("\(folder): the report, root and refined models, and the tree")
    }
    if measured.wasStopped { throw ExitCode(Failure.interrupted) }
  }

  /// Where it begins: at what the study keeps, or with the fastest finalist; nil where there is none.
  private func begun() throws -> MainJobPlan.Progress? {
    if let plan = inputs.plan {
      Console.say("going on in \(plan.folder) with a model like the finalist \(plan.progress.finalist.id)")
      return plan.progress
    }
    let chosen = result.exploration.finalists(count: finalists)
    return chosen.min(by: { $0.costs.latencySeconds.median < $1.costs.latencySeconds.median })
      .map { MainJobPlan.Progress(finalist: result.setup.space.architecture(of: $0.point)) }
  }

  /// Both models, as finalists are measured; what a study has already is not measured again.
  private func measured(_ report: RefinementReport?) async throws -> (rows: [Measurement], wasStopped: Bool) {
    guard let report else { return ([], false) }
    let work = try LocalWork(result.twin, runtime: .native)
    let job = LocalJob(work: work, plan: .ofFinalists(result.twin))
    let known = try study?.measurements().filter { work.matches($0, statistic: .init(of: result.twin)) } ?? []
    let done = Set(known.compactMap { $0.architecture?.id })
    let collected = MeasuredRows(study: study)
    let models = ([report.root.architecture] + [report.refined?.architecture].compactMap(\.self))
      .filter { !done.contains($0.id) }
    guard !models.isEmpty else { return (known, false) }
    let found = try await Interrupt.cancelling {
      try await job.measure(models) { _, row in try collected.add(row) }
    }
    Console.endProgress()
    for failure in found.failures { Console.complain("\(failure.error)") }
    return (known + collected.rows, found.wasStopped)
  }
}
