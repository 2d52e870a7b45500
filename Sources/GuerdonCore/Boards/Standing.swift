/// One period of a board.
final class Standing {
    /// A member's score and the log position that changed it last; since 0 means "never scored".
    struct Score: BitwiseCopyable {
        var score: Int64 = 0
        var since: UInt64 = 0
    }

    /// One shard's part: scores by member, and the order of those above 0. Plain handles.
    struct Table {
        let scores: Column<Score>
        var order: ScoreIndex
    }

    /// A place on the board.
    struct Place {
        var member: UInt32
        var score: Int64
        var since: UInt64
    }

    let key: Int64
    let tables: UnsafeMutableBufferPointer<Table>
    private let members: IdTable
    private let shardBits: Int

    init(key: Int64, shardCount: Int, members: IdTable, countsDistinct: Bool) {
        self.key = key
        self.members = members
        shardBits = shardCount.trailingZeroBitCount
        tables = .allocate(capacity: shardCount)
        for shard in tables.indices {
            tables.initializeElement(
                at: shard,
                to: Table(scores: Column(default: Score()), order: ScoreIndex(countsDistinctScores: countsDistinct)))
        }
    }

    deinit {
        for table in tables {
            table.scores.deallocate()
            table.order.deallocate()
        }
        tables.deallocate()
    }

    /// Adds to a member's score; his place among equals is by `sequence` from now on.
    @inline(__always)
    func add(
        _ amount: Int64, to member: UInt32, sequence: UInt64,
        near: (old: ScoreIndex.Place, new: ScoreIndex.Place)? = nil
    ) {
        let shard = Int(member) & (tables.count - 1)
        let scores = tables[shard].scores
        let order = tables[shard].order
        let local = Int(member) >> shardBits
        if local >= scores.count { scores.grow(to: local + 1) }
        let old = scores[local]
        let new = Score(score: old.score + amount, since: sequence)
        precondition(new.score >= 0, "a reversal took more from a board than was counted")
        scores[local] = new
        let ids = members
        if old.score > 0, new.score > 0 {
            order.move(
                member: member, from: (old.score, old.since), to: (new.score, new.since),
                near: near ?? (.unknown, .unknown)
            ) { ids.precedes($0, $1) }
        } else if new.score > 0 {
            order.insert(member: member, score: new.score, since: new.since) { ids.precedes($0, $1) }
        } else if old.score > 0 {
            order.remove(member: member, score: old.score, since: old.since) { ids.precedes($0, $1) }
        }
    }

    /// Applies a run of changes in order. Where members live in one shard, their places are looked up together first.
    func add(_ changes: UnsafeBufferPointer<BoardChange>) {
        if tables.count == 1, changes.count > 4 { prefetch(changes) } else { hints.removeAll() }
        for (i, change) in changes.enumerated() {
            add(change.amount, to: change.member, sequence: change.sequence, near: i < hints.count ? hints[i] : nil)
        }
    }

    /// What ``prefetch(_:)`` found; hints only.
    private var hints: ContiguousArray<(old: ScoreIndex.Place, new: ScoreIndex.Place)> = []

    private func prefetch(_ changes: UnsafeBufferPointer<BoardChange>) {
        let table = tables[0]
        for change in changes { table.scores.prefetch(Int(change.member)) }
        withUnsafeTemporaryAllocation(of: ScoreIndex.Standing.self, capacity: 2 * changes.count) { standings in
            withUnsafeTemporaryAllocation(of: ScoreIndex.Place.self, capacity: 2 * changes.count) { places in
                for (i, change) in changes.enumerated() {
                    let local = Int(change.member)
                    let old = local < table.scores.count ? table.scores[local] : Score()
                    standings[2 * i] = (old.score, old.since)
                    standings[2 * i + 1] = (old.score + change.amount, change.sequence)
                }
                table.order.findPlaces(of: UnsafeBufferPointer(standings), into: places)
                hints.removeAll(keepingCapacity: true)
                for (i, change) in changes.enumerated() {
                    table.order.prefetchEntry(member: change.member, at: places[2 * i])
                    hints.append((places[2 * i], places[2 * i + 1]))
                }
            }
        }
    }

    /// A member's score; 0 when he is not on the board.
    func score(of member: UInt32) -> Score {
        let scores = tables[Int(member) & (tables.count - 1)].scores
        let local = Int(member) >> shardBits
        return local < scores.count ? scores[local] : Score()
    }

    /// Members on the board.
    var count: Int { tables.reduce(0) { $0 + $1.order.count } }

    /// Number of members who stand before a place.
    func ordinal(_ place: Place) -> Int {
        tables.reduce(0) {
            $0
                + $1.order.rank(member: place.member, score: place.score, since: place.since) {
                    members.precedes($0, $1)
                }
        }
    }

    /// The rank of a score by a tie style; `ordinal` is the number of members before the place.
    func rank(score: Int64, ordinal: Int, ties: TieStyle) -> Int {
        switch ties {
        case .ordinal: return ordinal + 1
        case .competition: return tables.reduce(0) { $0 + $1.order.entries(above: score) } + 1
        case .dense:
            if tables.count == 1 { return tables[0].order.distinctScores(above: score) + 1 }
            // Shards share scores, so their counts cannot be added up.
            var seen: Set<Int64> = []
            for table in tables {
                table.order.forEach(
                    from: 0, limit: table.order.entries(above: score), precedes: { members.precedes($0, $1) },
                    { _, score, _ in seen.insert(score) })
            }
            return seen.count + 1
        }
    }

    /// The places from `start` on, at most `limit`.
    func places(from start: Int, limit: Int) -> [Place] {
        if tables.count == 1 {
            var result: [Place] = []
            tables[0].order.forEach(from: start, limit: limit, precedes: { members.precedes($0, $1) }) {
                result.append(Place(member: $0, score: $1, since: $2))
            }
            return result
        }
        var all: [Place] = []
        for table in tables {
            table.order.forEach(from: 0, limit: start + limit, precedes: { members.precedes($0, $1) }) {
                all.append(Place(member: $0, score: $1, since: $2))
            }
        }
        all.sort { precedes($0, $1) }
        return Array(all.dropFirst(start).prefix(limit))
    }

    private func precedes(_ a: Place, _ b: Place) -> Bool {
        if a.score != b.score { return a.score > b.score }
        if a.since != b.since { return a.since < b.since }
        return members.precedes(a.member, b.member)
    }

    /// Builds the orders anew from the scores: after loading, or when distinct scores are to be counted.
    func rebuild(countsDistinct: Bool) {
        for shard in tables.indices {
            let scores = tables[shard].scores
            var places: [Place] = []
            for local in 0..<scores.count where scores[local].score > 0 {
                let member = UInt32(local << shardBits | shard)
                places.append(Place(member: member, score: scores[local].score, since: scores[local].since))
            }
            places.sort { precedes($0, $1) }
            tables[shard].order.deallocate()
            let order = ScoreIndex(countsDistinctScores: countsDistinct)
            order.build(count: places.count, precedes: { members.precedes($0, $1) }) {
                (places[$0].member, places[$0].score, places[$0].since)
            }
            tables[shard].order = order
        }
    }

    /// Puts a score back as a snapshot held it; ``rebuild(countsDistinct:)`` comes afterwards.
    func restore(_ score: Score, of member: UInt32) {
        let scores = tables[Int(member) & (tables.count - 1)].scores
        let local = Int(member) >> shardBits
        scores.grow(to: local + 1)
        scores[local] = score
    }
}
