import CMeter
import Glibc
import Workloads

/// Compares what every workload costs with the committed thresholds.
///
/// Allocations are counted in this process. Instructions are counted by Callgrind: the script `check` runs this program
/// once under Valgrind, and gives it the sums afterwards.
@main
struct Check {
    private static let usage = """
        usage: check-thresholds [--update] [--instructions FILE] THRESHOLDS
               valgrind --tool=callgrind --instr-atstart=no check-thresholds --count-instructions [WORKLOAD…]

        """

    static func main() throws {
        var arguments = CommandLine.arguments.dropFirst()
        var isUpdating = false
        var instructions: InstructionSums?
        while let option = arguments.first, option.hasPrefix("--") {
            arguments.removeFirst()
            switch option {
            case "--count-instructions" where meter_is_under_valgrind():
                for workload in Workload.all where arguments.isEmpty || arguments.contains(workload.name) {
                    try Meter.writeInstructions(of: workload)
                }
                return
            case "--update": isUpdating = true
            case "--instructions":
                guard let path = arguments.popFirst() else { fail(usage) }
                instructions = try InstructionSums(path: path)
            default: fail(usage)
            }
        }
        guard arguments.count == 1, let path = arguments.first else { fail(usage) }
        let measured = try Workload.all.map { workload in
            let cost = Cost(
                allocations: try Meter.allocations(of: workload), instructions: instructions?.perOperation(of: workload)
            )
            return Measured(workload: workload, cost: cost)
        }
        if isUpdating {
            var thresholds = (try? Thresholds(path: path)) ?? Thresholds()
            thresholds.update(from: measured)
            try thresholds.write(to: path)
        }
        let report = Report(measured, thresholds: try Thresholds(path: path))
        print(report.text)
        if report.isFailed { fail("check-thresholds: not within \(path) (above)\n") }
    }

    private static func fail(_ message: String) -> Never {
        _ = message.withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(1)
    }
}
