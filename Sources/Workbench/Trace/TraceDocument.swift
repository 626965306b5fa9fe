import Architectures
import Boards
import Twins

/// Timelines as JSON of the trace event format, which Chrome's `about:tracing` and Perfetto show.
///
/// Each timeline is a process with a track for the layers, a track for the kernels and, where there is power, a counter.
public struct TraceDocument: Sendable {
  /// A span of time on a track.
  public struct Span: Sendable, Hashable {
    public var name: String
    public var category: String
    public var startSeconds: Double
    public var durationSeconds: Double
    public var details: Record

    public init(
      name: String, category: String, startSeconds: Double, durationSeconds: Double, details: Record = Record()
    ) {
      self.name = name
      self.category = category
      self.startSeconds = startSeconds
      self.durationSeconds = durationSeconds
      self.details = details
    }
  }

  private enum Track: Int {
    case layers = 1
    case kernels = 2
  }

  private var events: [Record] = []
  private var processes = 0
  public var metadata = Record()

  public init() {}

  /// Adds a timeline.
  /// - Parameters:
  ///   - kernels: in order; `layer` of each places it in a span of the layers' track.
  ///   - power: watts from a moment on.
  public mutating func add(
    _ name: String, kernels: [(layer: Int?, span: Span)], power: [(atSeconds: Double, watts: Double)] = []
  ) {
    processes += 1
    events.append(named("process_name", name, track: nil))
    events.append(named("thread_name", "layers", track: .layers))
    events.append(named("thread_name", "kernels", track: .kernels))
    for span in Self.layers(kernels) { events.append(record(span, track: .layers)) }
    for kernel in kernels { events.append(record(kernel.span, track: .kernels)) }
    for point in power {
      var event = Record()
      event.add("name", .text("power"))
      event.add("ph", .text("C"))
      event.add("ts", .number(point.atSeconds * 1e6))
      event.add("pid", .whole(processes))
      event.add("args", .object(Record(fields: [.init(name: "watts", value: .number(point.watts))])))
      events.append(event)
    }
  }

  /// Kernels of one layer that follow each other, as one span.
  private static func layers(_ kernels: [(layer: Int?, span: Span)]) -> [Span] {
    var result: [Span] = []
    var last: Int??
    for kernel in kernels {
      let end = kernel.span.startSeconds + kernel.span.durationSeconds
      if let last, last == kernel.layer, var open = result.last {
        open.durationSeconds = end - open.startSeconds
        result[result.count - 1] = open
      } else {
        let name = kernel.layer.map { "layer \($0)" } ?? (result.isEmpty ? "embeddings" : "after the layers")
        result.append(
          Span(
            name: name, category: "layer", startSeconds: kernel.span.startSeconds,
            durationSeconds: kernel.span.durationSeconds))
      }
      last = .some(kernel.layer)
    }
    return result
  }

  private func named(_ kind: String, _ name: String, track: Track?) -> Record {
    var event = Record()
    event.add("name", .text(kind))
    event.add("ph", .text("M"))
    event.add("pid", .whole(processes))
    if let track { event.add("tid", .whole(track.rawValue)) }
    event.add("args", .object(Record(fields: [.init(name: "name", value: .text(name))])))
    return event
  }

  private func record(_ span: Span, track: Track) -> Record {
    var event = Record()
    event.add("name", .text(span.name))
    event.add("cat", .text(span.category))
    event.add("ph", .text("X"))
    // Microseconds, with fractions.
    event.add("ts", .number(span.startSeconds * 1e6))
    event.add("dur", .number(span.durationSeconds * 1e6))
    event.add("pid", .whole(processes))
    event.add("tid", .whole(track.rawValue))
    if !span.details.fields.isEmpty { event.add("args", .object(span.details)) }
    return event
  }

  /// The whole document, an event a line.
  public var json: String {
    var head = Record()
    head.add("schema", .text("edgetwin.trace/1"))
    for field in metadata.fields { head.fields.append(field) }
    return "{\"displayTimeUnit\":\"ms\",\"otherData\":\(head.json),\"traceEvents\":[\n"
      + events.map(\.json).joined(separator: ",\n") + "\n]}\n"
  }
}

extension TraceDocument {
  /// Adds what a twin predicts of one call with the whole batch.
  public mutating func add(_ timeline: PredictedTimeline, name: String) {
    var kernels: [(layer: Int?, span: Span)] = []
    var power: [(atSeconds: Double, watts: Double)] = []
    func watts(_ joules: Double, _ seconds: Double, from start: Double) {
      if seconds > 0 { power.append((start, joules / seconds)) }
    }
    if timeline.unplacedSeconds > 0 {
      kernels.append(
        (
          nil,
          Span(
            name: "whole model", category: "overhead", startSeconds: 0, durationSeconds: timeline.unplacedSeconds)
        ))
      watts(timeline.unplacedJoules, timeline.unplacedSeconds, from: 0)
    }
    for event in timeline.events {
      var details = Record()
      if let head = event.call.head { details.add("head", .whole(head)) }
      details.add("launches", .whole(event.call.count))
      details.add("flops", .number(event.call.work.flops))
      details.add("bytes", .number(event.call.work.bytes))
      details.add("energy_j", .number(event.joules))
      details.add("bound_by", .text(event.boundBy.rawValue))
      kernels.append(
        (
          event.call.layer,
          Span(
            name: event.call.name, category: event.call.kernelClass.rawValue, startSeconds: event.startSeconds,
            durationSeconds: event.durationSeconds, details: details)
        ))
      watts(event.joules, event.durationSeconds, from: event.startSeconds)
    }
    if timeline.seconds > 0, !power.isEmpty { power.append((timeline.seconds, 0)) }
    add(name, kernels: kernels, power: power)
  }

  /// Adds what was measured of one call.
  /// - Parameter watts: mean power of the calls, where a meter was read: one call is over before a meter says anything new.
  public mutating func add(measured events: [TimedKernel], name: String, watts: Double? = nil) {
    let kernels = events.map { event -> (layer: Int?, span: Span) in
      (
        event.layer,
        Span(
          name: event.name, category: event.kernelClass, startSeconds: event.startSeconds,
          durationSeconds: event.durationSeconds)
      )
    }
    let end = kernels.last.map { $0.span.startSeconds + $0.span.durationSeconds } ?? 0
    add(name, kernels: kernels, power: watts.map { [(0, $0), (end, 0)] } ?? [])
  }
}
