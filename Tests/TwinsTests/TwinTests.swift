import Architectures
import Foundation
import Numerics
import Testing

@testable import Twins

/// Device files as the repository has them.
enum Library {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("device-models").path

  static let ids = [
    "a100", "m1-pro-cpu", "m1-pro-gpu", "rpi4-cpu", "jetson-nano-cpu", "jetson-nano-gpu", "ncs2", "rpi5-cpu",
    "jetson-orin-nano-gpu", "intel-n100-cpu", "apple-m2-cpu",
  ]

  static func file(_ id: String) throws -> DeviceFile { try DeviceFile(path: "\(folder)/\(id).yaml") }
}

@Suite struct TwinTests {
  static let points = (try? DesignSpace.flexibert2.sample(count: 60, seed: 5)) ?? []

  /// The fast path and the reference agree on every figure, for calibrated and datasheet twins, with start-up and without, under overrides.
  @Test(arguments: Library.ids)
  func compiledTwinAgreesWithTheReference(id: String) throws {
    let file = try Library.file(id)
    var settings = file.defaultSettings(runtime: "protran")
    for variation in 0..<4 {
      settings.includesStartup = variation % 2 == 0
      if variation >= 2 { settings.sequenceLength = 64 }
      let overrides =
        variation == 3
        ? [Override(path: "memory.bandwidth", change: .factor(2)), Override(path: "clock", change: .factor(0.5))] : []
      let twin = try Twin(file: file, runtime: "protran", settings: settings, overrides: overrides)
      let compiled = CompiledTwin(twin, level: 0.8)
      var fast: [CostEstimate] = []
      compiled.predict(Self.points, into: &fast)
      #expect(fast.count == 60)
      for (point, estimate) in zip(Self.points, fast) {
        let architecture = DesignSpace.flexibert2.architecture(of: point)
        let reference = twin.costs(of: twin.features(of: architecture), level: 0.8)
        for path in [\CostEstimate.latencySeconds, \.energyJoules, \.peakPowerWatts] {
          for bound in [\Estimate.median, \.lower, \.upper] {
            let a = estimate[keyPath: path][keyPath: bound]
            let b = reference[keyPath: path][keyPath: bound]
            #expect(abs(a - b) <= 1e-9 * abs(b), "\(id), variation \(variation): \(a) against \(b)")
          }
          #expect(estimate[keyPath: path].lower <= estimate[keyPath: path].median)
          #expect(estimate[keyPath: path].median <= estimate[keyPath: path].upper)
        }
      }
    }
  }

  @Test func pointWithoutLayersHasNoCost() throws {
    let compiled = CompiledTwin(try Twin(file: Library.file("rpi4-cpu"), runtime: "protran"))
    #expect(compiled.predict(DesignPoint(layers: [])).latencySeconds.median.isNaN)
  }

