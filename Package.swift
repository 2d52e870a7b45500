// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []) -> Target {
    .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: ["TestSupport"] + dependencies, swiftSettings: settings)
}

let package = Package(
    name: "guerdon",
    // The libraries are there for the package of the benchmarks; their interfaces change without notice.
    products: [.executable(name: "guerdon", targets: ["guerdon"])]
        + ["CEL", "GuerdonBench", "GuerdonClient", "GuerdonCore", "GuerdonStore", "GuerdonWire"].map {
            .library(name: $0, targets: [$0])
        },
    dependencies: [
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    ],
    targets: [
        // C and C++: small doors to libraries and instructions.
        .target(name: "CIntrinsics"),
        .target(name: "CChecksum"),
        .target(name: "CPoll"),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        // SwiftPM does not define NDEBUG; without it simdjson's assertions cost half the decoder.
        .target(
            name: "CSimdjson", cxxSettings: [.define("NDEBUG")], linkerSettings: [.linkedLibrary("simdjson")]),

        // The deterministic core.
        library("CEL"),
        library("GuerdonCore", ["CEL", "CIntrinsics"]),

        // Storage, wire, engine, server.
        library("GuerdonStore", ["GuerdonCore", "CIntrinsics", "CZstd", "CChecksum"]),
        library("GuerdonWire", ["GuerdonCore", "CSimdjson"]),
        library("GuerdonEngine", ["GuerdonCore", "GuerdonStore", "CIntrinsics"]),
        library(
            "GuerdonServer",
            [
                "GuerdonCore", "GuerdonEngine", "GuerdonWire", "CPoll",
                .product(name: "DequeModule", package: "swift-collections"),
            ]),

        // The command line.
        library("CELTool", ["CEL"]),
        library("GuerdonClient"),
        library("GuerdonBench", ["GuerdonClient", "CPoll"]),
        .executableTarget(
            name: "guerdon",
            dependencies: [
                "CELTool", "GuerdonBench", "GuerdonClient", "GuerdonCore", "GuerdonEngine", "GuerdonServer",
                "GuerdonStore", "GuerdonWire",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),

        // Tests. GuerdonModel is the naive model that everything is compared with.
        .target(
            name: "TestSupport", dependencies: ["GuerdonCore"], path: "Tests/TestSupport", swiftSettings: settings),
        .target(
            name: "GuerdonModel", dependencies: ["TestSupport"], path: "Tests/GuerdonModel",
            swiftSettings: settings),
        tests("GuerdonModelTests", ["GuerdonModel"]),
        tests("CELTests", ["CEL", "CELTool"]),
        tests("CollectionsTests", ["GuerdonCore", "CIntrinsics"]),
        tests("GuerdonStoreTests", ["GuerdonStore", "GuerdonCore"]),
        tests("GuerdonWireTests", ["GuerdonWire", "GuerdonCore", "CSimdjson"]),
        tests("GuerdonCLITests", ["guerdon", "GuerdonClient", "GuerdonBench"]),
        tests(
            "GuerdonServerTests", ["GuerdonServer", "GuerdonEngine", "GuerdonCore", "GuerdonStore", "GuerdonWire"]),
        tests("EndToEndTests", ["guerdon", "GuerdonClient", "GuerdonBench"]),
        tests(
            "EquivalenceTests",
            [
                "GuerdonModel", "GuerdonClient", "GuerdonCore", "GuerdonEngine", "GuerdonServer", "GuerdonStore",
                "GuerdonWire", "CELTool",
            ]),
    ],
    cxxLanguageStandard: .cxx20
)
