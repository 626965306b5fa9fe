import Architectures
import ArgumentParser
import Foundation
import ModelFiles

extension OnnxExport.HeadForm: ExpressibleByArgument {}
extension OnnxExport.Head: ExpressibleByArgument {}

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a model as an ONNX file.",
    discussion: """
        edgetwin export model --output model.onnx

      Inputs are input_ids, attention_mask (ones, then zeros) and token_type_ids, int64 [batch, sequence], both of any size; \
      the output of a classifier is logits. A model above 2 GB has its numbers in a second file beside the first, \
      named like it with .data after it.
      """)

  @Argument(help: ArgumentHelp("Model folder: config.json and model.safetensors.", valueName: "folder"))
  var model: String

  @Option(help: ArgumentHelp("File to write, or - for standard output.", valueName: "x.onnx"))
  var output: String

  @Option(help: "classifier, mlm, hidden or mean; by default the first that the model has weights for.")
  var head: OnnxExport.Head?

  @Option(help: "batched (all heads of one operation together) or chain (a chain of operators for every head).")
  var headForm: OnnxExport.HeadForm = .batched

  func run() throws {
    let export = OnnxExport(headForm: headForm, head: head)
    guard output == "-" else {
      try Console.checkFolder(of: output)
      return try export.write(Model.open(folder: model), to: output)
    }
    let folder = try FileManager.default.url(
      for: .itemReplacementDirectory, in: .userDomainMask, appropriateFor: FileManager.default.temporaryDirectory,
      create: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "model.onnx").path
    try export.write(Model.open(folder: model), to: file)
    guard !FileManager.default.fileExists(atPath: file + ".data") else {
      throw UsageError("a model above 2 GB is two files: --output must name one")
    }
    let handle = try InputBytes.open(file)
    while let chunk = try handle.read(upToCount: 1 << 20), !chunk.isEmpty { try Console.write(chunk) }
  }
}
