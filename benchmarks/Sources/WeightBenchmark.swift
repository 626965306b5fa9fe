import Foundation
import Kernels
import Numerics

/// What linear maps wait for their weights: the same map with weights that are spread over more and more memory. Prints Markdown.
struct WeightBenchmark {
  var threads = [1, 2]
  var rows = [16, 32, 64, 128, 256]
  var maps = [(256, 256), (512, 512), (768, 768), (256, 1_024)]
  var megabytes = [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64]
  var rounds = 7

  func run() throws {
    for count in threads {
      let bench = try KernelBench(threads: count)
      print("\nThreads: \(count). Time against weights of 2 MB; picoseconds of difference a byte of weights.\n")
      print("| rows | map | \(megabytes.map { "\($0) MB" }.joined(separator: " | ")) |")
      print("| ---: | --- |\(String(repeating: " ---: |", count: megabytes.count))")
      for rows in rows {
        for (inputs, outputs) in maps {
          let probes = try megabytes.map {
            try KernelProbe(
              .linear(rows: rows, inputs: inputs, outputs: outputs, epilogue: .none, weightBytes: $0 << 20),
              bench: bench)
          }
          var times = [[Double]](repeating: [], count: probes.count)
          for _ in 0..<rounds {
            for (index, probe) in probes.enumerated() {
              let kernels = max(1, (megabytes[index] << 20) / (4 * inputs * outputs))
              probe.run(kernels: kernels)
              times[index].append(probe.seconds(kernels: max(kernels, 8)))
            }
          }
          let fastest = times.map { $0.min() ?? .nan }
          let base = fastest[1]
          let cells = fastest.map {
            String(format: "%.2f (%.0f)", $0 / base, ($0 - base) / Double(4 * inputs * outputs) * 1e12)
          }
          print("| \(rows) | \(inputs)×\(outputs) | \(cells.joined(separator: " | ")) |")
        }
      }
    }
  }
}
