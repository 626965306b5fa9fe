import Foundation
import Testing

/// From text to a model that is judged, as a user types it.
@Suite struct TrainingTests {
  let tool: Tool

  private static let architecture = """
    {"schema":"edgetwin.architecture/1","vocabulary_size":80,"maximum_positions":24,"type_vocabulary_size":2,\
    "position":"absolute","layers":[{"hidden_size":32,"heads":["sa_sdp","sa_wma"],"feed_forward":[48]},\
    {"hidden_size":24,"heads":["sa_sdp","sa_sdp"],"feed_forward":[32,40]}]}
    """

  /// Sentences whose last word is told by their second.
  private static let corpus = (0..<300).map { index in
    let (animal, sound) = [("cat", "meow"), ("dog", "woof"), ("cow", "moo"), ("duck", "quack")][index * 7 % 4]
    return "\(["the", "a", "this"][index % 3]) \(animal) \(["says", "said"][index / 3 % 2]) \(sound)"
  }

  init() throws {
    tool = try Tool()
    try tool.write(Self.architecture, to: "a.json")
    try tool.write(Self.corpus.joined(separator: "\n") + "\n", to: "c.txt")
    let rows = Self.corpus.map { "\($0)\t\($0.contains("cat") || $0.contains("dog") ? 1 : 0)\n" }
    try tool.write("sentence\tlabel\n" + rows.prefix(200).joined(), to: "train.tsv")
    try tool.write("sentence\tlabel\n" + rows.suffix(100).joined(), to: "dev.tsv")
  }

  private func tokenizer(_ kind: String = "wordpiece", size: Int = 80, to name: String = "t") throws {
    let made = try tool.run(
      "tokenizer", "train", "--corpus", "c.txt", "--vocabulary-size", "\(size)", "--kind", kind, "--output", name)
    #expect(made.status == 0, "\(made.errors)")
  }

  private func arguments(_ output: String, steps: Int = 300, _ more: String...) -> [String] {
    [
      "pretrain", "--corpus", "c.txt", "--architecture", "a.json", "--tokenizer", "t", "--steps", "\(steps)",
      "--batch-size", "8", "--seed", "3", "--learning-rate", "3e-3", "--output", output,
    ] + more
  }

  private func bytes(_ name: String) throws -> Data { try Data(contentsOf: tool.folder.appending(path: name)) }

  /// The log without its clock.
  private func log(_ folder: String) throws -> [String] {
    try tool.read("\(folder)/log.jsonl").split(separator: "\n").map {
      String($0.replacing(/"seconds":[0-9.e-]+/, with: ""))
    }
  }

  private func finetune(_ model: String, _ output: String, _ more: String...) throws -> Tool.Result {
    try tool.run(
      arguments: [
        "finetune", "--model", model, "--task", "sst2", "--train", "train.tsv", "--epochs", "3", "--batch-size", "16",
        "--learning-rate", "3e-3", "--seed", "1", "--output", output,
      ] + more)
  }

  @Test(arguments: ["wordpiece", "bpe"])
  func tokenisers(kind: String) throws {
    defer { tool.remove() }
    try tokenizer(kind, size: 300)
    try tokenizer(kind, size: 300, to: "again")
    for name in kind == "bpe" ? ["vocab.json", "merges.txt"] : ["vocab.txt"] {
      #expect(try bytes("t/\(name)") == bytes("again/\(name)"))
    }
    // A model folder with these files reads texts.
    #expect(try tool.run("init", "--architecture", "a.json", "--output", "m").status == 0)
    let big = Self.architecture.replacing("\"vocabulary_size\":80", with: "\"vocabulary_size\":300")
    try tool.write(big, to: "a.json")
    #expect(try tool.run("init", "--architecture", "a.json", "--output", "m").status == 0)
    for name in try FileManager.default.contentsOfDirectory(atPath: tool.path("t")) {
      try FileManager.default.copyItem(atPath: tool.path("t/\(name)"), toPath: tool.path("m/\(name)"))
    }
    let answer = try tool.run(
      "infer", "--model", "m", "--input", "-", "--head", "hidden", input: #"{"id":1,"text":"the cat says meow"}"# + "\n"
    )
    #expect(answer.status == 0, "\(answer.errors)")
    #expect((try answer.rows().first?["shape"] as? [Int] ?? [0])[0] >= 6)
  }

