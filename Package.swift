// swift-tools-version: 6.1
import PackageDescription

// A target a room (ARCHITECTURE.md); arrows point down only.
let package = Package(
  name: "EdgeTwin",
  platforms: [.macOS(.v14)],
  products: [
    .executable(name: "edgetwin", targets: ["edgetwin"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    .package(url: "https://github.com/attaswift/BigInt", from: "6.0.0"),
    // Without its traits, which SwiftPM passes in another order from build to build and then compiles it anew.
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CGSL",
      providers: [.apt(["libgsl-dev"]), .brew(["gsl"])]),
    .target(name: "CKernels"),
    .target(name: "Numerics", dependencies: ["CGSL"]),
    .target(
      name: "Architectures",
      dependencies: [
        "Numerics",
        .product(name: "Yams", package: "Yams"),
        .product(name: "BigInt", package: "BigInt"),
      ]),
    .target(name: "Text"),
    .target(
      name: "ModelFiles",
      dependencies: [
        "Architectures", "Numerics",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["ONNX/onnx.proto"]),
    .target(name: "Kernels", dependencies: ["ModelFiles", "Architectures", "CKernels"]),
    .target(
      name: "Training", dependencies: ["Kernels", "ModelFiles", "Architectures", "CKernels", "Numerics", "Text"]),
    .target(name: "Measurements", dependencies: ["Architectures"]),
    .target(
      name: "Twins",
      dependencies: ["Architectures", "CKernels", "Numerics", .product(name: "Yams", package: "Yams")]),
    .target(name: "Calibration", dependencies: ["Twins", "Measurements", "Numerics"]),
    .target(name: "Accuracy", dependencies: ["Architectures", "Numerics"]),
    .target(
      name: "CoSearch",
      dependencies: ["Accuracy", "Twins", .product(name: "Yams", package: "Yams")]),
    .target(
      name: "GrowAndPrune",
      dependencies: ["Architectures", "Kernels", "ModelFiles", "Numerics", "Text", "Training", "Twins"]),
    .target(
      name: "Studies",
      dependencies: [
        "Architectures", "CoSearch", "Measurements", .product(name: "GRDB", package: "GRDB.swift"),
      ]),
    .target(name: "CBoards"),
    .target(
      name: "Boards",
      dependencies: ["Architectures", "CBoards", "Kernels", "Measurements", "ModelFiles", "Numerics"]),
    .target(
      name: "Workbench",
      dependencies: [
        "Accuracy", "Architectures", "Boards", "Calibration", "CoSearch", "GrowAndPrune", "Kernels", "Measurements",
        "ModelFiles", "Numerics", "Studies", "Text", "Training", "Twins",
      ]),
    .executableTarget(
      name: "edgetwin",
      dependencies: [
        "Accuracy", "Boards", "GrowAndPrune", "Kernels", "ModelFiles", "Studies", "Text", "Training", "Workbench",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    // What compares this project with the published method; not built by `swift build --product edgetwin`.
    .executableTarget(
      name: "edgetwin-benchmarks",
      dependencies: [
        "Accuracy", "Boards", "Calibration", "CoSearch", "Kernels", "Measurements", "ModelFiles", "Numerics", "Studies",
        "Training", "Twins", "Workbench",
      ],
      path: "benchmarks/Sources"),
    .testTarget(name: "NumericsTests", dependencies: ["Numerics"]),
    .testTarget(name: "ArchitecturesTests", dependencies: ["Architectures"]),
    .testTarget(name: "TextTests", dependencies: ["Text"], resources: [.copy("Fixtures")]),
    .testTarget(name: "ModelFilesTests", dependencies: ["ModelFiles"]),
    .testTarget(
      name: "KernelsTests", dependencies: ["CKernels", "Kernels", "ModelFiles"], resources: [.copy("Fixtures")]),
    .testTarget(
      name: "TrainingTests",
      dependencies: ["Architectures", "Kernels", "ModelFiles", "Numerics", "Text", "Training"],
      resources: [.copy("Fixtures")]),
    .testTarget(name: "MeasurementsTests", dependencies: ["Measurements"]),
    .testTarget(name: "TwinsTests", dependencies: ["Twins"]),
    .testTarget(name: "CalibrationTests", dependencies: ["Calibration"]),
    .testTarget(name: "AccuracyTests", dependencies: ["Accuracy"], resources: [.copy("Fixtures")]),
    .testTarget(name: "CoSearchTests", dependencies: ["CoSearch"]),
    .testTarget(
      name: "GrowAndPruneTests",
      dependencies: ["Architectures", "GrowAndPrune", "Kernels", "ModelFiles", "Numerics", "Text", "Training", "Twins"]),
    .testTarget(
      name: "StudiesTests",
      dependencies: ["CoSearch", "Measurements", "Numerics", "Studies", .product(name: "GRDB", package: "GRDB.swift")]),
    .testTarget(name: "BoardsTests", dependencies: ["Boards"]),
    .testTarget(name: "WorkbenchTests", dependencies: ["Workbench"]),
    // Runs the built tool as a user types it; `make test` builds the tool first.
    .testTarget(name: "CommandLineTests"),
  ],
  swiftLanguageModes: [.v6]
)
