import GrowAndPrune
import Workbench

/// Shows how far a refinement is, and ends it when its task is cancelled.
final class RefinementDisplay {
  private let scoreName: String?
  private var progress = RefinementProgress()
  private var last = ContinuousClock.now - .seconds(1)

  init(scoreName: String?) {
    self.scoreName = scoreName
  }

  func show(_ event: RefinementEvent) throws {
    try Task.checkCancellation()
    switch event {
    case .finished(let node, let wasStored):
      Console.endProgress()
      if !wasStored { Console.say(RefinementProgress.report(node, scoreName: scoreName)) }
    case .note(let text):
      Console.endProgress()
      Console.say(text)
    case .training, .scoring:
      let line = progress.line(event)
      guard let line, ContinuousClock.now - last > .milliseconds(200) else { return }
      last = .now
      Console.progress(line)
    }
  }
}
