/// One period of a board: everybody's score, and their order.
///
/// Scores change with every action, the order only when somebody asks for it or thousands of changes have gathered: a
/// member who scores ten times in between moves once, and many moves at once cost less than half of what they cost alone.
final class Standing {
    /// A member's score and the log position that changed it last; since 0 means "never scored".
    struct Score: BitwiseCopyable {
        var score: Int64 = 0
        // 48 bits of log position, and above them the ``mark``.
        private var word: UInt64 = 0

        init(score: Int64 = 0, since: UInt64 = 0, mark: UInt16 = 0) {
            self.score = score
            word = since | UInt64(mark) << ScoreKey.sinceBits
        }

        var since: UInt64 { word & (1 << ScoreKey.sinceBits - 1) }

        /// Where among the ``Table/pending`` the member may be, or was some time ago; of no meaning to anybody else.
        var mark: UInt16 { UInt16(truncatingIfNeeded: word >> ScoreKey.sinceBits) }
    }

    /// One shard's part: scores by member, and the order of those above 0. Plain handles.
    struct Table {
        let scores: Column<Score>
        var order: ScoreIndex
        /// Members whose place in the order is not that of their score, each once: from that place to the score's.
        let pending = Buffer<ScoreIndex.Change>()
        /// Changes that are being brought into the order.
        let moving = Buffer<ScoreIndex.Change>()
        /// Counts how often `pending` was emptied, in the upper bits of a mark.
        var round: UInt16 = 0

        /// The mark of a place in `pending`.
        @inline(__always)
        func mark(_ place: Int) -> UInt16 { round | UInt16(truncatingIfNeeded: place) }

        /// Where a mark says that a member is in `pending`, if it is of this round.
        @inline(__always)
        func place(_ mark: UInt16) -> Int? {
            let place = mark ^ round
            return Int(place) < pending.count ? Int(place) : nil
        }
    }

    /// Changes that gather before the order follows: half a millisecond of work for whoever asks next. No more than a ``Score``'s
    /// mark can tell apart.
    private static let pendingLimit = 1 << placeBits
    /// Bits of a mark that are a place; the others are a round.
    private static let placeBits = 12

    /// A place on the board.
    struct Place: BitwiseCopyable {
        var member: UInt32
        var score: Int64
        var since: UInt64
    }

    let key: Int64
    let tables: UnsafeMutableBufferPointer<Table>
    /// Whether the order waits for the end of a replay, to be built from the scores.
    private var isPutOff = false
    /// Changes that were brought into the order in this replay.
    private var replayedChanges = 0
    private let members: IdTable
    private let shardBits: Int
    /// The scores of all shards; only where dense ranks are wanted, and a table does not know them all by itself.
    private var distinct: DistinctScores?
    private let side: SideWork?

    init(key: Int64, shardCount: Int, members: IdTable, countsDistinct: Bool, side: SideWork? = nil) {
        precondition(side == nil || shardCount == 1, "several shards bring their orders up by themselves")
        self.key = key
        self.members = members
        self.side = side
        shardBits = shardCount.trailingZeroBitCount
        tables = .allocate(capacity: shardCount)
        let isAlone = shardCount == 1
        for shard in tables.indices {
            let order = ScoreIndex(countsDistinctScores: countsDistinct && isAlone)
            tables.initializeElement(at: shard, to: Table(scores: Column(default: Score()), order: order))
        }
        if countsDistinct, !isAlone { distinct = DistinctScores(shardCount: shardCount) }
    }

    deinit {
        side?.finish()
        for table in tables {
            table.scores.deallocate()
            table.order.deallocate()
            table.pending.deallocate()
            table.moving.deallocate()
        }
        tables.deallocate()
        distinct?.deallocate()
    }

    /// Takes what shards noted while they worked side by side; for the owner, in between.
    @inline(__always) func settle() { distinct?.settle() }

