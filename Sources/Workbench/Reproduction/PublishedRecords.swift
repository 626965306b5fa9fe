import Architectures
import CoSearch
import Foundation

/// Figures that EdgeTran states or that its authors' repositories hold: facts, with where each is from.
///
/// Tuli and Jha, "EdgeTran: Device-Aware Co-Search of Transformers for Efficient Inference on Mobile Edge Platforms", IEEE TMC 23(6),
/// 2024, arXiv 2303.13745; repositories jha-lab/edgetran and JHA-Lab/protran (BSD-3).
public enum PublishedRecords {
  /// What the abstract claims of the model that was found, on the Apple M1's GPU, against BERT-Base on an Nvidia A100.
  enum Claim: String, Sendable, CaseIterable {
    case parameters, accuracy, latency, energy
    case peakPower = "peak_power"

    /// How many times less; for accuracy points more.
    var published: Double {
      switch self {
      case .parameters: 2.8
      case .accuracy: 0.8
      // 15.0 % less.
      case .latency: 1 / 0.85
      case .energy: 10.0
      case .peakPower: 10.8
      }
    }

    var text: String {
      switch self {
      case .parameters: "size 2.8× smaller"
      case .accuracy: "GLUE +0.8 points"
      case .latency: "latency −15.0 %"
      case .energy: "energy 10.0× less"
      case .peakPower: "peak power 10.8× less"
      }
    }

    var objective: Objective {
      switch self {
      case .parameters: .parameters
      case .accuracy: .accuracy
      case .latency: .latency
      case .energy: .energy
      case .peakPower: .peakPower
      }
    }

    var restsOn: String {
      switch self {
      case .parameters: "a count, of a model chosen by the accuracy data that do not hold (1, 2, 3)"
      case .accuracy: "the accuracy data that do not hold (1, 2)"
      case .latency: "timings that hold, of two runtimes; the model chosen by (1, 2, 3)"
      case .energy, .peakPower: "measurements that hold, of two power scopes; the model chosen by (1, 2, 3)"
      }
    }
  }

  /// What a notebook of theirs prints for BERT-Base on the A100: one draw of a noisy surrogate.
  static let notebookBaseline = (latencySeconds: 0.01048, energyJoules: 0.618, peakPowerWatts: 194.5)

  /// BERT-Base's scores that can be defended: GLUE's test server (Devlin et al. 2019, eight tasks), dev (Hugging Face).
  static let bertBaseTestScore = 79.6

  static let cautions = [
    "Stored \"GLUE\" is the mean of eight dev scores × 1.5 (raw 0.468 to 0.559): as absolute accuracy it means nothing.",
    "Four of the sixteen pre-trained models diverged (loss 7.7) and score like the others; fine-tuning saved fresh weights over the"
      + " loaded checkpoint, so that the scores seem to be of models trained from scratch.",
    "The objective divides latency by 1000 s and energy by 2000 J: that number, and the peak power, decide the search.",
  ]

  /// One published search, as `edgetran/codesign_results.json` has it.
  package struct Run: Sendable, Hashable {
    package var name: String
    /// Least value of its own queries, on their scale.
    package var best: Double
    package var seconds: Double
    /// Its own queries, and those of them that were valid.
    var queries: Int
    var valid: Int
    var device: String
    /// What it chose; nil where the file is not at hand.
    var point: DesignPoint?
  }

  /// What is shown without the file. Queries beyond BOSHCODE's hundred are not its own: one literal, and a copy of Forest's.
  static let runs = [
    Run(
      name: "Random", best: 0.11379983591119258, seconds: 4.016301870346069, queries: 500, valid: 4,
      device: "m1-pro-gpu"),
    Run(
      name: "Forest", best: 0.09531136524188699, seconds: 602.6757445335388, queries: 500, valid: 377,
      device: "m1-pro-gpu"),
    Run(name: "GBRT", best: 0.10414720767340413, seconds: 550.2329385280609, queries: 500, valid: 274, device: "ncs2"),
    Run(
      name: "GP", best: 0.09791052448100701, seconds: 262_284.702177763, queries: 500, valid: 359, device: "m1-pro-gpu"),
    Run(
      name: "BOSHCODE", best: 0.11096423776316777, seconds: 112_823.4629380703, queries: 100, valid: 100, device: "ncs2"
    ),
  ]
  static let ownBOSHCODEQueries = 100
  /// Drawn in the paper's plot as BOSHCODE's, and in none of its queries.
  static let plottedBest = 0.0921
  /// Starting values were divided by this, queries were not.
  static let startingScale = 0.47274
  /// The best of the profiled pairs that every run started from, on the scale of the queries.
  static let bestProfiled = (value: 0.08720449425228816, model: "9f4a1d6d", device: "m1-pro-gpu")

  /// In the one-hot's order.
  static let devices = [
    "a100", "m1-pro-cpu", "m1-pro-gpu", "rpi4-cpu", "ncs2", "jetson-nano-cpu", "jetson-nano-gpu",
  ]
  static let deviceFolders = [
    "gpu_a100": "a100", "cpu_m1-pro": "m1-pro-cpu", "gpu_m1-pro": "m1-pro-gpu", "cpu_rpi": "rpi4-cpu",
    "npu_ncs": "ncs2", "cpu_jetson-nano": "jetson-nano-cpu", "gpu_jetson-nano": "jetson-nano-gpu",
  ]

  /// The published objective as a problem, as `benchmarks/problems/published.yaml` has it.
  public static let problem = Problem(
    devices: devices, includesStartup: true, objectives: [.accuracy, .latency, .energy, .peakPower],
    scalar: Scalarisation(
      weights: ObjectiveValues(accuracy: 0.5, latencySeconds: 0.2, energyJoules: 0.2, peakPowerWatts: 0.1),
      scales: ObjectiveValues(accuracy: 100, latencySeconds: 1000, energyJoules: 2000, peakPowerWatts: 300)))

  /// The published objective, 1 − P, to be minimised.
  /// - Parameter score: their "GLUE", 0 to 1.
  static func objective(score: Double, latencySeconds: Double, energyJoules: Double, peakPowerWatts: Double) -> Double {
    0.5 * (1 - score) + 0.2 * latencySeconds / 1000 + 0.2 * energyJoules / 2000 + 0.1 * peakPowerWatts / 300
  }
}
