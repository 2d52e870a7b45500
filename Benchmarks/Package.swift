// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("MemberImportVisibility"),
]

func guerdon(_ names: String...) -> [Target.Dependency] {
    names.map { .product(name: $0, package: "guerdon") }
}

let package = Package(
    name: "guerdon-benchmarks",
    products: [.executable(name: "check-thresholds", targets: ["CheckThresholds"])],
    dependencies: [
        .package(name: "guerdon", path: "../"),
        // Without traits: what they add is not needed here, as allocations are counted by CMeter.
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.0", traits: []),
    ],
    targets: [
        // What is measured; by whom is not its business.
        .target(
            name: "Workloads",
            dependencies: guerdon("CEL", "GuerdonBench", "GuerdonCore", "GuerdonStore", "GuerdonWire"),
            swiftSettings: settings),

        // Counts, compared with thresholds.json; builds without the benchmark library.
        .target(name: "CMeter"),
        .executableTarget(
            name: "CheckThresholds", dependencies: ["Workloads", "CMeter"] + guerdon("GuerdonClient"),
            swiftSettings: settings),

        // Times, for people: `swift package benchmark`.
        .executableTarget(
            name: "Suites", dependencies: ["Workloads", .product(name: "Benchmark", package: "benchmark")],
            path: "Benchmarks/Suites", swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
