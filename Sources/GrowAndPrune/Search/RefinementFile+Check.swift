import Architectures

extension RefinementFile {
  /// Finds the first field that is out of range.
  struct Checker {
    let container: KeyedDecodingContainer<CodingKeys>

    func failure(_ problem: String, _ key: CodingKeys, _ inner: (any CodingKey)? = nil) -> DecodingError {
      .dataCorrupted(
        .init(codingPath: container.codingPath + [key] + (inner.map { [$0] } ?? []), debugDescription: problem))
    }

    func check(_ file: RefinementFile) throws {
      if let base = file.base, RefinementConfiguration.profiles[base] == nil {
        throw failure("must be \(RefinementConfiguration.profiles.keys.sorted().joined(separator: " or "))", .base)
      }
      // `prune` is the way to a budget, which is not gone twice.
      let modes = GrowAndPrune.Mode.allCases.filter { $0.grows || $0.prunes && $0 != .prune }
      try words(.cycle, file.cycle, known: modes.map(\.rawValue))
      try words(.operations, file.operations, known: HeadOperation.allCases.map(\.name))
      try word(file.criterion, RefinementConfiguration.Criterion.allCases.map(\.rawValue), .criterion)
      try word(file.growth, TransferOptions.Growth.allCases.map(\.rawValue), .growth)
      try word(file.importance, Importance.Measure.allCases.map(\.rawValue), .importance)
      try range(file.children, 1...1_000, .children)
      try range(file.rounds, 0...1_000_000, .rounds)
      try range(file.patience, 1...1_000_000, .patience)
      try range(file.importanceBatches, 1...1_000_000, .importanceBatches)
      try range(file.batchSize, 1...65_536, .batchSize)
      try range(file.warmUpSteps, 0...1_000_000_000, .warmUpSteps)
      try number(file.weightDecay, 0...1, .weightDecay)
      try number(file.dropout, 0...0.9, .dropout)
      try number(file.distillation, 0...1, .distillation)
      let trainings: [(CodingKeys, Mode?)] = [
        (.root, file.root), (.growHeads, file.growHeads), (.growFeedForward, file.growFeedForward),
        (.growLayer, file.growLayer),
        (.pruneHeads, file.pruneHeads), (.pruneFeedForward, file.pruneFeedForward), (.pruneWidth, file.pruneWidth),
        (.pruneLayer, file.pruneLayer), (.finish, file.finish),
      ]
      for case (let key, let mode?) in trainings { try check(key, mode) }
      if let approach = file.approach { try check(approach) }
    }

    private func check(_ key: CodingKeys, _ mode: Mode) throws {
      typealias Keys = Mode.CodingKeys
      let own: [CodingKeys: [Keys]] = [
        .growFeedForward: [.form, .width], .pruneHeads: [.count],
        .pruneFeedForward: [.hiddenLayers, .neurons, .choice], .pruneWidth: [.channels],
      ]
      let given: [(Keys, Bool)] = [
        (.form, mode.form != nil), (.width, mode.width != nil), (.count, mode.count != nil),
        (.hiddenLayers, mode.hiddenLayers != nil), (.neurons, mode.neurons != nil), (.choice, mode.choice != nil),
        (.channels, mode.channels != nil),
      ]
      for (field, isGiven) in given where isGiven && own[key]?.contains(field) != true {
        throw failure("unknown field here", key, field)
      }
      try range(mode.steps, 0...1_000_000_000, key, Keys.steps)
      try number(mode.learningRate, 0...1, key, Keys.learningRate)
      let sizes = 1...1_000_000
      try range(mode.width, sizes, key, Keys.width)
      try range(mode.count, sizes, key, Keys.count)
      try range(mode.hiddenLayers, sizes, key, Keys.hiddenLayers)
      try range(mode.neurons, sizes, key, Keys.neurons)
      try range(mode.channels, sizes, key, Keys.channels)
      try word(mode.form, RefinementConfiguration.FeedForwardForm.allCases.map(\.rawValue), key, Keys.form)
      try word(mode.choice, RefinementConfiguration.NeuronChoice.allCases.map(\.rawValue), key, Keys.choice)
    }

    private func check(_ approach: Approach) throws {
      typealias Keys = Approach.CodingKeys
      let key = CodingKeys.approach
      try range(approach.rounds, 1...1_000, key, Keys.rounds)
      try range(approach.recoverySteps, 0...1_000_000_000, key, Keys.recoverySteps)
      try range(approach.steps, 0...1_000_000_000, key, Keys.steps)
      try number(approach.recoveryLearningRate, 0...1, key, Keys.recoveryLearningRate)
      try number(approach.learningRate, 0...1, key, Keys.learningRate)
      try range(approach.neurons, 1...1_000_000, key, Keys.neurons)
      try range(approach.channels, 1...1_000_000, key, Keys.channels)
      let known = RefinementConfiguration.Part.allCases.map(\.rawValue)
      if let parts = approach.parts {
        if parts.isEmpty { throw failure("name at least one of \(known.joined(separator: ", "))", key, Keys.parts) }
        for part in parts { try word(part, known, key, Keys.parts) }
      }
    }

    private func words(_ key: CodingKeys, _ values: [String]?, known: [String]) throws {
      guard let values else { return }
      if values.isEmpty { throw failure("name at least one of \(known.joined(separator: ", "))", key) }
      for value in values { try word(value, known, key) }
    }

    private func word(
      _ value: String?, _ known: [String], _ key: CodingKeys, _ inner: (any CodingKey)? = nil
    ) throws {
      guard let value, !known.contains(value) else { return }
      throw failure(
        "\"\(InputFileError.printable(value))\" is not one of \(known.joined(separator: ", "))", key, inner)
    }

    private func range(
      _ value: Int?, _ allowed: ClosedRange<Int>, _ key: CodingKeys, _ inner: (any CodingKey)? = nil
    ) throws {
      guard let value, !allowed.contains(value) else { return }
      throw failure("\(value) is not within \(allowed.lowerBound) to \(allowed.upperBound)", key, inner)
    }

    private func number(
      _ value: Double?, _ allowed: ClosedRange<Double>, _ key: CodingKeys, _ inner: (any CodingKey)? = nil
    ) throws {
      guard let value, !allowed.contains(value) else { return }
      throw failure("\(value) is not within \(allowed.lowerBound) to \(allowed.upperBound)", key, inner)
    }
  }
}
