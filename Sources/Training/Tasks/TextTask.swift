/// What a model is fine-tuned for: texts or pairs of texts, and a label or a number for each.
public struct TextTask: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// One of several labels, as spelled in the data; its class is its place in the list.
    case classification([String])
    /// A number, usually in a range.
    case regression(ClosedRange<Double>)
  }

  /// How the command line calls it, such as `sst2`.
  public let id: String
  /// How people call it, such as `SST-2`.
  public let name: String
  public let kind: Kind
  /// The official metrics; the task's score is their mean.
  public let metrics: [Metric]
  let layout: TaskLayout

  /// True where a row has two texts.
  public var isPaired: Bool { layout.isPaired }

  /// Width of the classifier.
  public var labelCount: Int {
    if case .classification(let labels) = kind { labels.count } else { 1 }
  }

  /// What the classifier's outputs are called; nil for regression.
  public var labelNames: [String]? {
    if case .classification(let labels) = kind { labels } else { nil }
  }

  /// A task by its id; case, hyphens and underscores do not matter.
  public static func named(_ text: String) -> TextTask? {
    let id = text.lowercased().filter { $0 != "-" && $0 != "_" }
    return all.first { $0.id == id }
  }
}

extension TextTask {
  private static let binary = Kind.classification(["0", "1"])
  private static let entailment = Kind.classification(["entailment", "not_entailment"])

  public static let sst2 = TextTask(
    id: "sst2", name: "SST-2", kind: binary, metrics: [.accuracy],
    layout: TaskLayout(texts: [["sentence"]], labels: ["label"], plain: [2: ([0], 1)]))

  public static let cola = TextTask(
    id: "cola", name: "CoLA", kind: binary, metrics: [.matthews],
    layout: TaskLayout(texts: [["sentence"]], labels: ["label"], plain: [2: ([0], 1), 3: ([2], 1), 4: ([3], 1)]))

  public static let stsb = TextTask(
    id: "stsb", name: "STS-B", kind: .regression(0...5), metrics: [.pearson, .spearman],
    layout: .pairs(labels: ["score", "label"], official: [10: ([7, 8], 9)]))

  public static let mrpc = TextTask(
    id: "mrpc", name: "MRPC", kind: binary, metrics: [.accuracy, .f1],
    layout: .pairs(
      [["#1 String", "#2 String"]], labels: ["Quality", "label"], official: [5: ([3, 4], 0)]))

  public static let qqp = TextTask(
    id: "qqp", name: "QQP", kind: binary, metrics: [.accuracy, .f1],
    layout: .pairs(
      [["question1", "question2"]], labels: ["is_duplicate", "label"], official: [6: ([3, 4], 5)], hasBrokenLines: true)
  )

  public static let mnli = TextTask(
    id: "mnli", name: "MNLI", kind: .classification(["entailment", "neutral", "contradiction"]), metrics: [.accuracy],
    layout: .pairs(labels: ["gold_label", "label"], official: [12: ([8, 9], 11), 16: ([8, 9], 15)]))

  public static let qnli = TextTask(
    id: "qnli", name: "QNLI", kind: entailment, metrics: [.accuracy],
    layout: .pairs([["question", "sentence"]], labels: ["label"], official: [:]))

  public static let rte = TextTask(
    id: "rte", name: "RTE", kind: entailment, metrics: [.accuracy], layout: .pairs(labels: ["label"], official: [:]))

  public static let wnli = TextTask(
    id: "wnli", name: "WNLI", kind: binary, metrics: [.accuracy], layout: .pairs(labels: ["label"], official: [:]))

  /// Which class of WordNet's nouns a gloss describes: for machines without GLUE (``WordNet``).
  public static let wordnet = TextTask(
    id: "wordnet", name: "WordNet noun classes", kind: .classification(WordNet.nounClasses), metrics: [.accuracy],
    layout: TaskLayout(texts: [["gloss"]], labels: ["class"], plain: [2: ([0], 1)]))

  /// The tasks of GLUE (Wang et al. 2019), then WordNet's.
  public static let all = [cola, sst2, mrpc, stsb, qqp, mnli, qnli, rte, wnli, wordnet]
}

/// Where the columns of a task's table are.
struct TaskLayout: Sendable, Hashable {
  struct Columns: Sendable, Hashable {
    var texts: [Int]
    var label: Int
  }

  /// Names of the text columns in a header, in the order of preference.
  let texts: [[String]]
  /// Names of the label column, likewise.
  let labels: [String]
  /// Columns of a table without a header, by how many it has.
  let plain: [Int: Columns]
  /// The official file has lines that end too soon, which everybody leaves out.
  let hasBrokenLines: Bool

  var isPaired: Bool { texts[0].count == 2 }

  init(texts: [[String]], labels: [String], plain: [Int: ([Int], Int)], hasBrokenLines: Bool = false) {
    self.hasBrokenLines = hasBrokenLines
    self.texts = texts
    self.labels = labels
    self.plain = plain.mapValues { Columns(texts: $0.0, label: $0.1) }
  }

  /// Two texts and a label, or an index before them; `official` are the columns of the original files.
  static func pairs(
    _ texts: [[String]] = [], labels: [String], official: [Int: ([Int], Int)], hasBrokenLines: Bool = false
  ) -> TaskLayout {
    TaskLayout(
      texts: texts + [["sentence1", "sentence2"]], labels: labels,
      plain: [3: ([0, 1], 2), 4: ([1, 2], 3)].merging(official) { $1 }, hasBrokenLines: hasBrokenLines)
  }
}
