// Asking all filters for many keys: three cache misses for each, so what matters is that they hide each other.

extension ExternalIdTable {
    private static let rowsAtOnce = 64

    /// Calls `body` with the rows whose keys some run may hold: usually none. What one filter is asked for is loaded while
    /// the one before it answers.
    @inline(__always)
    public func forEachPossiblySealed(
        in rows: Range<Int>, _ key: (Int) -> ExternalIdKey, _ body: (Int) -> Void
    ) {
        if !hasRuns { return }
        let most = Self.rowsAtOnce
        withUnsafeTemporaryAllocation(of: IdFilter.HashedKey.self, capacity: most) { keys in
            withUnsafeTemporaryAllocation(of: IdFilter.Location.self, capacity: 2 * most) { locations in
                var start = rows.lowerBound
                while start < rows.upperBound {
                    let end = min(start + most, rows.upperBound)
                    for row in start..<end { keys[row &- start] = IdFilter.HashedKey(key(row)) }
                    askAll(UnsafeBufferPointer(rebasing: keys[..<(end - start)]), locations) { body(start &+ $0) }
                    start = end
                }
            }
        }
    }

    private func askAll(
        _ keys: UnsafeBufferPointer<IdFilter.HashedKey>, _ room: UnsafeMutableBufferPointer<IdFilter.Location>,
        _ body: (Int) -> Void
    ) {
        guard var current = room.baseAddress else { return }
        var next = current + Self.rowsAtOnce
        filter(0).locate(keys, current)
        for run in 1..<runCount {
            filter(run).locate(keys, next)
            filter(run - 1).answer(keys.count, current, body)
            swap(&current, &next)
        }
        filter(runCount - 1).answer(keys.count, current, body)
    }
}

extension IdFilter {
    /// A key with what all filters need of it.
    struct HashedKey: BitwiseCopyable {
        let key: ExternalIdKey
        /// Its hash for filters that were made at the first attempt.
        let hash: UInt64

        @inline(__always)
        init(_ key: ExternalIdKey) {
            self.key = key
            hash = Places.hash(key, seed: 0)
        }
    }

    /// Where the fingerprints of a key lie in a filter.
    struct Location: BitwiseCopyable {
        var first: UInt32
        var second: UInt32
        var third: UInt32
        var fingerprint: UInt16
        /// Whether the filter cannot say no.
        var isUnknown: Bool
    }

    /// Works out where the keys' fingerprints lie, and starts loading them.
    func locate(_ keys: UnsafeBufferPointer<HashedKey>, _ locations: UnsafeMutablePointer<Location>) {
        let (partitions, count, start) = layout
        for (number, hashed) in keys.enumerated() {
            guard count > 0 else {
                // An empty filter says no to everything: no fingerprint is like itself and another.
                locations[number] = Location(first: 0, second: 0, third: 0, fingerprint: 1, isUnknown: false)
                continue
            }
            let partition = partitions[Self.partition(of: hashed.key, count: count)]
            let hash = partition.seed == 0 ? hashed.hash : Places.hash(hashed.key, seed: partition.seed)
            let places = Places(hash: hash, partition)
            let location = Location(
                first: partition.start &+ UInt32(truncatingIfNeeded: places.first),
                second: partition.start &+ UInt32(truncatingIfNeeded: places.second),
                third: partition.start &+ UInt32(truncatingIfNeeded: places.third), fingerprint: places.fingerprint,
                isUnknown: partition.segmentCount == 0)
            prefetchLine(start + Int(location.first))
            prefetchLine(start + Int(location.second))
            prefetchLine(start + Int(location.third))
            locations[number] = location
        }
    }

    /// Calls `body` with the numbers of the keys that may be in the filter.
    @inline(__always)
    func answer(_ count: Int, _ locations: UnsafePointer<Location>, _ body: (Int) -> Void) {
        let start = layout.fingerprints
        for number in 0..<count {
            let location = locations[number]
            if location.isUnknown
                || start[Int(location.first)] ^ start[Int(location.second)] ^ start[Int(location.third)]
                    == location.fingerprint
            {
                body(number)
            }
        }
    }
}