    /// Adds to scores, in order; a member's place among equals is by the newest sequence.
    func add(_ changes: UnsafeBufferPointer<BoardChange>) {
        let mask = tables.count - 1
        for change in changes.prefix(prefetchDistance) { prefetchScore(change.member) }
        for (number, change) in changes.enumerated() {
            let later = number &+ prefetchDistance
            if later < changes.count { prefetchScore(changes[later].member) }
            let table = tables[Int(change.member) & mask]
            let local = Int(change.member) &>> shardBits
            if local >= table.scores.count { table.scores.grow(to: local + 1) }
            let old = table.scores[local]
            let new = (score: old.score + change.amount, since: change.sequence)
            precondition(new.score >= 0, "a reversal took more from a board than was counted")
            if isPutOff {
                table.scores[local] = Score(score: new.score, since: new.since)
                continue
            }
            // Marks of other rounds mean nothing; one in sixteen of them looks like one of this round.
            if let place = table.place(old.mark), table.pending[place].member == change.member {
                table.scores[local] = Score(score: new.score, since: new.since, mark: old.mark)
                table.pending[place].new = new
                continue
            }
            table.scores[local] = Score(score: new.score, since: new.since, mark: table.mark(table.pending.count))
            table.pending.append(.init(member: change.member, old: (old.score, old.since), new: new))
            if table.pending.count >= Standing.pendingLimit { startBringUp(Int(change.member) & mask) }
        }
    }

    @inline(__always)
    private func prefetchScore(_ member: UInt32) {
        tables[Int(member) & (tables.count &- 1)].scores.prefetch(Int(member) &>> shardBits)
    }

    /// Adds to one member's score.
    func add(_ amount: Int64, to member: UInt32, sequence: UInt64) {
        let change = BoardChange(
            standing: Unmanaged.passUnretained(self), member: member, amount: amount, sequence: sequence)
        withUnsafePointer(to: change) { add(UnsafeBufferPointer(start: $0, count: 1)) }
    }

    /// Brings a shard's order up to its scores, beside the caller if there is somebody to do it.
    private func startBringUp(_ shard: Int) {
        guard let side else { return bringUp(shard) }
        if side.isReplay { return bringUpInReplay(shard) }
        side.finish()
        gatherChanges(shard)
        let (table, members) = (tables[shard], members)
        side.start { table.order.apply(table.moving.elements) { members.precedes($0, $1) } }
    }

    /// The same in a replay, perhaps beside the owner already: more than a few changes cost more than to build the order anew
    /// when somebody asks for it.
    private func bringUpInReplay(_ shard: Int) {
        let table = tables[shard]
        replayedChanges += table.pending.count
        guard replayedChanges < table.order.count / 4, !isPutOff else {
            isPutOff = true
            return table.pending.removeAll()
        }
        applyPending(shard)
    }

    /// Ends a replay: the order is that of the scores again.
    func endReplay() {
        bringUp()
        replayedChanges = 0
    }

    /// Brings a shard's order up to its scores.
    private func bringUp(_ shard: Int) {
        side?.finish()
        if isPutOff { return rebuild(countsDistinct: tables[shard].order.countsDistinctScores) }
        if !tables[shard].pending.isEmpty { applyPending(shard) }
    }

    private func applyPending(_ shard: Int) {
        gatherChanges(shard)
        let table = tables[shard]
        table.order.apply(table.moving.elements) { members.precedes($0, $1) }
    }

    /// Makes what is pending what is brought into the order next.
    private func gatherChanges(_ shard: Int) {
        let table = tables[shard]
        table.moving.removeAll()
        table.moving.exchange(with: table.pending)
        tables[shard].round &+= 1 << Standing.placeBits
        guard let distinct else { return }
        for change in table.moving.elements {
            distinct.note(shard: shard, from: change.old.score, to: change.new.score)
        }
    }

    /// Brings all orders up to the scores; to be called before one is read.
    private func bringUp() {
        for shard in tables.indices { bringUp(shard) }
    }

    /// A member's score; 0 when he is not on the board.
    func score(of member: UInt32) -> Score {
        let scores = tables[Int(member) & (tables.count - 1)].scores
        let local = Int(member) >> shardBits
        return local < scores.count ? scores[local] : Score()
    }

    /// Members on the board.
    var count: Int {
        bringUp()
        return tables.reduce(0) { $0 + $1.order.count }
    }

    /// Number of members who stand before a place.
    func ordinal(_ place: Place) -> Int {
        bringUp()
        return tables.reduce(0) {
            $0
                + $1.order.rank(member: place.member, score: place.score, since: place.since) {
                    members.precedes($0, $1)
                }
        }
    }