  /// Pre-training learns, fine-tuning learns, and the model is judged by what it predicts.
  @Test func fromTextToScore() throws {
    defer { tool.remove() }
    try tokenizer()
    let trained = try tool.run(arguments: arguments("m"))
    #expect(trained.status == 0 && trained.output.isEmpty, "\(trained.errors)")
    let log = try tool.read("m/log.jsonl").split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(log.count == 300 && log.map { $0.number("step") } == (1...300).map(Double.init))
    let losses = log.map { $0.number("loss") }
    let (early, late) = (losses.prefix(20).reduce(0, +) / 20, losses.suffix(50).reduce(0, +) / 50)
    #expect(late < early * 0.6, "\(early) \(late)")
    #expect(FileManager.default.fileExists(atPath: tool.path("m/vocab.txt")))
    #expect(!FileManager.default.fileExists(atPath: tool.path("m/corpus.tokens")))

    let tuned = try finetune("m", "s", "--dev", "dev.tsv")
    #expect(tuned.status == 0 && tuned.errors.contains("epoch 3: SST-2: accuracy"), "\(tuned.errors)")
    let score = try tool.run(
      "score", "--model", "s", "--task", "sst2", "--data", "dev.tsv", "--predictions", "p.tsv", "--format", "json")
    #expect(score.status == 0, "\(score.errors)")
    let object = try Tool.object(score.output)
    #expect(object["task"] as? String == "sst2" && object.number("rows") == 100)
    #expect(object.object("metrics").number("accuracy") > 0.95, "\(score.output)")
    #expect(object.number("loss") < 0.4)
    // What it says of itself follows from the predictions.
    let predictions = try tool.read("p.tsv").split(separator: "\n").dropFirst().map { $0.split(separator: "\t").last }
    let labels = try tool.read("dev.tsv").split(separator: "\n").dropFirst().map { $0.split(separator: "\t").last }
    #expect(predictions.count == 100)
    let right = Double(zip(predictions, labels).count { $0 == $1 }) / 100
    #expect(right == object.object("metrics").number("accuracy"))
    // infer has the same classifier.
    let answer = try tool.run(
      "infer", "--model", "s", "--input", "-", input: #"{"id":1,"text":"the cow said moo"}"# + "\n")
    let values = try #require(answer.rows().first?["values"] as? [Double])
    #expect(values.count == 2 && values[0] > values[1])

    let several = try tool.run(
      "score", "--model", "s", "--task", "sst2", "--data", "dev.tsv", "--task", "sst-2", "--data", "train.tsv",
      "--format", "json")
    #expect(try Tool.object(several.output).object("mean")["name"] as? String == "mean of SST-2, SST-2")
    let table = try tool.run("score", "--model", "s", "--task", "sst2", "--data", "dev.tsv")
    #expect(table.output.hasPrefix("SST-2: accuracy "))
  }

  @Test func pooledByTheMean() throws {
    defer { tool.remove() }
    try tokenizer()
    #expect(try tool.run(arguments: arguments("m", steps: 150)).status == 0)
    #expect(try finetune("m", "s", "--pooling", "mean").status == 0)
    #expect(try tool.read("s/config.json").contains("\"pooling\":\"mean\""))
    let score = try tool.run("score", "--model", "s", "--task", "sst2", "--data", "dev.tsv", "--format", "json")
    #expect(try Tool.object(score.output).object("metrics").number("accuracy") > 0.9, "\(score.output)")
    // The classifier on the mean: made by hand from the sentence embedding.
    let line = #"{"id":1,"text":"the cow said moo"}"# + "\n"
    let logits = try tool.run("infer", "--model", "s", "--input", "-", input: line).rows().first?["values"] as? [Double]
    #expect(logits?.count == 2)
    #expect(try tool.run("export", "s", "--output", "s.onnx").status == 0)
  }

  /// What is learnt depends on neither threads nor being killed.
  @Test func killedAndResumedToTheSameBits() throws {
    defer { tool.remove() }
    try tokenizer()
    let whole = try tool.run(arguments: arguments("whole", steps: 400, "--threads", "1"))
    #expect(whole.status == 0, "\(whole.errors)")
    let process = tool.process(arguments("part", steps: 400, "--threads", "2", "--checkpoint-steps", "10"))
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, !FileManager.default.fileExists(atPath: tool.path("part/checkpoint")) { usleep(500) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(process.terminationReason == .uncaughtSignal)
    #expect(!FileManager.default.fileExists(atPath: tool.path("part/model.safetensors")))
    let resumed = try tool.run(arguments: arguments("part", steps: 400, "--threads", "2", "--resume"))
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try bytes("part/model.safetensors") == bytes("whole/model.safetensors"))
    #expect(try log("part") == log("whole"))
    // A run that is complete stays as it is.
    let again = try tool.run(arguments: arguments("part", steps: 400, "--resume"))
    #expect(again.status == 0 && again.errors.contains("was complete already"))
    #expect(try bytes("part/model.safetensors") == bytes("whole/model.safetensors"))
    // Another run is not gone on with.
    let other = try tool.run(arguments: arguments("part", steps: 500, "--resume"))
    #expect(other.status == 65 && other.message.contains("steps"), "\(other.errors)")
  }

  @Test func fineTuningResumes() throws {
    defer { tool.remove() }
    try tokenizer()
    #expect(try tool.run(arguments: arguments("m", steps: 20)).status == 0)
    #expect(try finetune("m", "whole", "--dev", "dev.tsv").status == 0)
    let process = tool.process([
      "finetune", "--model", "m", "--task", "sst2", "--train", "train.tsv", "--epochs", "3", "--batch-size", "16",
      "--learning-rate", "3e-3", "--seed", "1", "--output", "part", "--checkpoint-steps", "1", "--dev", "dev.tsv",
    ])
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, !FileManager.default.fileExists(atPath: tool.path("part/checkpoint")) { usleep(200) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    let resumed = try finetune("m", "part", "--dev", "dev.tsv", "--resume")
    #expect(resumed.status == 0, "\(resumed.errors)")
    #expect(try bytes("part/model.safetensors") == bytes("whole/model.safetensors"))
    #expect(try log("part") == log("whole"))
  }

  /// Gradients that are gathered in parts are those of the batch, up to rounding.
  @Test func gatheringInParts() throws {
    defer { tool.remove() }
    try tokenizer()
    #expect(try tool.run(arguments: arguments("one", steps: 10, "--dropout", "0")).status == 0)
    #expect(
      try tool.run(arguments: arguments("parts", steps: 10, "--dropout", "0", "--micro-batch-size", "3")).status == 0)
    func losses(_ folder: String) throws -> [Double] {
      try tool.read("\(folder)/log.jsonl").split(separator: "\n").map { try Tool.object(String($0)).number("loss") }
    }
    for (one, parts) in zip(try losses("one"), try losses("parts")) { #expect(abs(one - parts) < 1e-4) }
  }

  /// A row a judgement, the last with the task's score; what is done is not done again.
  @Test func accuracyMeasured() throws {
    defer { tool.remove() }
    try tokenizer()
    let wide = Self.architecture.replacing("\"hidden_size\":24", with: "\"hidden_size\":16")
    try tool.write(Self.architecture + "\n" + wide + "\n", to: "two.jsonl")
    // Stopped after the first architecture, so to speak.
    try tool.write(Self.architecture + "\n", to: "one.jsonl")
    #expect(try tool.run(arguments: measuring("one.jsonl")).status == 0)
    let first = try tool.read("o/rows.jsonl")
    let result = try tool.run(arguments: measuring("two.jsonl") + ["--resume"])
    #expect(result.status == 0, "\(result.errors)")
    let text = try tool.read("o/rows.jsonl")
    #expect(text.hasPrefix(first))
    let rows = try text.split(separator: "\n").map { try Tool.object(String($0)) }
    #expect(rows.map { $0.number("steps") } == [20, 40, 20, 40, 20, 40, 20, 40])
    #expect(rows.map { $0.number("seed") } == [1, 1, 2, 2, 1, 1, 2, 2])
    #expect(Set(rows.compactMap { $0["id"] as? String }).count == 2)
    #expect(rows.allSatisfy { $0.number("loss") > 0 && ($0["score"] != nil) == ($0.number("steps") == 40) })
    // The two seeds and the two shapes are trained apart.
    #expect(Set(rows.map { $0.number("loss") }).count == 8)
    #expect(try FileManager.default.contentsOfDirectory(atPath: tool.path("o")) == ["rows.jsonl"])
    // Nothing is lost to a run without --resume, and nothing mixed with another recipe.
    for (more, words) in [
      ([], "holds 8 rows"), (["--resume", "--learning-rate", "1e-4"], "another learning_rate: 0.001"),
      (["--resume", "--dev", "train.tsv"], "another dev"), (["--resume", "--steps", "80"], "another total_steps: 40"),
    ] {
      let refused = try tool.run(arguments: measuring("two.jsonl") + more)
      #expect(refused.status == 64 && refused.message.contains(words), "\(refused.errors)")
    }
    #expect(try tool.read("o/rows.jsonl") == text)
    // Every architecture is looked at before the first is trained.
    try tool.write(Self.architecture + "\n" + Self.architecture.replacing(":24,", with: ":12,") + "\n", to: "bad.jsonl")
    let bad = try tool.run(arguments: measuring("bad.jsonl", to: "b"))
    #expect(bad.status == 65 && bad.message.contains("maximum_positions"), "\(bad.errors)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: tool.path("b")).isEmpty)
  }

  private func measuring(_ architectures: String, to output: String = "o") -> [String] {
    [
      "accuracy", "measure", "--architectures", architectures, "--corpus", "c.txt", "--tokenizer", "t", "--steps", "40",
      "--batch-size", "8", "--sequence-length", "16", "--held-out-every", "10", "--judgement-steps", "20", "--task",
      "sst2", "--train", "train.tsv", "--dev", "dev.tsv", "--epochs", "1", "--seeds", "1,2", "--output", output,
    ]
  }

  /// An architecture begins with what a neighbour has learnt, and is below a fresh one's loss.
  @Test(arguments: ["ordered_copy", "random_projection"]) func neighboursTeach(transfer: String) throws {
    defer { tool.remove() }
    try tokenizer()
    let judged = ["--held-out-every", "10"]
    #expect(try tool.run(arguments: arguments("m", steps: 200) + judged).status == 0)
    try tool.write(Self.architecture.replacing("\"feed_forward\":[48]", with: "\"feed_forward\":[64]"), to: "a.json")
    func loss(_ output: String, _ more: String...) throws -> Double {
      let made = try tool.run(arguments: arguments(output, steps: 1, "--learning-rate", "1e-7") + judged + more)
      #expect(made.status == 0, "\(made.errors)")
      let last = try #require(try tool.read("\(output)/log.jsonl").split(separator: "\n").last)
      return try Tool.object(String(last)).number("held_out_loss")
    }
    #expect(try loss("child", "--model", "m", "--transfer", transfer) < loss("fresh") - 0.3)
    let alone = try tool.run(arguments: arguments("x", steps: 1, "--transfer", transfer))
    #expect(alone.status == 64, "\(alone.errors)")
    try tool.write(Self.architecture.replacing(":80", with: ":90"), to: "a.json")
    let other = try tool.run(arguments: arguments("x", steps: 1, "--model", "m"))
    #expect(other.status == 65 && other.message.contains("vocabulary_size: is 90"), "\(other.errors)")
  }

  @Test func wordNetAsFiles() throws {
    defer { tool.remove() }
    for (part, classNumber) in [("noun", "05"), ("verb", "29"), ("adj", "00"), ("adv", "02")] {
      let lines = (0..<50).map { "0000\($0) \(classNumber) n 01 w 0 000 | \(part) number \($0)\n" }
      try FileManager.default.createDirectory(atPath: tool.path("wn"), withIntermediateDirectories: true)
      try tool.write("  1 licence\n" + lines.joined(), to: "wn/data.\(part)")
    }
    let made = try tool.run("wordnet", "--source", "wn", "--output", "w")
    #expect(made.status == 0, "\(made.errors)")
    let (train, dev) = (try tool.read("w/train.tsv"), try tool.read("w/dev.tsv"))
    #expect(train.hasPrefix("gloss\tclass\nnoun number ") && dev.hasPrefix("gloss\tclass\n"))
    #expect(train.split(separator: "\n").count + dev.split(separator: "\n").count == 52)
    #expect(try tool.read("w/corpus.txt").split(separator: "\n").count == 150 + train.split(separator: "\n").count - 1)
    let absent = try tool.run("wordnet", "--source", "nowhere", "--output", "w")
    #expect(absent.status == 65 && absent.message.contains("wordnet-base"), "\(absent.errors)")
  }

  @Test func whatIsWrongIsNamed() throws {
    defer { tool.remove() }
    try tokenizer()
    func status(_ arguments: String..., says: String) throws -> Int32 {
      let result = try tool.run(arguments: arguments)
      #expect(result.errors.contains(says), "\(result.errors)")
      return result.status
    }
    #expect(
      try status(
        "tokenizer", "train", "--corpus", "c.txt", "--vocabulary-size", "100", "--kind", "bpe", "--output", "x",
        says: "at least 261") == 64)
    #expect(
      try status(
        "tokenizer", "train", "--corpus", "none.txt", "--vocabulary-size", "100", "--kind", "wordpiece", "--output",
        "x",
        says: "none.txt: there is no such file") == 65)
    try tool.write("\u{1}\u{200b}\n", to: "empty.txt")
    #expect(
      try status(
        "tokenizer", "train", "--corpus", "empty.txt", "--vocabulary-size", "100", "--kind", "wordpiece", "--output",
        "x", says: "no words") == 65)
    #expect(
      try status(
        "tokenizer", "train", "--corpus", "c.txt", "--vocabulary-size", "300", "--kind", "bpe", "--output", "t",
        says: "vocab.txt of another tokeniser") == 65)
    try tool.write(Self.architecture.replacing("\"vocabulary_size\":80", with: "\"vocabulary_size\":20"), to: "a.json")
    let small = try tool.run(arguments: arguments("m"))
    #expect(small.status == 65 && small.message.contains("vocabulary_size is 20"), "\(small.errors)")
    try tool.write(Self.architecture, to: "a.json")
    let long = try tool.run(arguments: arguments("m", steps: 5, "--sequence-length", "25"))
    #expect(long.status == 65 && long.message.contains("maximum_positions"), "\(long.errors)")
    #expect(try tool.run(arguments: arguments("m", steps: 0)).status == 64)
    #expect(try tool.run(arguments: arguments("m", steps: .max)).status == 64)
    try tool.write(Self.architecture.replacing(":24,", with: ":2,"), to: "short.json")
    let short = try tool.run(
      "pretrain", "--corpus", "c.txt", "--architecture", "short.json", "--tokenizer", "t", "--steps", "2",
      "--batch-size", "8", "--output", "m")
    #expect(short.status == 65 && short.message.contains("maximum_positions: is 2"), "\(short.errors)")
    let unjudged = try tool.run(arguments: arguments("m", steps: 5, "--held-out-every", "1000"))
    #expect(unjudged.status == 65 && unjudged.message.contains("0 to hold out"), "\(unjudged.errors)")
    #expect(try tool.run(arguments: arguments("m", steps: 5)).status == 0)
    try tool.write("sentence\tlabel\nfine\t1\nbad\t7\n", to: "bad.tsv")
    #expect(
      try status(
        "finetune", "--model", "m", "--task", "sst2", "--train", "bad.tsv", "--epochs", "1", "--output", "x",
        says: "bad.tsv:3: label: must be one of 0, 1") == 65)
    #expect(
      try status("score", "--model", "m", "--task", "sst2", "--data", "dev.tsv", says: "has no classifier") == 65)
    #expect(try status("score", "--model", "m", "--task", "sst9", "--data", "dev.tsv", says: "is no task") == 64)
    #expect(try status("score", "--model", "m", "--task", "sst2", says: "--data once a task") == 64)
    let nothing = try tool.run(arguments: arguments("never", steps: 5, "--resume"))
    #expect(nothing.status == 0, "\(nothing.errors)")
    try tool.write("damaged\n", to: "never/checkpoint")
    let damaged = try tool.run(arguments: arguments("never", steps: 5, "--resume"))
    #expect(damaged.status == 65 && damaged.message.contains("never/checkpoint"), "\(damaged.errors)")
  }
}
