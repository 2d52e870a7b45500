/// Actions that are read, resolved, evaluated and booked together.
///
/// What a phase finds out about an action stands in its row; phases follow each other in runs of rows, so that the memory
/// they wait for is loaded for many at once.
final class Step {
    /// Most rows of a step.
    static let capacity = 512
    /// Rows that go through a phase together: enough to hide the memory's latency, few enough for the nearest cache.
    static let runRows = 64

    let rows = Buffer<ActionRow>(capacity: Step.capacity)
    /// The shapes that rows name; `nil` where there is no such workspace.
    var shapes: ContiguousArray<ActiveShape?> = []
    let uplines = Uplines()

    /// Whether what actions earn depends on nothing but their values.
    var isUnconditional: Bool { shapes.allSatisfy { $0.map { $0.unconditional != nil } ?? true } }

    deinit {
        rows.deallocate()
        uplines.deallocate()
    }

    /// Calls `body` with all rows, a run at a time.
    @inline(__always)
    func forEachRun(_ body: (Range<Int>) throws -> Void) rethrows {
        var start = 0
        while start < rows.count {
            let end = min(start + Step.runRows, rows.count)
            try body(start..<end)
            start = end
        }
    }

    /// Calls `body` with runs of rows that share a shape, in order; the shape is `nil` where there is no such workspace.
    @inline(__always)
    func forEachShape(in range: Range<Int>, _ body: (ActiveShape?, Range<Int>) -> Void) {
        var start = range.lowerBound
        while start < range.upperBound {
            let number = rows[start].shape
            var end = start + 1
            while end < range.upperBound, rows.address(of: end).pointee.shape == number { end += 1 }
            body(shapes[Int(number)], start..<end)
            start = end
        }
    }
}
