import Benchmark
import Workloads

/// Times for people. What a machine may hold against a change is counted by `check-thresholds` instead.
let benchmarks: @Sendable () -> Void = {
    for workload in Workload.all {
        // A batch of 1,000 operations is shown as the time of one.
        let configuration = Benchmark.Configuration(
            metrics: [.wallClock, .throughput], warmupIterations: workload.warmUp,
            scalingFactor: workload.operations == 1_000 ? .kilo : .one, maxDuration: .seconds(1), maxIterations: 1_000)
        Benchmark(workload.name, configuration: configuration) { benchmark, session in
            try session.prepare()
            benchmark.startMeasurement()
            try session.run()
            benchmark.stopMeasurement()
        } setup: {
            try workload.session()
        }
    }
}