  /// Features count parameters as the published models do, and as operations.md lists the native ones.
  @Test func featuresCountParameters() throws {
    for point in Self.points.prefix(20) {
      let architecture = DesignSpace.flexibert2.architecture(of: point)
      for (variant, convention) in [
        (RuntimeVariant.protranEager, ParameterCount.Convention.protran), (.native, .native),
      ] {
        let features = FeatureForm(settings: Settings(), variant: variant, position: .relativeKey)
          .total(of: architecture)
        #expect(features[.parameterBytes] == 4 * Double(architecture.parameterCount(convention).total))
        #expect(
          abs(
            features[.parameterBytes] - features[.embeddingParameterBytes] - features[.encoderParameterBytes])
            < 1)
      }
    }
  }

  @Test func steadyTimeIsBelowTimeWithStartup() throws {
    for id in Library.ids {
      let file = try Library.file(id)
      var settings = file.defaultSettings(runtime: "protran")
      let architecture = DesignSpace.flexibert2.architecture(of: Self.points[0])
      let steady = try Twin(file: file, runtime: "protran", settings: settings).predict(architecture)
      settings.includesStartup = true
      let whole = try Twin(file: file, runtime: "protran", settings: settings).predict(architecture)
      #expect(steady.costs.latencySeconds.median < whole.costs.latencySeconds.median, "\(id)")
      #expect(steady.costs.latencySeconds.median > 0, "\(id)")
    }
  }

  @Test func datasheetTwinsSayPriorAndAreWide() throws {
    for id in ["rpi5-cpu", "jetson-orin-nano-gpu", "intel-n100-cpu", "apple-m2-cpu"] {
      let twin = try Twin(file: Library.file(id), runtime: "protran")
      #expect(!twin.isCalibrated)
      let prediction = try twin.predict(DesignSpace.flexibert2.architecture(of: Self.points[1]))
      #expect(prediction.intervalBasis == .prior)
      #expect(prediction.costs.latencySeconds.upper > 1.8 * prediction.costs.latencySeconds.median)
    }
  }

  // MARK: What if

  private func median(
    _ id: String, settings: ((inout Settings) -> Void)? = nil, overrides: [String] = []
  ) throws -> (seconds: Double, width: Double, extrapolated: [String]) {
    let file = try Library.file(id)
    var wanted = file.defaultSettings(runtime: "protran")
    settings?(&wanted)
    let twin = try Twin(
      file: file, runtime: "protran", settings: wanted, overrides: try overrides.map { try Override(parsing: $0) })
    let prediction = try twin.predict(DesignSpace.flexibert2.architecture(of: Self.points[2]))
    let seconds = prediction.costs.latencySeconds
    return (seconds.median, seconds.upper / seconds.lower, prediction.extrapolated)
  }

  @Test func overridesActAsPhysicsSaysAndWidenIntervals() throws {
    for id in ["rpi4-cpu", "a100", "rpi5-cpu"] {
      let base = try median(id)
      for (override, isFaster) in [
        ("memory.bandwidth=2x", true), ("clock=2x", true), ("clock=0.5x", false), ("cores=2x", true),
        ("compute.fp32=0.5x", false), ("host.clock=2x", true),
      ] {
        let changed = try median(id, overrides: [override])
        if isFaster {
          #expect(changed.seconds <= base.seconds, "\(id) \(override)")
        } else {
          #expect(changed.seconds > base.seconds, "\(id) \(override)")
        }
        #expect(changed.width > base.width, "\(id) \(override)")
        #expect(changed.extrapolated.contains(String(override.prefix { $0 != "=" })))
      }
    }
  }

  @Test func twiceTheWorkTakesTwiceTheTimeOfItsTerms() throws {
    let base = try median("rpi4-cpu")
    let long = try median("rpi4-cpu", settings: { $0.sequenceLength = 256 })
    #expect(long.seconds > 1.5 * base.seconds && long.seconds < 4 * base.seconds)
    #expect(long.extrapolated.contains("sequence_length") && long.width > base.width)
    let batch = try median("rpi4-cpu", settings: { $0.batchSize = 8 })
    #expect(batch.seconds < base.seconds && batch.extrapolated.contains("batch_size"))
  }

  @Test(arguments: ["a100", "m1-pro-cpu", "m1-pro-gpu", "jetson-nano-cpu", "jetson-nano-gpu", "ncs2", "rpi4-cpu"])
  func meanPowerStaysBetweenIdleAndPeak(id: String) throws {
    let file = try Library.file(id)
    let base = file.defaultSettings(runtime: "protran")
    var cases: [(Settings, [String])] = [(base, ["host.clock=10x"]), (base, ["host.clock=0.1x"])]
    for (batch, length) in [(1, 128), (4, 128), (base.batchSize, 1), (base.batchSize, 512)] {
      var settings = base
      settings.batchSize = batch
      settings.sequenceLength = length
      cases.append((settings, []))
    }
    for (settings, overrides) in cases {
      let twin = try Twin(
        file: file, runtime: "protran", settings: settings, overrides: overrides.map { try Override(parsing: $0) })
      let compiled = CompiledTwin(twin)
      for point in Self.points {
        let costs = try twin.predict(DesignSpace.flexibert2.architecture(of: point)).costs
        let watts = costs.energyJoules.median / costs.latencySeconds.median
        // Idle is a board's assumed figure; the profiled boards were somewhat below.
        #expect(watts > 0.75 * file.device.power.idle.value, "\(settings) \(overrides)")
        #expect(watts <= costs.peakPowerWatts.median * (1 + 1e-9), "\(settings) \(overrides)")
        let fast = compiled.predict(point).peakPowerWatts.median
        #expect(abs(fast / costs.peakPowerWatts.median - 1) < 1e-9, "\(settings) \(overrides)")
      }
    }
  }

  @Test(arguments: ["ncs2", "m1-pro-gpu", "a100", "rpi4-cpu"])
  func smallerFormatsAreNoSlower(id: String) throws {
    let file = try Library.file(id)
    var settings = file.defaultSettings(runtime: "protran")
    let base = try Twin(file: file, runtime: "protran", settings: settings)
    settings.precision = .int8
    let small = try Twin(file: file, runtime: "protran", settings: settings)
    for point in Self.points {
      let architecture = DesignSpace.flexibert2.architecture(of: point)
      let seconds = try (base.predict(architecture), small.predict(architecture))
      #expect(seconds.1.costs.latencySeconds.median <= seconds.0.costs.latencySeconds.median * (1 + 1e-9))
    }
  }

  @Test func moreMemoryMovesTheKnee() throws {
    // A model of 447 MB pages on a Jetson Nano of 2 GB, not on one of 8 GB.
    let base = try largeModelSeconds([])
    let roomy = try largeModelSeconds(["memory.capacity=8GB"])
    #expect(roomy < base)
  }

  private func largeModelSeconds(_ overrides: [String]) throws -> Double {
    let layers = [Architecture.Layer](
      repeating: .init(
        hiddenSize: 768, headSize: 64, heads: [HeadOperation](repeating: .scaledDotProduct, count: 12),
        feedForward: [3072]), count: 10)
    let model = Architecture(
      vocabularySize: 50265, maximumPositions: 514, typeVocabularySize: 1, position: .relativeKey, layers: layers)
    let twin = try Twin(
      file: Library.file("jetson-nano-gpu"), runtime: "protran",
      overrides: try overrides.map { try Override(parsing: $0) })
    return try twin.predict(model).costs.latencySeconds.median
  }

  @Test func modelThatDoesNotFitIsAnErrorOrSaidToPage() throws {
    let architecture = DesignSpace.flexibert2.architecture(of: Self.points[0])
    let tight = try [Override(parsing: "memory.capacity=0.02GB")]
    let stick = try Twin(file: Library.file("ncs2"), runtime: "protran", overrides: tight)
    #expect(throws: TwinError.self) { try stick.predict(architecture) }
    let board = try Twin(file: Library.file("rpi4-cpu"), runtime: "protran", overrides: tight)
    #expect(try board.predict(architecture).fitsMemory == false)
  }

  @Test func wrongOverridesAreErrorsThatSayWhatToWrite() {
    for text in [
      "memory.bandwidth", "memory.bandwith=2x", "memory.bandwidth=25.6", "memory.bandwidth=25.6GB", "clock=-1GHz",
      "clock=0x", "clock=nanx", "ram=infGB", "=2x",
    ] {
      #expect(throws: TwinError.self, "\(text)") { try Override(parsing: text) }
    }
    #expect(throws: Never.self) { try Override(parsing: "ram=4GB") }
  }

  @Test(arguments: [
    (["cores=2.5"], "cores: 2.5"), (["cores=0.6x"], "cores: 2.4"), (["cores=2x", "cores=0.3x"], "cores: 2.4"),
    (["power.idle=100W"], "power.idle: then power.maximum"), (["power.maximum=1W"], "power.maximum: 1.0 W is below"),
    (["clock=1e300x"], "clock"),
  ])
  func factsThatNoDeviceHasAreErrors(overrides: [String], words: String) throws {
    do {
      _ = try median("rpi4-cpu", overrides: overrides)
      Issue.record("\(overrides) was accepted")
    } catch { #expect("\(error)".contains("--set \(words)"), "\(error)") }
  }

  @Test func overridesThatChangeNothingAreNotNamed() throws {
    let base = try median("rpi4-cpu")
    for overrides in [["memory.bandwidth=1.0x"], ["cores=4"], ["clock=2x", "clock=0.5x"], ["ram=4GB"]] {
      #expect(try median("rpi4-cpu", overrides: overrides) == base, "\(overrides)")
    }
    let twice = try median("rpi4-cpu", overrides: ["clock=2x", "clock=1x"])
    let once = try median("rpi4-cpu", overrides: ["clock=2x"])
    #expect(twice.extrapolated.filter { $0 == "clock" }.count == 1 && twice == once)
  }

  /// As long as held-out rows give more of the width than extrapolation adds, it is theirs.
  @Test func basisIsAPriorWhereAssumptionsOutweighHeldOutRows() throws {
    let file = try Library.file("rpi4-cpu")
    let twin = try Twin(file: file, runtime: "protran")
    let architectures = Self.points.map(DesignSpace.flexibert2.architecture(of:))
    let architecture = try #require(
      architectures.first { (try? twin.predict($0).extrapolated) == [] })
    func prediction(_ factor: Double) throws -> Prediction {
      try Twin(
        file: file, runtime: "protran",
        overrides: [Override(path: "memory.bandwidth", change: .factor(factor))]
      ).predict(architecture)
    }
    let base = try prediction(1).costs.latencySeconds
    #expect(try prediction(1).intervalBasis == .conformal)
    var bases: [Spread.Basis] = []
    for factor in [1.05, 1.2, 1.5, 2, 4] {
      let found = try prediction(factor)
      let added =
        log(found.costs.latencySeconds.upper / found.costs.latencySeconds.lower) - log(base.upper / base.lower)
      #expect((found.intervalBasis == .prior) == (added > log(base.upper / base.lower)), "\(factor)")
      bases.append(found.intervalBasis)
    }
    #expect(bases.first == .conformal && bases.last == .prior)
  }

  @Test func quantitiesCarryUnits() throws {
    for (text, unit, value) in [
      ("20ms", "s", 0.02), ("0.2J", "J", 0.2), ("10W", "W", 10), ("4GB", "B", 4e9), ("4GiB", "B", 4_294_967_296),
      ("25.6GB/s", "B/s", 25.6e9), ("1e3ms", "s", 1), ("48GFLOP/s", "FLOP/s", 48e9), ("2e-1 J", "J", 0.2),
      ("300mJ", "J", 0.3), ("5us", "s", 5e-6),
    ] {
      let quantity = try Quantity(parsing: text, unit: unit)
      #expect(abs(quantity.value - value) <= 1e-12 * value, "\(text)")
    }
    for (text, unit) in [
      ("20", "s"), ("ms", "s"), ("20mW", "s"), ("nanms", "s"), ("", "W"), ("1e999s", "s"), ("20sm", "s"),
    ] {
      #expect(throws: Quantity.ParseError.self, "\(text)") { try Quantity(parsing: text, unit: unit) }
    }
  }

  // MARK: Explanations

  @Test func explanationSumsToThePrediction() throws {
    for id in Library.ids {
      let file = try Library.file(id)
      for startup in [false, true] {
        var settings = file.defaultSettings(runtime: "protran")
        settings.includesStartup = startup
        let twin = try Twin(file: file, runtime: "protran", settings: settings)
        let architecture = DesignSpace.flexibert2.architecture(of: Self.points[3])
        let explanation = try Explanation(twin: twin, architecture: architecture)
        let total = explanation.prediction.costs.latencySeconds.median
        let layers = explanation.layers.reduce(0) { $0 + $1.seconds }
        let causes = explanation.causes.values.reduce(0, +) + explanation.startupSeconds
        #expect(abs(layers - total) <= 1e-9 * total, "\(id)")
        #expect(abs(causes - total) <= 1e-9 * total, "\(id)")
        let classes = explanation.parts.reduce(explanation.unplacedSeconds + explanation.startupSeconds) {
          $0 + $1.seconds
        }
        #expect(abs(classes - total) <= 1e-9 * total, "\(id)")
        let energy = explanation.prediction.costs.energyJoules.median
        let joules = explanation.parts.reduce(explanation.unplacedJoules + explanation.startupJoules) { $0 + $1.joules }
        #expect(abs(joules - energy) <= 1e-9 * energy, "\(id)")
        #expect(explanation.parts.allSatisfy { $0.seconds >= 0 && $0.roofSeconds >= 0 })
        #expect(explanation.parts.contains { $0.seconds > 0 })
        #expect(startup == (explanation.startupSeconds > 0))
      }
    }
  }

  /// Operations that a device leaves to its host, as a person's file says; nothing that costs nothing is bound by anything.
  @Test func explanationSaysWhatRunsOnTheHost() throws {
    let text = try String(contentsOfFile: "\(Library.folder)/ncs2.yaml", encoding: .utf8)
      .replacingOccurrences(
        of: "runtimes:\n", with: "operations: {host_only: [softmax, fourier], source: a test}\nruntimes:\n")
    let twin = try Twin(file: DeviceFile(yaml: text, name: "stick.yaml"), runtime: "protran")
    #expect(twin.device.operations?.hostOnly == [.softmax, .fourier])
    let architecture = DesignSpace.flexibert2.architecture(of: Self.points[3])
    let explanation = try Explanation(twin: twin, architecture: architecture)
    #expect(explanation.parts.contains { $0.runsOnHost })
    for part in explanation.parts {
      #expect(part.runsOnHost == [.softmax, .fourier].contains(part.kernelClass))
      #expect((part.boundBy == nil) == (part.seconds == 0))
    }
    let plain = try Explanation(twin: Twin(file: Library.file("ncs2"), runtime: "protran"), architecture: architecture)
    #expect(plain.parts.allSatisfy { !$0.runsOnHost } && plain.prediction.costs == explanation.prediction.costs)
    let native = try Explanation(
      twin: Twin(file: Library.file("rpi5-cpu"), runtime: "native"), architecture: architecture)
    #expect(native.parts.allSatisfy { ($0.boundBy == nil) == ($0.seconds == 0) })
  }

  // MARK: Files

  @Test func deviceFilesRoundTrip() throws {
    for id in Library.ids {
      let file = try Library.file(id)
      let again = try DeviceFile(yaml: try YAMLFile.encode(file), name: "again")
      #expect(again == file, "\(id)")
    }
  }

  @Test(arguments: [
    ("clock: {value: 1500000000.0, unit: Hz", "clock: {value: 1500000000.0, unit: MHz", "clock.unit"),
    ("clock: {value: 1500000000.0, unit: Hz", "clock: {value: -1, unit: Hz", "clock.value"),
    ("clock: {value: 1500000000.0, unit: Hz", "clock: {value: .nan, unit: Hz", "clock.value"),
    ("clock: {value: 1500000000.0, unit: Hz", "clock: {value: fast, unit: Hz", "clock.value"),
    ("class: cpu", "class: toaster", "class"), ("overflow: page", "overflow: perhaps", "memory.overflow"),
    ("name: Raspberry", "nmae: Raspberry", "name"), ("class: cpu", "class: cpu\ncolour: red", "colour"),
    ("edgetwin.device/1", "edgetwin.device/2", "newer"), ("edgetwin.device/1", "edgetwin.space/1", "schema"),
    ("id: rpi4-cpu", "id: 'rpi 4'", "id"),
  ])
  func brokenDeviceFilesNameThePlace(find: String, replacement: String, place: String) throws {
    let text = try String(contentsOfFile: "\(Library.folder)/rpi4-cpu.yaml", encoding: .utf8)
    let broken = text.replacingOccurrences(of: find, with: replacement)
    #expect(broken != text)
    do {
      _ = try DeviceFile(yaml: broken, name: "pi.yaml")
      Issue.record("\(replacement) was accepted")
    } catch {
      #expect(error.description.hasPrefix("pi.yaml"), "\(error)")
      #expect(error.description.contains(place), "\(error)")
      #expect(!error.description.contains("\n"))
    }
  }

  /// A person's file: facts alone make a twin.
  @Test func factsAloneMakeATwin() throws {
    var file = try Library.file("rpi4-cpu")
    file.runtimes["protran"]?.model = nil
    let twin = try Twin(file: file, runtime: "protran")
    let coefficients = twin.model.latency.forms.flatMap(\.coefficients)
    #expect(!coefficients.isEmpty && coefficients.allSatisfy { $0.provenance == .assumed })
  }
}

