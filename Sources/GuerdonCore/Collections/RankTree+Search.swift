import CIntrinsics

extension RankTree {
    /// The leaf that holds the entry, or would.
    @inline(__always)
    func locate(_ entry: Entry, _ precedes: Order) -> Place {
        let index = groupIndex(entry, precedes)
        return Place(group: index, leaf: leafIndex(entry, header.pointee.groups[index], precedes))
    }

    @inline(__always)
    func groupIndex(_ entry: Entry, _ precedes: Order) -> Int {
        let bounds = header.pointee.bounds
        let index = cintrinsics_last_not_above(bounds.highs, header.pointee.groupCount, entry.high)
        return bounds.highs[index] == entry.high ? bounds.lastNotAbove(entry, upTo: index, precedes) : index
    }

    /// The groups of many entries.
    func findGroups(
        _ entries: UnsafeBufferPointer<Entry>, into groups: UnsafeMutableBufferPointer<UInt32>, _ precedes: Order
    ) {
        let bounds = header.pointee.bounds
        var start = 0
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 8) { highs in
            guard let highs = highs.baseAddress, let found = groups.baseAddress else { return }
            while start + 8 <= entries.count {
                for lane in 0..<8 { highs[lane] = entries[start &+ lane].high }
                cintrinsics_last_not_above_each_8(
                    bounds.highs, header.pointee.groupCount, highs, found + start)
                for index in start..<start + 8 where bounds.highs[Int(groups[index])] == entries[index].high {
                    groups[index] = UInt32(bounds.lastNotAbove(entries[index], upTo: Int(groups[index]), precedes))
                }
                start += 8
            }
        }
        for index in start..<entries.count { groups[index] = UInt32(groupIndex(entries[index], precedes)) }
    }

    /// The leaf of a group.
    @inline(__always)
    func leafIndex(_ entry: Entry, _ group: Group, _ precedes: Order) -> Int {
        let block = max(cintrinsics_count_not_above_7(group.summary, entry.high) &- 1, 0)
        // Unused places hold the largest word, so the count needs no bound.
        let index = max(block &* 8 &+ cintrinsics_count_not_above_8(group.block(block), entry.high) &- 1, 0)
        return group.high(index) == entry.high ? group.lastNotAbove(entry, upTo: index, precedes) : index
    }
}

extension RankTree.Group {
    /// The last place up to `last` whose bound is not above the entry, or 0.
    @inline(__always)
    func lastNotAbove(_ entry: RankTree.Entry, upTo last: Int, _ precedes: RankTree.Order) -> Int {
        var (index, size) = (0, last &+ 1)
        while size > 1 {
            let half = size &>> 1
            // No jump here: see the header of `CIntrinsics`.
            let isNotAbove = cintrinsics_opaque(key(index &+ half) <= entry.key ? 1 : 0)
            index &+= half & (0 &- isNotAbove)
            size &-= half
        }
        return key(index) == entry.key ? resolveTie(entry, last: index, precedes) : index
    }

    @inline(__always)
    private func key(_ index: Int) -> UInt128 { UInt128(high(index)) &<< 64 | UInt128(lows[index]) }

    /// The same, where the bound at `last` is the last one with the key of the entry.
    @inline(never)
    private func resolveTie(_ entry: RankTree.Entry, last: Int, _ precedes: RankTree.Order) -> Int {
        var index = last
        while index > 0, key(index) == entry.key, precedes(entry.member, members[index]) { index -= 1 }
        return index
    }
}

extension RankTree.Bounds {
    /// The last place up to `last` whose bound is not above the entry, or 0.
    @inline(__always)
    func lastNotAbove(_ entry: RankTree.Entry, upTo last: Int, _ precedes: RankTree.Order) -> Int {
        let index = cintrinsics_last_not_above_wide(highs, lows, last &+ 1, entry.high, entry.low)
        guard highs[index] == entry.high, lows[index] == entry.low else { return index }
        return resolveTie(entry, last: index, precedes)
    }

    /// The same, where the bound at `last` is the last one with the key of the entry.
    @inline(never)
    private func resolveTie(_ entry: RankTree.Entry, last: Int, _ precedes: RankTree.Order) -> Int {
        // First place with a bound of this key …
        var (first, end) = (0, last)
        while first < end {
            let middle = (first + end) / 2
            if self[middle].key < entry.key { first = middle + 1 } else { end = middle }
        }
        // … and the first behind it whose member comes after ours.
        end = last + 1
        while first < end {
            let middle = (first + end) / 2
            if precedes(entry.member, members[middle]) { end = middle } else { first = middle + 1 }
        }
        return max(first - 1, 0)
    }
}

extension RankTree {
    /// Entries before `entry`, which need not be there.
    func rank(_ entry: Entry, _ precedes: Order) -> Int {
        let place = locate(entry, precedes)
        let group = header.pointee.groups[place.group]
        let leaf = group.leaf(place.leaf)
        return entriesBefore(place) &+ leaf.count(before: entry, precedes)
    }

    /// Entries with a smaller key.
    func rank(below key: UInt128) -> Int {
        // Before all members of the key, if it has any: no entry of the key is counted, whoever would come first.
        let place = locate(Entry(key: key, member: 0)) { _, _ in true }
        let group = header.pointee.groups[place.group]
        let leaf = group.leaf(place.leaf)
        return entriesBefore(place) &+ leaf.count(before: Entry(key: key, member: 0)) { _, _ in false }
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
        while left > 0 {
            let group = header.pointee.groups[place.group]
            let leaf = group.leaf(place.leaf)
            let size = Int(group.counts[place.leaf])
            let end = min(size, skipped + left)
            Self.withFirst(end, in: leaf, precedes) { first in
                for slot in first[skipped...] { body(leaf[slot.index]) }
            }
            left -= end - skipped
            skipped = 0
            place.leaf += 1
            if place.leaf == group.leafCount { place = Place(group: place.group + 1, leaf: 0) }
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
}

extension RankTree.Leaf {
    /// How many entries come before `entry`.
    @inline(__always)
    func count(before entry: RankTree.Entry, _ precedes: RankTree.Order) -> Int {
        let counts = cintrinsics_count_below(address(0), address(1) - address(0), used, entry.high)
        let below = Int(truncatingIfNeeded: counts & 0xffff_ffff)
        let equal = Int(truncatingIfNeeded: counts &>> 32)
        return equal == 0 ? below : below &+ countEqual(equal, before: entry, precedes)
    }

    /// How many of the `equal` entries with the same upper half come before `entry`.
    private func countEqual(_ equal: Int, before entry: RankTree.Entry, _ precedes: RankTree.Order) -> Int {
        var (count, left, places) = (0, equal, used)
        while left > 0, places != 0 {
            let other = self[places.trailingZeroBitCount]
            places &= places &- 1
            guard other.high == entry.high else { continue }
            left -= 1
            if other.low < entry.low || other.low == entry.low && precedes(other.member, entry.member) { count += 1 }
        }
        return count
    }
}
