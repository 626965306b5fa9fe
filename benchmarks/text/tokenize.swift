// Our tokenisers for compare_tokenizers.py, which compiles this file together with Sources/Text.
// usage: tokenize FOLDER < lines {"text","pair"?,"maximum"} > lines {"ids","types"}; time on stderr.
//        tokenize FOLDER train wordpiece|bpe SIZE CORPUS; time on stderr.
import Foundation

struct Request: Decodable {
  var text: String
  var pair: String?
  var maximum: Int
}

@main
enum Main {
  static func main() throws {
    let arguments = CommandLine.arguments
    if arguments.count > 5 { return try train(arguments) }
    let tokenizer = try TokenizerFolder.open(arguments[1])
    let decoder = JSONDecoder()
    var requests: [Request] = []
    while let line = readLine() {
      requests.append(try decoder.decode(Request.self, from: Data(line.utf8)))
    }
    var results: [(ids: [Int32], types: [Int32])] = []
    let clock = ContinuousClock()
    let duration = clock.measure {
      for request in requests {
        results.append(tokenizer.encode(request.text, pair: request.pair, maximumLength: request.maximum))
      }
    }
    var output = ""
    for result in results { output += "{\"ids\":\(result.ids),\"types\":\(result.types)}\n" }
    FileHandle.standardOutput.write(Data(output.utf8))
    let bytes = requests.reduce(0) { $0 + $1.text.utf8.count + ($1.pair?.utf8.count ?? 0) }
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    FileHandle.standardError.write(Data("{\"bytes\":\(bytes),\"seconds\":\(seconds)}\n".utf8))
  }

  static func train(_ arguments: [String]) throws {
    let size = Int(arguments[4]) ?? 0
    var trainer: any TokenizerTrainer =
      arguments[3] == "bpe" ? try ByteLevelTrainer(vocabularySize: size) : try WordPieceTrainer(vocabularySize: size)
    let text = try String(contentsOfFile: arguments[5], encoding: .utf8)
    let duration = try ContinuousClock().measure {
      for line in text.split(separator: "\n") { trainer.add(String(line)) }
      try trainer.train { _ in }.write(folder: arguments[1])
    }
    FileHandle.standardError.write(Data("{\"seconds\":\(duration / .seconds(1))}\n".utf8))
  }
}
