// Asking all filters for many keys: a cache miss for each, so what matters is that they hide each other.

extension ExternalIdTable {
    private static let rowsAtOnce = 128

    /// Calls `body` with the rows whose keys some run may hold, in no particular order: usually none.
    @inline(__always)
    public func forEachPossiblySealed(
        in rows: Range<Int>, _ key: (Int) -> ExternalIdKey, _ body: (Int) -> Void
    ) {
        if !hasRuns { return }
        withUnsafeTemporaryAllocation(of: IdFilter.HashedKey.self, capacity: Self.rowsAtOnce) { keys in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: Self.rowsAtOnce) { displaced in
                var start = rows.lowerBound
                while start < rows.upperBound {
                    let count = min(Self.rowsAtOnce, rows.upperBound - start)
                    for number in 0..<count { keys[number] = IdFilter.HashedKey(key(start &+ number)) }
                    askAll(UnsafeBufferPointer(rebasing: keys[..<count]), displaced) { body(start &+ $0) }
                    start += count
                }
            }
        }
    }

    private func askAll(
        _ keys: UnsafeBufferPointer<IdFilter.HashedKey>, _ room: UnsafeMutableBufferPointer<UInt32>,
        _ body: (Int) -> Void
    ) {
        let first = filter(0).layout
        for key in keys.prefix(IdFilter.Layout.keysAhead) { first.prefetch(key) }
        for run in 0..<runCount {
            let layout = filter(run).layout
            // Behind the last one nothing is left to be loaded: its first lines again.
            let next = run + 1 < runCount ? filter(run + 1).layout : layout
            layout.forEachProbable(keys, next, room, body)
        }
    }
}

extension IdFilter.Layout {
    /// How far ahead lines are loaded. One by one between answers: a burst of loads waits for itself, and costs twice as much.
    static let keysAhead = 32

    /// Calls `body` with the numbers of the keys that may be in the filter, whose first lines are being loaded; starts loading
    /// those of the next filter.
    @inline(__always)
    fileprivate func forEachProbable(
        _ keys: UnsafeBufferPointer<IdFilter.HashedKey>, _ next: Self, _ room: UnsafeMutableBufferPointer<UInt32>,
        _ body: (Int) -> Void
    ) {
        let displaced = room.baseAddress.unsafelyUnwrapped
        var displacedCount = 0
        let ahead = min(Self.keysAhead, keys.count)
        for number in keys.indices {
            let target = number &+ ahead
            if target < keys.count { prefetch(keys[target]) } else { next.prefetch(keys[target &- keys.count]) }
            let answer = ask(keys[number])
            if answer.isProbable { body(number) }
            // Without a jump: one in thirteen is, at random.
            displaced[displacedCount] = UInt32(truncatingIfNeeded: number)
            displacedCount &+= answer.isElsewhere && !answer.isProbable ? 1 : 0
        }
        for index in 0..<displacedCount { prefetchSpare(keys[Int(displaced[index])]) }
        for index in 0..<displacedCount {
            let number = Int(displaced[index])
            if isSpare(keys[number]) { body(number) }
        }
    }
}
