import Accuracy
import Architectures

/// A predicted accuracy as a row.
public enum AccuracyRecord {
  public static func record(_ architecture: Architecture, _ predictor: AccuracyPredictor, level: Double) -> Record {
    var record = Record()
    record.add("schema", .text("edgetwin.accuracy_prediction/1"))
    record.add("id", .text(architecture.id))
    record.add("parameters", .whole(architecture.parameterCount(.native).total))
    record.add("accuracy", SearchSetup.estimate(predictor.predict(architecture, level: level)))
    record.add("accuracy_of", .text(predictor.scale))
    record.add("level", .number(level))
    record.add("accuracy_leave_one_out_error", .number(predictor.leaveOneOutError))
    return record
  }
}
