import ArgumentParser

struct StudyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "study",
    abstract: "Keep a search in a file: ask for trials, tell what came of them, look at what is known.",
    discussion: """
        edgetwin study create s.db --problem p.yaml --seed 1
        edgetwin study ask s.db --count 8 | edgetwin evaluate --problem p.yaml | edgetwin study tell s.db
        edgetwin study show s.db
        edgetwin explore --study s.db --evaluations 1000000

      Commands that search or measure take --study too, and go on with what is in it. A study is one SQLite file; it can \
      be stopped at any moment, and several processes can work on one at once.
      """,
    subcommands: [
      StudyCreate.self, StudyAsk.self, StudyTell.self, StudyRun.self, StudyShow.self, StudyAnswers.self,
      StudyExport.self,
      StudyCheck.self,
    ])
}
