import GuerdonClient
import Workloads

/// What operations may cost at most: the file `thresholds.json`, one line a workload.
///
/// Allocations are exact but for a few in a whole run (``allocationTolerance``). A `slack` beside them, put there by hand with a
/// good reason, is how many more are tolerated. Instructions vary a little with the processor and its libraries; more than
/// ``tolerance`` above the number is too many.
struct Thresholds {
    struct Limit {
        var unit: String
        var allocations: Double
        var slack: Double
        var instructions: Double?

        /// Allocations an operation that are not too many.
        var mostAllocations: Double { allocations + max(slack, Thresholds.allocationTolerance) }
    }

    /// Allocations an operation by which a count may differ: a table that grows one operation earlier, once in a run.
    static let allocationTolerance = 0.002

    /// Share of the instructions by which a count may differ.
    static let tolerance = 0.08

    private(set) var limits: [(name: String, limit: Limit)] = []

    init() {}

    init(path: String) throws {
        for member in try JSONValue.parse(try TextFile.read(path)).members {
            func number(_ key: String) -> Double? { member.value[key]?.text.flatMap { Double($0) } }
            guard let unit = member.value["unit"]?.text, let allocations = number("allocations") else {
                throw TextFile.Failure(path: path, reason: "\(member.key) has no unit or no number of allocations")
            }
            let limit = Limit(
                unit: unit, allocations: allocations, slack: number("slack") ?? 0, instructions: number("instructions"))
            limits.append((member.key, limit))
        }
    }

    subscript(name: String) -> Limit? { limits.first { $0.name == name }?.limit }

    /// Takes what was measured as the new limits; keeps the slack, and the instructions where they were not counted.
    mutating func update(from measured: [Measured]) {
        limits = measured.map { item in
            let old = self[item.workload.name]
            let limit = Limit(
                unit: item.workload.unit, allocations: Thresholds.rounded(item.cost.allocations),
                slack: old?.slack ?? 0,
                instructions: item.cost.instructions?.rounded() ?? old?.instructions)
            return (item.workload.name, limit)
        }
    }

    func write(to path: String) throws {
        let lines = limits.map { name, limit in
            var fields = [
                "\"unit\": \(JSONValue.quoted(limit.unit))", "\"allocations\": \(text(of: limit.allocations))",
            ]
            if limit.slack > 0 { fields.append("\"slack\": \(text(of: limit.slack))") }
            if let instructions = limit.instructions { fields.append("\"instructions\": \(text(of: instructions))") }
            return "  \(JSONValue.quoted(name)): {\(fields.joined(separator: ", "))}"
        }
        try TextFile.write("{\n" + lines.joined(separator: ",\n") + "\n}\n", to: path)
    }

    /// Allocations an operation, rounded up to the ten-thousandth.
    static func rounded(_ allocations: Double) -> Double { (allocations * 10_000).rounded(.up) / 10_000 }
}

/// A number without a needless `.0`.
func text(of number: Double) -> String {
    number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
}
