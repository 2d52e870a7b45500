import TestSupport

/// Cuts the same lines at the same times into other batches: replies and state must not change.
public enum Recutter {
    /// A stream with the same lines in the same order at the same times, in other batches: batches are split
    /// anywhere, and neighbours of the same time are joined. Reads stay behind the commands that they were behind
    /// and before those that came later, so a batch never has a command behind a read.
    public static func recut(_ steps: [StreamGenerator.Step], seed: UInt64) -> [StreamGenerator.Step] {
        var random = SplitMix64(seed: seed)
        // 0: every line alone; 9: as large as can be.
        let size = random.number(0...9)
        var result: [StreamGenerator.Step] = []
        var endsWithRead = false
        for step in steps {
            for line in step.lines {
                let isRead = isRead(line)
                let mayJoin = result.last?.time == step.time && !(endsWithRead && !isRead)
                if mayJoin && random.number(0...9) < size {
                    result[result.count - 1].lines.append(line)
                } else {
                    result.append(StreamGenerator.Step(time: step.time, lines: [line]))
                }
                endsWithRead = isRead
            }
        }
        return result
    }

    private static let reads: Set<String> = [
        "member.get", "wallet", "statement", "upline", "downline", "board.top", "board.rank", "explain", "stats",
        "ping",
    ]

    /// Whether the line is a read; what is no request at all changes nothing and counts as a command.
    static func isRead(_ line: String) -> Bool {
        guard let op = (try? JSONParser.parse(line))?["op"]?.string else { return false }
        return reads.contains(op)
    }
}
