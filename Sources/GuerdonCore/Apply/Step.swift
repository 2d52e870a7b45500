/// Actions that are read, resolved, evaluated and booked together.
///
/// What a phase finds out about an action stands in its row. Phases follow each other group by group, and what one of them starts
/// to load for a group is there when the next one comes to that group, see ``forEachTurn(_:_:lag:_:)``.
final class Step {
    /// Most rows of a step.
    static let capacity = 512
    let rows = Buffer<ActionRow>(capacity: Step.capacity)
    /// The shapes that rows name; `nil` where there is no such workspace.
    var shapes: ContiguousArray<ActiveShape?> = []
    let uplines = Uplines()
    /// Where the ids of the rows are looked for.
    let idSearches = UnsafeMutablePointer<IdSearch>.allocate(capacity: Step.capacity)
    let memberSearches = UnsafeMutablePointer<IdSearch>.allocate(capacity: Step.capacity)

    /// Whether what actions earn depends on nothing but their values.
    var isUnconditional: Bool { shapes.allSatisfy { $0.map { $0.unconditional != nil } ?? true } }

    deinit {
        rows.deallocate()
        uplines.deallocate()
        idSearches.deallocate()
        memberSearches.deallocate()
    }

    /// Takes all rows through stages, as one shard does that knows all members.
    ///
    /// - Parameters:
    ///   - lane: what is evaluated goes into its only outbox.
    ///   - postings: where booking appends a posting for every reward; `nil` when nobody asks for them.
    func perform(_ stages: Stages, _ lane: ShardLane, _ postings: Buffer<Posting>?) {
        let isBooked = stages.order.contains(.book)
        let first = stages.first.rawValue
        forEachTurn(rows.count, stages.order, lag: { $0.rawValue - first }) { stage, group in
            switch stage {
            case .searchIds: searchIds(group)
            case .searchMembers: searchMembers(group)
            case .finishIds: finishIds(group)
            case .finishMembers: finishMembers(group)
            case .resolve: resolve(group)
            case .climb: climb(group)
            case .evaluate: if isBooked { prepareToPay(group, lane) } else { evaluate(group, lane) }
            case .book: pay(group, into: postings, lane)
            }
        }
        applyChanges(lane.changes)
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

/// What happens to a group of rows, one after the other.
enum Stage: Int {
    case searchIds
    case searchMembers
    case finishIds
    case finishMembers
    case resolve
    case climb
    case evaluate
    case book
}

/// Stages that follow each other, and in which order a turn goes through them.
struct Stages {
    let first: Stage
    let order: [Stage]

    /// Booking empties what evaluation fills, so it comes first. For the rest the order is free: stages that ask for many lines of
    /// memory at once are kept apart by stages that compute.
    private static let all: [Stage] = [
        .book, .searchIds, .resolve, .finishIds, .searchMembers, .evaluate, .climb, .finishMembers,
    ]

    private init(_ first: Stage, _ last: Stage) {
        self.first = first
        order = Stages.all.filter { $0.rawValue >= first.rawValue && $0.rawValue <= last.rawValue }
    }

    static let resolving = Stages(.searchIds, .resolve)
    static let resolvingAndClimbing = Stages(.searchIds, .climb)
    static let evaluating = Stages(.climb, .evaluate)
    static let paying = Stages(.climb, .book)
    static let everything = Stages(.searchIds, .book)
}
