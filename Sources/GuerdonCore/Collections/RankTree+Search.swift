extension RankTree {
    /// The leaf that holds the entry, or would.
    @inline(__always)
    func locate(_ entry: Entry, _ precedes: Order) -> Place {
        let keys = header.pointee.keys
        var index = groupIndex(entry.key)
        if keys[index] == entry.key {
            index = Self.resolveTie(entry, keys, header.pointee.members, last: index, precedes)
        }
        let group = header.pointee.groups[index]
        var leaf = Self.leafIndex(entry.key, group)
        if group.keys[leaf] == entry.key {
            leaf = Self.resolveTie(entry, group.keys, group.members, last: leaf, precedes)
        }
        return Place(group: index, leaf: leaf)
    }

    /// The last group whose lower bound is not above `key`, or the first group.
    @inline(__always)
    private func groupIndex(_ key: UInt128) -> Int {
        let keys = header.pointee.keys
        var (index, size) = (0, header.pointee.groupCount)
        while size > 1 {
            let half = size &>> 1
            index = keys[index &+ half] <= key ? index &+ half : index
            size &-= half
        }
        return index
    }

    /// The last leaf whose lower bound is not above `key`, or the first leaf.
    @inline(__always)
    private static func leafIndex(_ key: UInt128, _ group: Group) -> Int {
        // Unused places hold the largest key, so the counts need no bound.
        let block = max(countNotAbove(key, group.summary) &- 1, 0) &* 8
        return max(block &+ countNotAbove(key, group.keys + block) &- 1, 0)
    }

    @inline(__always)
    private static func countNotAbove(_ key: UInt128, _ keys: UnsafeMutablePointer<UInt128>) -> Int {
        var count = 0
        for index in 0..<8 { count &+= keys[index] <= key ? 1 : 0 }
        return count
    }

    /// The last place up to `last` whose bound is not above the entry, where the bound at `last` has the same key.
    @inline(never)
    private static func resolveTie(
        _ entry: Entry, _ keys: UnsafeMutablePointer<UInt128>, _ members: UnsafeMutablePointer<UInt32>, last: Int,
        _ precedes: Order
    ) -> Int {
        // First place with a bound of this key …
        var (first, end) = (0, last)
        while first < end {
            let middle = (first + end) / 2
            if keys[middle] < entry.key { first = middle + 1 } else { end = middle }
        }
        // … and the first behind it whose member comes after ours.
        end = last + 1
        while first < end {
            let middle = (first + end) / 2
            if precedes(entry.member, members[middle]) { end = middle } else { first = middle + 1 }
        }
        return max(first - 1, 0)
    }

    /// Starts loading the upper half of the way to a key.
    @inline(__always)
    func prefetchGroup(_ key: UInt128) {
        let group = header.pointee.groups[groupIndex(key)]
        prefetchLine(group.base)
        prefetchLine(group.counts)
        prefetchLine(group.summary)
        prefetchLine(group.summary + 4)
    }

    /// Starts loading the leaf of a key: what a removal reads and where an insertion appends.
    @inline(__always)
    func prefetchLeaf(_ key: UInt128) {
        let group = header.pointee.groups[groupIndex(key)]
        let index = Self.leafIndex(key, group)
        let leaf = group.leaves[index]
        let last = Int(group.counts[index])
        prefetchLine(leaf.high + last)
        prefetchLine(leaf.low + last)
        prefetchLines(leaf.members, byteCount: 256)
    }
}

extension RankTree {
    /// Entries before `entry`, which need not be there.
    func rank(_ entry: Entry, _ precedes: Order) -> Int {
        let place = locate(entry, precedes)
        let group = header.pointee.groups[place.group]
        let leaf = group.leaves[place.leaf]
        var before = entriesBefore(place)
        var equal = 0
        for index in 0..<Int(group.counts[place.leaf]) {
            let key = leaf.key(index)
            before &+= key < entry.key ? 1 : 0
            equal &+= key == entry.key ? 1 : 0
        }
        guard equal > 0 else { return before }
        for index in 0..<Int(group.counts[place.leaf]) where leaf.key(index) == entry.key {
            if leaf.members[index] != entry.member, precedes(leaf.members[index], entry.member) { before += 1 }
        }
        return before
    }

    /// Entries with a smaller key.
    func rank(below key: UInt128) -> Int {
        // Before all members of the key, if it has any: no entry of the key is counted, whoever would come first.
        let place = locate(Entry(key: key, member: 0)) { _, _ in true }
        let group = header.pointee.groups[place.group]
        let leaf = group.leaves[place.leaf]
        var before = entriesBefore(place)
        for index in 0..<Int(group.counts[place.leaf]) { before &+= leaf.key(index) < key ? 1 : 0 }
        return before
    }

    private func entriesBefore(_ place: Place) -> Int {
        var sum = 0
        for block in 0..<place.group &>> 6 { sum &+= header.pointee.blockCounts[block] }
        for group in (place.group &>> 6) &<< 6..<place.group { sum &+= Int(header.pointee.counts[group]) }
        let group = header.pointee.groups[place.group]
        for leaf in 0..<place.leaf { sum &+= Int(group.counts[leaf]) }
        return sum
    }

    /// Calls `body` with the entries from position `start` on, at most `limit`, in order.
    func forEach(from start: Int, limit: Int, _ precedes: Order, _ body: (Entry) -> Void) {
        precondition(start >= 0 && limit >= 0, "positions count from 0")
        guard start < count, limit > 0 else { return }
        var (place, skipped) = find(position: start)
        var left = min(limit, count - start)
        withUnsafeTemporaryAllocation(of: Entry.self, capacity: Self.leafCapacity) { sorted in
            while left > 0 {
                let group = header.pointee.groups[place.group]
                let size = Int(group.counts[place.leaf])
                Self.sort(group.leaves[place.leaf], count: size, into: sorted, precedes)
                let end = min(size, skipped + left)
                for index in skipped..<end { body(sorted[index]) }
                left -= end - skipped
                skipped = 0
                place.leaf += 1
                if place.leaf == group.leafCount { place = Place(group: place.group + 1, leaf: 0) }
            }
        }
    }

    /// The leaf of a position below `count`, and the number of entries of the leaf before it.
    private func find(position: Int) -> (Place, Int) {
        var (left, index) = (position, 0)
        while left >= header.pointee.blockCounts[index] {
            left -= header.pointee.blockCounts[index]
            index += 1
        }
        index *= 64
        while left >= Int(header.pointee.counts[index]) {
            left -= Int(header.pointee.counts[index])
            index += 1
        }
        let group = header.pointee.groups[index]
        var leaf = 0
        while left >= Int(group.counts[leaf]) {
            left -= Int(group.counts[leaf])
            leaf += 1
        }
        return (Place(group: index, leaf: leaf), left)
    }

    /// Copies the entries of a leaf in order: an insertion sort, right for at most 64.
    static func sort(
        _ leaf: Leaf, count: Int, into sorted: UnsafeMutableBufferPointer<Entry>, _ precedes: Order
    ) {
        for index in 0..<count {
            let entry = leaf[index]
            var place = index
            while place > 0 {
                let other = sorted[place - 1]
                guard entry.key < other.key || (entry.key == other.key && precedes(entry.member, other.member)) else {
                    break
                }
                sorted[place] = other
                place -= 1
            }
            sorted[place] = entry
        }
    }
}
