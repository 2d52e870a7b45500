import Workloads

/// Costs beside their limits, and what to say about each.
struct Report {
    /// A table, and a line of advice when something could be tightened.
    let text: String
    /// Whether some cost is beyond its limit, or has none.
    let isFailed: Bool

    /// What the comparison of one cost with its limit came to.
    private enum Verdict: Equatable {
        case within
        case better
        case worse(String)
    }

    init(_ measured: [Measured], thresholds: Thresholds) {
        var rows = [["", "allocations", "at most", "instructions", "about", ""]]
        var verdicts: [Verdict] = []
        for item in measured {
            let limit = thresholds[item.workload.name]
            let verdict = limit.map { Report.judge(item.cost, $0) } ?? .worse("has no threshold")
            verdicts.append(verdict)
            let note =
                switch verdict {
                case .within: ""
                case .better: "better: tighten"
                case .worse(let why): "FAILED: \(why)"
                }
            rows.append([
                "\(item.workload.name), per \(item.workload.unit)",
                CheckThresholds.text(of: Thresholds.rounded(item.cost.allocations)),
                limit.map { CheckThresholds.text(of: Thresholds.rounded($0.mostAllocations)) } ?? "?",
                item.cost.instructions.map { CheckThresholds.text(of: $0.rounded()) } ?? "",
                limit?.instructions.map { CheckThresholds.text(of: $0) } ?? "", note,
            ])
        }
        let names = Set(measured.map(\.workload.name))
        let stale = thresholds.limits.map(\.name).filter { !names.contains($0) }
        for name in stale { rows.append([name, "", "", "", "", "FAILED: there is no such workload any more"]) }
        isFailed = !stale.isEmpty || verdicts.contains { if case .worse = $0 { true } else { false } }
        text =
            Report.aligned(rows)
            + (verdicts.contains(.better) ? "\nSome counts are better than they were: `Benchmarks/check --update`" : "")
    }

    private static func judge(_ cost: Cost, _ limit: Thresholds.Limit) -> Verdict {
        let allocations = Thresholds.rounded(cost.allocations)
        if allocations > limit.mostAllocations { return .worse("more allocations") }
        if let measured = cost.instructions {
            guard let expected = limit.instructions else { return .worse("no threshold for instructions") }
            if measured > expected * (1 + Thresholds.tolerance) { return .worse("more instructions") }
            if measured < expected * (1 - Thresholds.tolerance) { return .better }
        }
        let fewest = limit.allocations - (limit.mostAllocations - limit.allocations)
        return allocations < fewest ? .better : .within
    }

    /// Columns of equal width; names to the left, numbers to the right.
    private static func aligned(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                let isText = column == 0 || column == row.count - 1
                line += (column == 0 ? "" : "  ") + (isText ? cell + padding : padding + cell)
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}
