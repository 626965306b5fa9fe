import Architectures

/// The form of a configuration's file; it checks what it decodes, so that errors carry the place.
struct RefinementFile: Codable {
  struct Mode: Codable {
    var steps: Int?
    var learningRate: Double?
    var form: String?
    var width: Int?
    var count: Int?
    var hiddenLayers: Int?
    var neurons: Int?
    var choice: String?
    var channels: Int?

    enum CodingKeys: String, CodingKey {
      case steps
      case learningRate = "learning_rate"
      case form, width, count
      case hiddenLayers = "hidden_layers"
      case neurons, choice, channels
    }
  }

  struct Approach: Codable {
    var rounds: Int?
    var recoverySteps: Int?
    var recoveryLearningRate: Double?
    var steps: Int?
    var learningRate: Double?
    var parts: [String]?
    var neurons: Int?
    var channels: Int?

    enum CodingKeys: String, CodingKey {
      case rounds
      case recoverySteps = "recovery_steps"
      case recoveryLearningRate = "recovery_learning_rate"
      case steps
      case learningRate = "learning_rate"
      case parts, neurons, channels
    }
  }

  var schema: String
  var base: String?
  var cycle: [String]?
  var children: Int?
  var rounds: Int?
  var patience: Int?
  var backTracking: Bool?
  var criterion: String?
  var growth: String?
  var importance: String?
  var importanceBatches: Int?
  var operations: [String]?
  var batchSize: Int?
  var warmUpSteps: Int?
  var weightDecay: Double?
  var dropout: Double?
  var distillation: Double?
  var root: Mode?
  var growHeads: Mode?
  var growFeedForward: Mode?
  var growLayer: Mode?
  var pruneHeads: Mode?
  var pruneFeedForward: Mode?
  var pruneWidth: Mode?
  var pruneLayer: Mode?
  var approach: Approach?
  var finish: Mode?

  enum CodingKeys: String, CodingKey {
    case schema, base, cycle, children, rounds, patience
    case backTracking = "back_tracking"
    case criterion, growth, importance
    case importanceBatches = "importance_batches"
    case operations
    case batchSize = "batch_size"
    case warmUpSteps = "warm_up_steps"
    case weightDecay = "weight_decay"
    case dropout, distillation, root
    case growHeads = "grow_heads"
    case growFeedForward = "grow_feed_forward"
    case growLayer = "grow_layer"
    case pruneHeads = "prune_heads"
    case pruneFeedForward = "prune_feed_forward"
    case pruneWidth = "prune_width"
    case pruneLayer = "prune_layer"
    case approach, finish
  }
}

