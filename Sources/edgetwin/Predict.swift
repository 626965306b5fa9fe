import Architectures
import ArgumentParser
import Foundation
import Measurements
import Twins
import Workbench

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict latency, energy and peak power of architectures on a device, with intervals.",
    discussion: """
        edgetwin predict --device rpi4-cpu --architectures a.jsonl
        edgetwin predict --device my-board.yaml --architectures config.json
        edgetwin predict --device rpi4-cpu --architectures - --format jsonl
        edgetwin predict --device rpi4-cpu --architectures a.jsonl \\
          --set memory.bandwidth=2x --set ram=8GB --sequence-length 64

      A row each, in order. Architectures are read as JSON, JSON Lines or YAML: this project's form, measurements, \
      ProTran's dictionaries or data sets, Hugging Face's config.json, or 37-number embeddings. A measurement is \
      predicted at its own settings and, unless --runtime is given, with its own runtime where the device has it, with \
      start-up in its figures or not as it says. interval_basis is conformal where the width of the latency's interval \
      comes from held-out rows, and prior where there are none or where what is extrapolated adds more than they gave. \
      A model that the device cannot hold gets a row without figures, and the exit status is 1.
      """)

  @OptionGroup var twin: TwinOptions

  @Option(help: "File of architectures or measurements, or - for standard input.")
  var architectures: String

  @OptionGroup var output: FormatOption

  func validate() throws { try twin.check(architectures: architectures) }

  func run() throws {
    var predictor = try RowPredictor(twin.request())
    let rows = try ArchitectureRow.read(architectures)
    let source = InputBytes.name(of: architectures)
    if rows.contains(where: { $0.measurement != nil }), !twin.settingFlags.isEmpty {
      Console.say(
        "\(twin.settingFlags.joined(separator: ", ")): not used for measurements, which are predicted at their own settings"
      )
    }
    if let note = predictor.note(on: rows) { Console.say(note) }
    // What cannot be predicted at all is found before anything is printed.
    for row in rows { try predictor.check(row, source: source) }
    var problems = 0
    var writer = RecordWriter(output.format)
    var table = PredictionTable()
    var shown: [RowPredictor.Answer] = []
    for row in rows {
      let answer = try predictor.answer(row, source: source)
      if let problem = answer.problem {
        problems += 1
        Console.complain("\(source):\(row.line): \(problem)")
      }
      guard output.format == .table else {
        try Console.write(writer.next(answer.record))
        continue
      }
      shown.append(answer)
      let prediction = answer.prediction
      var notes: [String] = []
      if prediction?.fitsMemory == false { notes.append("pages") }
      if answer.costs == nil { notes.append("does not fit") }
      table.add(
        answer.architecture?.id ?? "line \(row.line)", device: "", costs: answer.costs,
        parameters: prediction?.parameters ?? answer.architecture?.parameterCount(.protran).total,
        memoryBytes: prediction?.memoryBytes, bound: prediction?.boundBy,
        extrapolated: prediction?.extrapolated ?? [], note: notes.joined(separator: ", "))
    }
    try Console.write(output.format == .table ? table.text + legend(shown) : writer.end())
    if problems > 0 { throw ExitCode(1) }
  }

  private func legend(_ answers: [RowPredictor.Answer]) -> String {
    guard let settings = answers.first?.settings else { return "" }
    var lines: [String] = []
    let isOne = answers.allSatisfy { $0.settings == settings }
    let place =
      isOne
      ? "batch size \(settings.batchSize), length \(settings.sequenceLength), \(settings.precision.rawValue),"
        + " \(settings.includesStartup ? "with a share of the start-up" : "steady time")"
      : "each at its own settings"
    lines.append("\(twin.device): per sequence, \(place).")
    if let prediction = answers.compactMap(\.prediction).first {
      let bases = Set(answers.compactMap(\.prediction?.intervalBasis))
      let basis =
        bases == [.conformal]
        ? "from held-out rows"
        : bases == [.prior]
          ? "from the device class's prior, or mostly assumed, far from what was fitted"
          : "from held-out rows; of interval_basis prior (see json) mostly assumed, far from what was fitted"
      lines.append("In brackets: \(Humane.percent(prediction.level)) intervals, \(basis).")
      lines.append("Power and energy are those of the \(prediction.powerScope.rawValue).")
      lines.append("Parameters: \(prediction.parametersInclude).")
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
