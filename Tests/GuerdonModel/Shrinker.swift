/// Makes a failing stream small, so that a person can read it.
public enum Shrinker {
    /// The shortest stream it finds that still fails: first whole batches are left out, then lines, each in ever
    /// smaller groups (delta debugging).
    ///
    /// `fails` must be a pure function of the stream: it builds engine and model anew each time.
    public static func minimize(
        _ steps: [StreamGenerator.Step], fails: ([StreamGenerator.Step]) -> Bool
    ) -> [StreamGenerator.Step] {
        guard fails(steps) else { return steps }
        let batches = reduce(steps, fails: fails)
        let lines = batches.enumerated().flatMap { batch, step in
            step.lines.map { Piece(batch: batch, time: step.time, line: $0) }
        }
        return assemble(reduce(lines) { fails(assemble($0)) })
    }

    private struct Piece {
        let batch: Int
        let time: Int64
        let line: String
    }

    /// Lines of one batch stay together.
    private static func assemble(_ pieces: [Piece]) -> [StreamGenerator.Step] {
        var steps: [StreamGenerator.Step] = []
        var last: Int?
        for piece in pieces {
            if piece.batch == last {
                steps[steps.count - 1].lines.append(piece.line)
            } else {
                steps.append(StreamGenerator.Step(time: piece.time, lines: [piece.line]))
            }
            last = piece.batch
        }
        return steps
    }

    /// Leaves out groups of elements, halving the size of the groups, until no single element can go.
    static func reduce<Element>(_ elements: [Element], fails: ([Element]) -> Bool) -> [Element] {
        var kept = elements
        var size = max(1, kept.count / 2)
        while true {
            var position = 0
            var hasShrunk = false
            while position < kept.count {
                var fewer = kept
                fewer.removeSubrange(position..<min(position + size, kept.count))
                if !fewer.isEmpty, fails(fewer) {
                    kept = fewer
                    hasShrunk = true
                } else {
                    position += size
                }
            }
            if size == 1 && !hasShrunk { return kept }
            size = max(1, size / 2)
        }
    }
}
