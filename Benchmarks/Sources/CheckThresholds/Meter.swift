import CMeter
import Workloads

/// What an operation costs, however busy the machine is.
struct Cost {
    /// How often memory is asked for, per operation.
    var allocations: Double
    /// Machine instructions per operation; nil when nobody counted.
    var instructions: Double?
}

/// What a workload was found to cost.
struct Measured {
    let workload: Workload
    let cost: Cost
}

/// Runs workloads and counts.
enum Meter {
    /// Allocations per operation.
    static func allocations(of workload: Workload) throws -> Double {
        let session = try warmedUp(workload)
        var sum: UInt64 = 0
        for _ in 0..<workload.calls {
            try session.prepare()
            let before = meter_allocations()
            try session.run()
            sum += meter_allocations() - before
        }
        return Double(sum) / Double(workload.operations * workload.calls)
    }

    /// Has Callgrind count and write a file that bears the workload's name.
    static func writeInstructions(of workload: Workload) throws {
        let session = try warmedUp(workload)
        for _ in 0..<workload.calls {
            try session.prepare()
            meter_begin_instructions()
            try session.run()
            meter_end_instructions()
        }
        meter_write_instructions(workload.name)
    }

    private static func warmedUp(_ workload: Workload) throws -> any Session {
        let session = try workload.session()
        for _ in 0..<workload.warmUp {
            try session.prepare()
            try session.run()
        }
        return session
    }
}

/// What Callgrind counted: a line `NAME SUM` for every workload.
struct InstructionSums {
    private var sums: [Substring: Double] = [:]

    init(path: String) throws {
        for line in try TextFile.read(path).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let sum = Double(words[1]) { sums[words[0]] = sum }
        }
    }

    func perOperation(of workload: Workload) -> Double? {
        sums[Substring(workload.name)].map { $0 / Double(workload.operations * workload.calls) }
    }
}
