/// The live order of a leaderboard: members by score, highest first, with exact ranks in logarithmic time.
///
/// Equal scores stand in the order of `since`, the log sequence of the last change: whoever got there first stands higher. Members equal
/// in both are told apart by `precedes`, a strict order of members (by id, say) that every call is given and that must never
/// change; it is called in that case only.
///
/// The index keeps no map from members to entries: the caller knows each member's current score and since, and names them to
/// move it. Moving what is not there is a programming error and traps.
///
/// ```swift
/// let board = ScoreIndex(countsDistinctScores: false)
/// changes.append(.init(member: 7, old: (120, 1), new: (150, 9)))  // and thousands more
/// changes.withUnsafeBufferPointer { board.apply($0, precedes: table.precedes) }
/// let standing = board.rank(member: 7, score: 150, since: 9, precedes: table.precedes) + 1
/// ```
///
/// A handle: copies share one storage. The owner calls `deallocate()` once.
public struct ScoreIndex: @unchecked Sendable {
    // Sendable by ownership: one thread at a time, phases of different threads are separated by barriers.
    private let tree: RankTree
    private let distinct: RankTree?

    /// A score, 0 or more, and the log sequence of the change that made it, of at most 48 bits.
    public typealias Standing = (score: Int64, since: UInt64)

    /// Makes an empty index.
    ///
    /// - Parameter countsDistinctScores: whether `distinctScores(above:)` will be asked; every change then costs a second search.
    public init(countsDistinctScores: Bool) {
        tree = RankTree()
        distinct = countsDistinctScores ? RankTree() : nil
    }

    /// The number of entries.
    public var count: Int { tree.count }

    /// Whether ``distinctScores(above:)`` may be asked.
    public var countsDistinctScores: Bool { distinct != nil }

    /// Bytes of memory in use.
    public var storageBytes: Int { tree.storageBytes + (distinct?.storageBytes ?? 0) }

    /// One member's change of standing; a score of 0 stands for "not in the index".
    public struct Change: BitwiseCopyable {
        let member: UInt32
        let old: Standing
        var new: Standing

        /// A member's way from one standing to another; where a score is 0, since means nothing.
        public init(member: UInt32, old: Standing, new: Standing) {
            self.member = member
            self.old = old
            self.new = new
        }
    }

    /// Brings in changes, each of another member. Thousands at once cost less than half of what they cost one by one.
    ///
    /// - Complexity: O(n log m) for n changes among m entries.
    public func apply(_ changes: UnsafeBufferPointer<Change>, precedes: (UInt32, UInt32) -> Bool) {
        withUnsafeTemporaryAllocation(of: RankTree.Entry.self, capacity: 2 * changes.count) { entries in
            var (removed, inserted) = (0, changes.count)
            for change in changes {
                if change.old.score > 0 {
                    let key = ScoreKey.key(change.old.score, change.old.since)
                    entries.initializeElement(at: removed, to: .init(key: key, member: change.member))
                    removed += 1
                }
                if change.new.score > 0 {
                    let key = ScoreKey.key(change.new.score, change.new.since)
                    entries.initializeElement(at: inserted, to: .init(key: key, member: change.member))
                    inserted += 1
                }
            }
            tree.change(
                removing: UnsafeBufferPointer(rebasing: entries[..<removed]),
                inserting: UnsafeBufferPointer(rebasing: entries[changes.count..<inserted]), precedes)
        }
        guard let distinct else { return }
        for change in changes where change.old.score != change.new.score {
            if change.old.score > 0 { distinct.addToMember(of: ScoreKey.key(change.old.score, 0), -1) }
            if change.new.score > 0 { distinct.addToMember(of: ScoreKey.key(change.new.score, 0), 1) }
        }
    }

    /// The number of entries strictly before a standing of a member, who need not be in the index: the ordinal rank less 1.
    ///
    /// - Complexity: O(log n).
    public func rank(
        member: UInt32, score: Int64, since: UInt64, precedes: (UInt32, UInt32) -> Bool
    ) -> Int {
        tree.rank(.init(key: ScoreKey.key(score, since), member: member), precedes)
    }

    /// The number of entries with a higher score: the competition rank ("1, 2, 2, 4") less 1.
    ///
    /// - Complexity: O(log n).
    public func entries(above score: Int64) -> Int {
        tree.rank(below: ScoreKey.key(score, 0))
    }

    /// The number of different scores above `score`: the dense rank ("1, 2, 2, 3") less 1.
    ///
    /// The index must have been made with `countsDistinctScores`.
    ///
    /// - Complexity: O(log n).
    public func distinctScores(above score: Int64) -> Int {
        guard let distinct else { preconditionFailure("the index does not count distinct scores") }
        return distinct.rank(below: ScoreKey.key(score, 0))
    }

    /// The entry at `position`, counted from 0, or nil behind the last.
    ///
    /// - Complexity: O(log n).
    public func select(
        _ position: Int, precedes: (UInt32, UInt32) -> Bool
    ) -> (member: UInt32, score: Int64, since: UInt64)? {
        var found: (member: UInt32, score: Int64, since: UInt64)?
        forEach(from: position, limit: 1, precedes: precedes) { found = ($0, $1, $2) }
        return found
    }

    /// Calls `body` with the entries from `position` (counted from 0) on, at most `limit`, highest first.
    ///
    /// - Complexity: O(log n + limit).
    public func forEach(
        from position: Int, limit: Int, precedes: (UInt32, UInt32) -> Bool,
        _ body: (_ member: UInt32, _ score: Int64, _ since: UInt64) -> Void
    ) {
        tree.forEach(from: position, limit: limit, precedes) { entry in
            body(entry.member, ScoreKey.score(entry.key), ScoreKey.since(entry.key))
        }
    }

    /// Replaces the content by `count` entries that `entry` gives in order, highest first; out of order traps.
    ///
    /// - Complexity: O(count), without searches.
    public func build(
        count: Int, precedes: (UInt32, UInt32) -> Bool,
        _ entry: (Int) -> (member: UInt32, score: Int64, since: UInt64)
    ) {
        var (run, runScore) = (0, Int64(0))
        distinct?.removeAll()
        tree.build(count: count, precedes) { index in
            let (member, score, since) = entry(index)
            if let distinct {
                if run > 0, score != runScore {
                    distinct.addToMember(of: ScoreKey.key(runScore, 0), run)
                    run = 0
                }
                (run, runScore) = (run + 1, score)
            }
            return .init(key: ScoreKey.key(score, since), member: member)
        }
        if let distinct, run > 0 { distinct.addToMember(of: ScoreKey.key(runScore, 0), run) }
    }

    /// Frees everything.
    public func deallocate() {
        tree.deallocate()
        distinct?.deallocate()
    }
}
