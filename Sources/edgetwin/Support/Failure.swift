import Architectures
import ArgumentParser
import Boards
import Calibration
import CoSearch
import Foundation
import GrowAndPrune
import Kernels
import ModelFiles
import Studies
import Text
import Training
import Twins
import Workbench

/// How the program ends where something is wrong: the one place that turns errors into exit statuses.
enum Failure {
  static let usage: Int32 = 64
  static let data: Int32 = 65
  static let interrupted: Int32 = 130

  static func status(of error: any Error) -> Int32? {
    switch error {
    case is InputFileError, is YAMLFileError, is CalibrationError, is DesignSpaceError: data
    case let error as ModelFileError: error.kind == .input ? data : 1
    case let error as KernelError: error.kind == .machine ? 1 : data
    case let error as TextError:
      switch error {
      case .unwritable: 1
      case .vocabularyTooSmall: usage
      default: data
      }
    case is TrainingStopped: interrupted
    case is AccuracyMeasurementError: usage
    case let error as RefinementError:
      switch error {
      case .alreadyBegun, .otherInputs: usage
      case .unreachable, .output: 1
      }
    case let error as TwinError:
      if case .doesNotFit = error { 1 } else { usage }
    case let error as StudyError:
      switch error.kind {
      case .usage: usage
      case .input: data
      case .machine: 1
      }
    case is SamplerError: data
    case let error as SearchError:
      switch error {
      case .invalidProblem, .nothingToDo: usage
      case .checkpoint: data
      case .devices: 1
      }
    case is UsageError, is RegimeError: usage
    case let error as BoardError:
      if case .unknownBoard = error { usage } else { 1 }
    case is OutputError: 1
    case let error as KernelError: error.kind == .machine ? 1 : data
    default: nil
    }
  }

  static func end(_ error: any Error) -> Never {
    guard let status = status(of: error) else {
      // Those of the argument parser, and what nobody thought of: 1.
      EdgeTwin.exit(withError: error)
    }
    Console.complain("\(error)")
    exit(status)
  }
}

/// Flags that do not go together, found after parsing.
struct UsageError: Error, CustomStringConvertible {
  var description: String

  init(_ description: String) {
    self.description = description
  }
}

/// A result that could not be written.
struct OutputError: Error, CustomStringConvertible {
  var description: String
}