@Suite struct ModelTests {
  @Test func monomialsAreAllProductsUpToTheDegree() {
    let monomials = Monomials(variables: 3, degree: 3)
    #expect(monomials.count == 20)
    let z = [2.0, 3.0, 5.0]
    var expected: [Double] = []
    for a in 0...3 {
      for b in 0...3 {
        for c in 0...3 where a + b + c <= 3 {
          expected.append(pow(2, Double(a)) * pow(3, Double(b)) * pow(5, Double(c)))
        }
      }
    }
    #expect(monomials.values(at: z).sorted() == expected.sorted())
    let weights = (0..<20).map(Double.init)
    let sum = z.withUnsafeBufferPointer { monomials.sum(weights: weights, at: $0) }
    #expect(sum == zip(weights, monomials.values(at: z)).reduce(0) { $0 + $1.0 * $1.1 })
  }

  @Test func parameterFunctions() {
    #expect(ParameterFunction(feature: .parameterBytesAbove, at: 3, shape: 1).value(of: 5) == 2)
    #expect(ParameterFunction(feature: .parameterBytesAbove, at: 3, shape: 1).value(of: 2) == 0)
    #expect(ParameterFunction(feature: .parameterPower, at: 2, shape: 5).value(of: 2) == 1)
    #expect(ParameterFunction(feature: .parameterPower, at: 4, shape: 2).value(of: 2) == 0.25)
    // Past the bend it grows in proportion.
    let bend = ParameterFunction(feature: .parameterPower, at: 2, shape: 5)
    #expect(abs(bend.value(of: 9) / bend.value(of: 4.5) - 2) < 1e-12)
    #expect(ParameterFunction(feature: .pagedParameterBytes, at: 10, shape: 10).value(of: 15) == 7.5)
    #expect(ParameterFunction(feature: .pagedParameterBytes, at: 10, shape: 10).value(of: 40) == 40)
  }

  @Test func conformalSpreadHoldsItsLevel() {
    var random = CounterRandom(seed: 2, stream: 0)
    let offsets = (0..<999).map { _ in random.nextNormal() * 0.1 }
    let spread = Spread(conformal: offsets, weights: [Double](repeating: 1, count: 999), rows: 999)
    for level in [0.5, 0.8, 0.9, 0.95] {
      let bounds = spread.offsets(level: level)
      let inside = offsets.count { (bounds.lower...bounds.upper).contains($0) }
      #expect(abs(Double(inside) / 999 - level) < 0.02)
    }
    // Nine rows cannot vouch for 99 %: the interval goes beyond all of them.
    let few = Spread(conformal: Array(offsets.prefix(9)), weights: [Double](repeating: 1, count: 9), rows: 9)
    #expect(few.offsets(level: 0.99).upper > (offsets.prefix(9).max() ?? 0))
    #expect(few.offsets(level: 0.5).upper < few.offsets(level: 0.9).upper)
  }
}
