/// How many members of a standing have each score, over all its shards: what dense ranks are counted from.
///
/// Shards share scores, so their own counts cannot be added up. Each shard notes what it changed while the shards work side
/// by side; the owner of the standing takes the notes in between. A handle; the owner calls ``deallocate()`` once.
struct DistinctScores {
    private struct Change: BitwiseCopyable {
        let old: Int64
        let new: Int64
    }

    private let tree = RankTree()
    private let notes: UnsafeMutableBufferPointer<Buffer<Change>>

    init(shardCount: Int) {
        notes = .allocate(capacity: shardCount)
        for shard in notes.indices { notes.initializeElement(at: shard, to: Buffer(capacity: 0)) }
    }

    func deallocate() {
        for note in notes { note.deallocate() }
        notes.deallocate()
        tree.deallocate()
    }

    /// Notes that a member of a shard has another score; 0 is none. For the thread that the shard belongs to.
    func note(shard: Int, from old: Int64, to new: Int64) {
        if old != new { notes[shard].append(Change(old: old, new: new)) }
    }

    /// Takes what the shards noted; while no shard is at work.
    ///
    /// - Complexity: O(log n) for each change.
    func settle() {
        // A shard's members leave only scores that they have by its own notes, so no count falls below 0 on the way.
        for note in notes where !note.isEmpty {
            for change in note.elements {
                if change.old > 0 { tree.addToMember(of: ScoreKey.key(change.old, 0), -1) }
                if change.new > 0 { tree.addToMember(of: ScoreKey.key(change.new, 0), 1) }
            }
            note.removeAll()
        }
    }

    /// The number of different scores above `score`, as of the last ``settle()``.
    ///
    /// - Complexity: O(log n).
    func count(above score: Int64) -> Int { tree.rank(below: ScoreKey.key(score, 0)) }
}