extension RefinementFile {
  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func value<T: Decodable>(_ key: CodingKeys, _ type: T.Type = T.self) throws -> T? {
      try container.decodeIfPresent(type, forKey: key)
    }
    schema = try container.decode(String.self, forKey: .schema)
    base = try value(.base)
    cycle = try value(.cycle)
    children = try value(.children)
    rounds = try value(.rounds)
    patience = try value(.patience)
    backTracking = try value(.backTracking)
    criterion = try value(.criterion)
    growth = try value(.growth)
    importance = try value(.importance)
    importanceBatches = try value(.importanceBatches)
    operations = try value(.operations)
    batchSize = try value(.batchSize)
    warmUpSteps = try value(.warmUpSteps)
    weightDecay = try value(.weightDecay)
    dropout = try value(.dropout)
    distillation = try value(.distillation)
    root = try value(.root)
    growHeads = try value(.growHeads)
    growFeedForward = try value(.growFeedForward)
    growLayer = try value(.growLayer)
    pruneHeads = try value(.pruneHeads)
    pruneFeedForward = try value(.pruneFeedForward)
    pruneWidth = try value(.pruneWidth)
    pruneLayer = try value(.pruneLayer)
    approach = try value(.approach)
    finish = try value(.finish)
    try Checker(container: container).check(self)
  }

  /// What the profiles are put together from; the file has been checked.
  var configuration: RefinementConfiguration {
    var result = RefinementConfiguration.profiles[base ?? "short"] ?? .short
    result.cycle = cycle?.compactMap(GrowAndPrune.Mode.init(rawValue:)) ?? result.cycle
    result.children = children ?? result.children
    result.rounds = rounds ?? result.rounds
    result.patience = patience ?? result.patience
    result.backTracks = backTracking ?? result.backTracks
    result.criterion = criterion.flatMap(RefinementConfiguration.Criterion.init(rawValue:)) ?? result.criterion
    result.growth = growth.flatMap(TransferOptions.Growth.init(rawValue:)) ?? result.growth
    result.importance = importance.flatMap(Importance.Measure.init(rawValue:)) ?? result.importance
    result.importanceBatches = importanceBatches ?? result.importanceBatches
    result.operations = operations?.compactMap { HeadOperation(name: $0) } ?? result.operations
    result.batchSize = batchSize ?? result.batchSize
    result.warmUpSteps = warmUpSteps ?? result.warmUpSteps
    result.weightDecay = weightDecay ?? result.weightDecay
    result.dropout = dropout ?? result.dropout
    result.distillation = distillation ?? result.distillation
    root?.apply(to: &result.root)
    growHeads?.apply(to: &result.growHeads)
    growFeedForward?.apply(to: &result.growFeedForward.training)
    result.growFeedForward.form =
      growFeedForward?.form.flatMap(RefinementConfiguration.FeedForwardForm.init(rawValue:))
      ?? result.growFeedForward.form
    result.growFeedForward.width = growFeedForward?.width ?? result.growFeedForward.width
    growLayer?.apply(to: &result.growLayer)
    pruneHeads?.apply(to: &result.pruneHeads.training)
    result.pruneHeads.count = pruneHeads?.count ?? result.pruneHeads.count
    pruneFeedForward?.apply(to: &result.pruneFeedForward.training)
    result.pruneFeedForward.hiddenLayers = pruneFeedForward?.hiddenLayers ?? result.pruneFeedForward.hiddenLayers
    result.pruneFeedForward.neurons = pruneFeedForward?.neurons ?? result.pruneFeedForward.neurons
    result.pruneFeedForward.choice =
      pruneFeedForward?.choice.flatMap(RefinementConfiguration.NeuronChoice.init(rawValue:))
      ?? result.pruneFeedForward.choice
    pruneWidth?.apply(to: &result.pruneWidth.training)
    result.pruneWidth.channels = pruneWidth?.channels ?? result.pruneWidth.channels
    pruneLayer?.apply(to: &result.pruneLayer)
    if let approach {
      result.approach.rounds = approach.rounds ?? result.approach.rounds
      result.approach.recovery.steps = approach.recoverySteps ?? result.approach.recovery.steps
      result.approach.recovery.learningRate = approach.recoveryLearningRate ?? result.approach.recovery.learningRate
      result.approach.training.steps = approach.steps ?? result.approach.training.steps
      result.approach.training.learningRate = approach.learningRate ?? result.approach.training.learningRate
      result.approach.parts =
        approach.parts?.compactMap(RefinementConfiguration.Part.init(rawValue:)) ?? result.approach.parts
      result.approach.neurons = approach.neurons ?? result.approach.neurons
      result.approach.channels = approach.channels ?? result.approach.channels
    }
    if let finish {
      var training = result.finish ?? result.approach.training
      finish.apply(to: &training)
      result.finish = training.steps > 0 ? training : nil
    }
    return result
  }

  init(_ value: RefinementConfiguration) {
    func mode(_ training: RefinementConfiguration.Training) -> Mode {
      Mode(steps: training.steps, learningRate: training.learningRate)
    }
    schema = "\(RefinementConfiguration.schema.family)/\(RefinementConfiguration.schema.version)"
    cycle = value.cycle.map(\.rawValue)
    children = value.children
    rounds = value.rounds
    patience = value.patience
    backTracking = value.backTracks
    criterion = value.criterion.rawValue
    growth = value.growth.rawValue
    importance = value.importance.rawValue
    importanceBatches = value.importanceBatches
    operations = value.operations.map(\.name)
    batchSize = value.batchSize
    warmUpSteps = value.warmUpSteps
    weightDecay = value.weightDecay
    dropout = value.dropout
    distillation = value.distillation
    root = mode(value.root)
    growHeads = mode(value.growHeads)
    var grown = mode(value.growFeedForward.training)
    grown.form = value.growFeedForward.form.rawValue
    grown.width = value.growFeedForward.width
    growFeedForward = grown
    growLayer = mode(value.growLayer)
    var heads = mode(value.pruneHeads.training)
    heads.count = value.pruneHeads.count
    pruneHeads = heads
    var pruned = mode(value.pruneFeedForward.training)
    pruned.hiddenLayers = value.pruneFeedForward.hiddenLayers
    pruned.neurons = value.pruneFeedForward.neurons
    pruned.choice = value.pruneFeedForward.choice.rawValue
    pruneFeedForward = pruned
    var width = mode(value.pruneWidth.training)
    width.channels = value.pruneWidth.channels
    pruneWidth = width
    pruneLayer = mode(value.pruneLayer)
    approach = Approach(
      rounds: value.approach.rounds, recoverySteps: value.approach.recovery.steps,
      recoveryLearningRate: value.approach.recovery.learningRate, steps: value.approach.training.steps,
      learningRate: value.approach.training.learningRate, parts: value.approach.parts.map(\.rawValue),
      neurons: value.approach.neurons, channels: value.approach.channels)
    finish = value.finish.map(mode) ?? Mode(steps: 0)
  }
}

extension RefinementFile.Mode {
  func apply(to training: inout RefinementConfiguration.Training) {
    training.steps = steps ?? training.steps
    training.learningRate = learningRate ?? training.learningRate
  }
}
