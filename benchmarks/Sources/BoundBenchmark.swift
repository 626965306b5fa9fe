import CoSearch
import Foundation
import Twins
import Workbench

/// Certificates of the least cost on every calibrated device: how far what was found can be from the true least, and how long it takes.
struct BoundBenchmark {
  var devices = ["a100", "m1-pro-cpu", "m1-pro-gpu", "rpi4-cpu", "jetson-nano-cpu", "jetson-nano-gpu", "ncs2"]
  var accuracies: [Double?] = [nil, 72, 76, 80]

  /// A row is seen as soon as it is known, in a pipe too: some take minutes.
  private func show(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  func run() async throws {
    let setup = try SearchSetup(Problem(devices: devices), document: nil, library: .standard())
    show("| cost | least accuracy | device | least found | no model below | gap | boxes | time |")
    show("| --- | --- | --- | --- | --- | --- | --- | --- |")
    let clock = ContinuousClock()
    let begin = clock.now
    var gaps: [Double] = []
    for isEnergy in [false, true] {
      let unit = isEnergy ? "J" : "s"
      for accuracy in accuracies {
        for (index, device) in devices.enumerated() {
          guard let bound = CostBound(setup.evaluator, device: index) else { continue }
          let query = CostQuery(
            device: index, latencyWeight: isEnergy ? 0 : 1, energyWeight: isEnergy ? 1 : 0, minAccuracy: accuracy)
          let start = clock.now
          let known = try await CostCertificates.known(query, setup: setup, threads: 2)
          let certificate = bound.certificate(query, known: known)
          let seconds = (clock.now - start) / .seconds(1)
          gaps.append(certificate.gap)
          show(
            "| \(isEnergy ? "energy" : "latency") | \(accuracy.map { "\(Int($0))" } ?? "none") | \(device) | "
              + String(
                format: "%.4g \(unit) | %.4g \(unit) | %.1f %% | %d | %.2f s |", certificate.cost,
                certificate.lowerBound,
                100 * certificate.gap, certificate.boxes, seconds))
        }
      }
    }
    gaps.sort()
    guard let largest = gaps.last else { return }
    show(
      String(
        format: "\nGap: median %.1f %%, largest %.1f %%; %d of %d at most 1 %%; %.0f s in all.",
        100 * gaps[gaps.count / 2], 100 * largest, gaps.count { $0 <= 0.01 + 1e-9 }, gaps.count,
        (clock.now - begin) / .seconds(1)))
  }
}
