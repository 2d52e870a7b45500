extension ScoreIndex {
    /// Replaces the content by `count` entries in any order: what a board does after its scores were loaded. `entry` is asked
    /// for each once, in the order of the numbers.
    ///
    /// - Complexity: O(count), some passes over 32 bytes an entry.
    public func rebuild(
        count: Int, precedes: (UInt32, UInt32) -> Bool,
        _ entry: (Int) -> (member: UInt32, score: Int64, since: UInt64)
    ) {
        let entries = UnsafeMutableBufferPointer<RankTree.Entry>.allocate(capacity: count)
        defer { entries.deallocate() }
        for index in 0..<count {
            let (member, score, since) = entry(index)
            entries.initializeElement(at: index, to: .init(key: ScoreKey.key(score, since), member: member))
        }
        RankSorter.sort(entries, precedes)
        build(count: count, precedes: precedes) { index in
            let key = entries[index].key
            return (entries[index].member, ScoreKey.score(key), ScoreKey.since(key))
        }
    }

    /// How many of the first `position` entries of all indices together each index holds.
    ///
    /// That is where each shard's part of a window begins: merging the shards from there on gives the entries from `position`
    /// on, however far down they are.
    ///
    /// - Parameters:
    ///   - position: at most the sum of all counts.
    ///   - indices: the shards of one board; no member is in two.
    ///   - precedes: the one order of members.
    /// - Complexity: O(shards² · log² n).
    public static func cut(
        at position: Int, of indices: [ScoreIndex], precedes: (UInt32, UInt32) -> Bool
    ) -> [Int] {
        precondition(position >= 0 && position <= indices.reduce(0) { $0 + $1.count }, "no such position")
        return indices.map { index in
            // The first entry of this index that stands at `position` or behind among all.
            var (low, high) = (0, index.count)
            while low < high {
                let middle = (low + high) / 2
                guard let entry = index.select(middle, precedes: precedes) else { break }
                let before = indices.reduce(0) { sum, other in
                    sum + other.rank(member: entry.member, score: entry.score, since: entry.since, precedes: precedes)
                }
                if before < position { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }
}