    /// The rank of a score by a tie style; `ordinal` is the number of members before the place.
    func rank(score: Int64, ordinal: Int, ties: TieStyle) -> Int {
        bringUp()
        switch ties {
        case .ordinal: return ordinal + 1
        case .competition: return tables.reduce(0) { $0 + $1.order.entries(above: score) } + 1
        case .dense:
            guard let distinct else { return tables[0].order.distinctScores(above: score) + 1 }
            distinct.settle()
            return distinct.count(above: score) + 1
        }
    }

    /// Where reading whole shards down to a place costs more than finding the shards' parts of it.
    private static let deepPlace = 256

    /// Calls `body` with the places from `start` on, at most `limit`, in order.
    func forEachPlace(from start: Int, limit: Int, _ body: (Place) -> Void) {
        bringUp()
        guard tables.count == 1 else { return merged(from: start, limit: limit).forEach(body) }
        tables[0].order.forEach(from: start, limit: limit, precedes: { members.precedes($0, $1) }) {
            body(Place(member: $0, score: $1, since: $2))
        }
    }

    /// The places from `start` on, at most `limit`, of several shards.
    private func merged(from start: Int, limit: Int) -> [Place] {
        guard start < count else { return [] }
        // What each shard has before the window need not be read, however far down it is.
        let cut =
            start < Standing.deepPlace
            ? nil : ScoreIndex.cut(at: start, of: tables.map(\.order)) { members.precedes($0, $1) }
        var all: [Place] = []
        for (shard, table) in tables.enumerated() {
            let from = cut?[shard] ?? 0
            let most = cut == nil ? start + limit : limit
            table.order.forEach(from: from, limit: most, precedes: { members.precedes($0, $1) }) {
                all.append(Place(member: $0, score: $1, since: $2))
            }
        }
        all.sort { precedes($0, $1) }
        return Array(all.dropFirst(cut == nil ? start : 0).prefix(limit))
    }

    private func precedes(_ a: Place, _ b: Place) -> Bool {
        if a.score != b.score { return a.score > b.score }
        if a.since != b.since { return a.since < b.since }
        return members.precedes(a.member, b.member)
    }

    /// Builds the orders anew from the scores: when distinct scores are to be counted, or are no longer.
    func rebuild(countsDistinct: Bool) {
        side?.finish()
        build(countsDistinct: countsDistinct)
    }

    /// Begins to build the orders from scores that were restored, beside the caller if there is somebody to do it: then it is
    /// done when that one has finished.
    func startBuild(countsDistinct: Bool) {
        guard let side else { return build(countsDistinct: countsDistinct) }
        // Whoever reads or changes the standing waits for the side work first.
        let loan = Loan(self)
        side.start { loan.lent.build(countsDistinct: countsDistinct) }
    }

    private func build(countsDistinct: Bool) {
        isPutOff = false
        distinct?.deallocate()
        distinct = countsDistinct && tables.count > 1 ? DistinctScores(shardCount: tables.count) : nil
        for shard in tables.indices {
            let scores = tables[shard].scores
            tables[shard].pending.removeAll()
            var count = 0
            for local in 0..<scores.count where scores[local].score > 0 {
                count += 1
                distinct?.note(shard: shard, from: 0, to: scores[local].score)
            }
            tables[shard].order.deallocate()
            let order = ScoreIndex(countsDistinctScores: countsDistinct && tables.count == 1)
            var local = 0
            order.rebuild(count: count, precedes: { self.members.precedes($0, $1) }) { _ in
                while scores[local].score == 0 { local += 1 }
                let score = scores[local]
                local += 1
                return (UInt32((local - 1) << shardBits | shard), score.score, score.since)
            }
            tables[shard].order = order
        }
        distinct?.settle()
    }

    /// Puts a score back as a snapshot held it; ``startBuild(countsDistinct:)`` comes afterwards.
    func restore(_ score: Score, of member: UInt32) {
        let scores = tables[Int(member) & (tables.count - 1)].scores
        let local = Int(member) >> shardBits
        scores.grow(to: local + 1)
        scores[local] = score
    }
}
