/// A published GLUE result of a plain encoder that the predictor is fitted on.
///
/// Only results that can be defended are here: the scores that EdgeTran's repository stores (raw dev means × 1.5, of models whose
/// loaded weights were overwritten) are not.
public struct PublishedScore: Sendable, Hashable {
  /// Rows of one group were trained by one recipe and scored on one scale. Groups differ by an offset that is fitted, so that a
  /// group informs how score depends on size, and only the reference group says how high scores are.
  public enum Group: Int, Sendable, Hashable, CaseIterable {
    /// Plain masked-LM BERT of several sizes, GLUE test server: the scale that predictions are given on.
    case bert
    /// ELECTRA (replaced-token detection), GLUE test server, score as published.
    case electra
    /// MiniLM (distilled from BERT-Base), dev scores, mean over five tasks.
    case miniLM

    /// The group whose scale predictions are given on.
    public static let reference = Group.bert
  }

  public var model: String
  public var group: Group
  public var layerCount: Int
  public var hiddenSize: Int
  public var headCount: Int
  public var feedForwardSize: Int
  /// Points, 0 to 100, on the group's scale.
  public var score: Double
  public var source: String

  public init(
    model: String, group: Group, layerCount: Int, hiddenSize: Int, headCount: Int, feedForwardSize: Int,
    score: Double, source: String
  ) {
    self.model = model
    self.group = group
    self.layerCount = layerCount
    self.hiddenSize = hiddenSize
    self.headCount = headCount
    self.feedForwardSize = feedForwardSize
    self.score = score
    self.source = source
  }
}

extension PublishedScore {
  /// Scores by task, in points; of a pair of metrics the larger, MNLI as the mean of matched and mismatched.
  ///
  /// Their mean over the eight tasks is the GLUE score as EdgeTran defines it: no WNLI, CoLA by Matthews' correlation.
  struct Tasks {
    var cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte: Double

    var mean: Double { (cola + sst2 + mrpc + stsb + qqp + mnli + qnli + rte) / 8 }
  }

  private static let turc = "GLUE test server; google-research/bert README, sizes of Turc et al. 2019"

  /// The rows that the predictor is fitted on.
  public static let fitted: [PublishedScore] = [
    bert(
      "BERT-Tiny", 2, 128, 2,
      Tasks(cola: 0, sst2: 83.2, mrpc: 81.1, stsb: 74.3, qqp: 83.4, mnli: 70.25, qnli: 81.5, rte: 57.2), turc),
    bert(
      "BERT-Mini", 4, 256, 4,
      Tasks(cola: 0, sst2: 85.9, mrpc: 81.1, stsb: 75.4, qqp: 86.2, mnli: 74.55, qnli: 84.1, rte: 57.9), turc),
    bert(
      "BERT-Small", 4, 512, 8,
      Tasks(cola: 27.8, sst2: 89.7, mrpc: 83.4, stsb: 78.8, qqp: 87.0, mnli: 77.3, qnli: 86.4, rte: 61.8), turc),
    bert(
      "BERT-Medium", 8, 512, 8,
      Tasks(cola: 38.0, sst2: 89.6, mrpc: 86.6, stsb: 80.4, qqp: 87.9, mnli: 79.55, qnli: 87.7, rte: 62.2), turc),
    bert(
      "BERT-Base", 12, 768, 12,
      Tasks(cola: 52.1, sst2: 93.5, mrpc: 88.9, stsb: 85.8, qqp: 89.2, mnli: 84.0, qnli: 90.5, rte: 66.4),
      "GLUE test server; Devlin et al. 2019, table 1; QQP accuracy (the paper has F1) as the leaderboard shows it"),
    PublishedScore(
      model: "ELECTRA-Small", group: .electra, layerCount: 12, hiddenSize: 256, headCount: 4, feedForwardSize: 1024,
      score: 77.4, source: electra),
    PublishedScore(
      model: "ELECTRA-Base", group: .electra, layerCount: 12, hiddenSize: 768, headCount: 12, feedForwardSize: 3072,
      score: 82.7, source: electra),
    PublishedScore(
      model: "ELECTRA-Large", group: .electra, layerCount: 24, hiddenSize: 1024, headCount: 16, feedForwardSize: 4096,
      score: 85.2, source: electra),
    miniLM("MiniLM-L12-H384", 12, mnli: 85.7, sst2: 93.0, qnli: 91.5, cola: 58.5, rte: 73.3),
    miniLM("MiniLM-L6-H384", 6, mnli: 83.3, sst2: 91.5, qnli: 90.5, cola: 47.5, rte: 68.8),
  ]

  private static let electra = "GLUE test server; google-research/electra README"

  private static func bert(
    _ model: String, _ layers: Int, _ hidden: Int, _ heads: Int, _ tasks: Tasks, _ source: String
  ) -> PublishedScore {
    PublishedScore(
      model: model, group: .bert, layerCount: layers, hiddenSize: hidden, headCount: heads,
      feedForwardSize: 4 * hidden, score: tasks.mean, source: source)
  }

  private static func miniLM(
    _ model: String, _ layers: Int, mnli: Double, sst2: Double, qnli: Double, cola: Double, rte: Double
  ) -> PublishedScore {
    PublishedScore(
      model: model, group: .miniLM, layerCount: layers, hiddenSize: 384, headCount: 12, feedForwardSize: 1536,
      score: (mnli + sst2 + qnli + cola + rte) / 5, source: "dev; Wang et al. 2020 (MiniLM)")
  }
}

/// A pair of encoders of the same size that differ in what their heads do: all that is published about kinds of heads in a form
/// that compares.
struct HeadKindHint: Sendable {
  /// Score with scaled dot-product attention, points.
  var attention: Double
  /// Score with the other kind alone.
  var replaced: Double
  var source: String

  /// FNet-Base against BERT-Base in the same paper: every attention sublayer replaced by a two-dimensional Fourier transform.
  static let fourier = HeadKindHint(
    attention: 83.3, replaced: 76.7, source: "GLUE dev; Lee-Thorp et al. 2021 (FNet), base sizes")
}
