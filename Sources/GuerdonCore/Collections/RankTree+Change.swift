extension RankTree {
    /// Leaves that together have no more than this are made one.
    private static let mergedLeafLimit = 56
    private static let mergedGroupLimit = 48

    /// Adds an entry that is not there to the leaf where it belongs.
    @inline(__always)
    func insert(_ entry: Entry, at place: Place, _ precedes: Order) {
        let group = header.pointee.groups[place.group]
        let size = Int(group.counts[place.leaf])
        if size < Self.leafCapacity {
            group.leaf(place.leaf).add(entry)
            addToCounts(place, 1)
        } else {
            insertSplitting(entry, at: place, precedes)
        }
    }

    /// Removes an entry from the leaf that holds it.
    @inline(__always)
    func remove(_ entry: Entry, at place: Place) {
        let group = header.pointee.groups[place.group]
        group.leaf(place.leaf).remove(entry)
        noteRemoval(at: place)
    }

    @inline(__always)
    private func noteRemoval(at place: Place) {
        let group = header.pointee.groups[place.group]
        addToCounts(place, -1)
        if group.counts[place.leaf] <= Self.leafCapacity * 5 / 8 { mergeLeaf(place) }
    }

    /// Adds to the number that the entry of `key` holds in place of a member; keys must be unique then. An entry is made
    /// when it is missing and goes when it reaches 0.
    func addToMember(of key: UInt128, _ change: Int) {
        let unordered: Order = { _, _ in false }
        let place = locate(Entry(key: key, member: 0), unordered)
        let group = header.pointee.groups[place.group]
        let leaf = group.leaf(place.leaf)
        var found: Int?
        leaf.forEachPlace(leaf.used) { index in
            if leaf.key(index) == key { found = index }
        }
        guard let found else { return insert(Entry(key: key, member: UInt32(change)), at: place, unordered) }
        let value = UInt32(Int(leaf.member(found)) + change)
        leaf[found] = Entry(key: key, member: value)
        if value == 0 {
            leaf.free(at: found)
            noteRemoval(at: place)
        }
    }

    /// Replaces the content by entries that come in order.
    ///
    /// - Complexity: O(count).
    func build(count: Int, _ precedes: Order, _ entry: (Int) -> Entry) {
        removeAll()
        // Room in every leaf, so that the first insertions do not split all of them.
        let fill = Self.leafCapacity * 3 / 4
        var previous: Entry?
        var place = Place(group: 0, leaf: 0)
        for index in 0..<count {
            let next = entry(index)
            if let previous {
                precondition(
                    previous.key < next.key
                        || previous.key == next.key && precedes(previous.member, next.member), "entries out of order")
            }
            previous = next
            if index > 0, index % fill == 0 { place = appendLeaf(after: place, lowerBound: next, leafFill: fill) }
            // The places of a new leaf are taken one after the other.
            header.pointee.groups[place.group].leaf(place.leaf)[index % fill] = next
            addToCounts(place, 1)
        }
    }
}

extension RankTree {
    private func appendLeaf(after place: Place, lowerBound: Entry, leafFill: Int) -> Place {
        let leaf = newLeaf()
        let group = header.pointee.groups[place.group]
        if place.leaf + 1 < leafFill {
            group.insertLeaf(at: place.leaf + 1, leaf, count: 0, lowerBound: lowerBound)
            return Place(group: place.group, leaf: place.leaf + 1)
        }
        let next = Group(header.pointee.groupBlocks.take())
        next.reset()
        next.insertLeaf(at: 0, leaf, count: 0, lowerBound: lowerBound)
        insertGroup(next, at: place.group + 1, count: 0)
        return Place(group: place.group + 1, leaf: 0)
    }

    /// Splits a full leaf, and its group where that is full too, and inserts.
    @inline(never)
    private func insertSplitting(_ entry: Entry, at full: Place, _ precedes: Order) {
        var place = full
        if header.pointee.groups[place.group].leafCount == Self.groupCapacity { place = splitGroup(at: place) }
        let group = header.pointee.groups[place.group]
        let leaf = group.leaf(place.leaf)
        let isLast = place.leaf == group.leafCount - 1 && place.group == header.pointee.groupCount - 1
        let moved = Self.moved(from: leaf, by: entry, isLast: isLast, precedes)
        let bound = moved == 0 ? entry : leaf[leaf.first(of: moved, precedes)]
        let right = newLeaf()
        var count = 0
        leaf.forEachPlace(moved) { index in
            right[count] = leaf[index]
            count += 1
        }
        leaf.free(moved)
        group.counts[place.leaf] = UInt8(Self.leafCapacity - count)
        group.insertLeaf(at: place.leaf + 1, right, count: count, lowerBound: bound)
        let isBeforeBound = entry.key < bound.key || entry.key == bound.key && precedes(entry.member, bound.member)
        if !isBeforeBound { place.leaf += 1 }
        insert(entry, at: place, precedes)
    }

    /// Which entries of a full leaf move to a new one when `entry` splits it, a bit each: perhaps none, then it begins the new one.
    ///
    /// Newcomers come in at the end of the board, and members who reach a score at the end of those who have it: where that happens
    /// the next ones come in too. Leaves split in the middle there would stay half empty for ever.
    private static func moved(from leaf: Leaf, by entry: Entry, isLast: Bool, _ precedes: Order) -> UInt64 {
        let score = ScoreKey.score(entry.key)
        func behind(_ since: UInt64) -> UInt64 {
            leaf.places(notBelow: Entry(key: ScoreKey.key(score, since), member: 0).high)
        }
        let moved = leaf.places(notBelow: entry.high)
        if moved == 0, isLast { return moved }
        let endsRun =
            moved.nonzeroBitCount < leafCapacity - 8 && moved != behind(0)
            && (moved == 0 || moved == behind(ScoreKey.sinceMost))
        return endsRun ? moved : leaf.places(from: leaf.middle(precedes), precedes)
    }

    /// Halves a full group and gives the new place of a leaf of it.
    private func splitGroup(at place: Place) -> Place {
        let group = header.pointee.groups[place.group]
        let right = Group(header.pointee.groupBlocks.take())
        right.reset()
        let isLast = place.group == header.pointee.groupCount - 1 && place.leaf == Self.groupCapacity - 1
        let kept = isLast ? Self.groupCapacity - 4 : Self.groupCapacity / 2
        let entries = group.moveLeaves(from: kept, to: right)
        header.pointee.counts[place.group] -= Int32(entries)
        insertGroup(right, at: place.group + 1, count: entries)
        updateBlockCounts(from: place.group)
        return place.leaf < kept ? place : Place(group: place.group + 1, leaf: place.leaf - kept)
    }

    /// Joins a leaf with a neighbour in its group where both are small.
    @inline(never)
    private func mergeLeaf(_ place: Place) {
        let group = header.pointee.groups[place.group]
        let size = Int(group.counts[place.leaf])
        if place.leaf + 1 < group.leafCount, size + Int(group.counts[place.leaf + 1]) <= Self.mergedLeafLimit {
            joinLeaves(group, place.leaf)
        } else if place.leaf > 0, size + Int(group.counts[place.leaf - 1]) <= Self.mergedLeafLimit {
            joinLeaves(group, place.leaf - 1)
        } else {
            return
        }
        if group.leafCount <= Self.groupCapacity / 2 { mergeGroup(place.group) }
    }

    /// Joins small neighbours among the leaves of a group, and the group with a neighbour if it is small then.
    func mergeLeaves(ofGroup index: Int) {
        let group = header.pointee.groups[index]
        var leaf = group.leafCount - 2
        while leaf >= 0 {
            if Int(group.counts[leaf]) + Int(group.counts[leaf + 1]) <= Self.mergedLeafLimit { joinLeaves(group, leaf) }
            leaf -= 1
        }
        if group.leafCount <= Self.groupCapacity / 2 { mergeGroup(index) }
    }

    /// Moves the entries of the leaf behind `index` into the leaf at `index`.
    private func joinLeaves(_ group: Group, _ index: Int) {
        let (left, right) = (group.leaf(index), group.leaf(index + 1))
        let (leftCount, rightCount) = (Int(group.counts[index]), Int(group.counts[index + 1]))
        var free = ~left.used
        right.forEachPlace(right.used) { entry in
            left[free.trailingZeroBitCount] = right[entry]
            free &= free &- 1
        }
        group.counts[index] = UInt8(leftCount + rightCount)
        group.removeLeaf(at: index + 1)
        header.pointee.leafBlocks.give(right.base)
    }

    private func mergeGroup(_ index: Int) {
        let size = header.pointee.groups[index].leafCount
        if index + 1 < header.pointee.groupCount,
            size + header.pointee.groups[index + 1].leafCount <= Self.mergedGroupLimit
        {
            joinGroups(index)
        } else if index > 0, size + header.pointee.groups[index - 1].leafCount <= Self.mergedGroupLimit {
            joinGroups(index - 1)
        }
    }

    private func joinGroups(_ index: Int) {
        let right = header.pointee.groups[index + 1]
        let entries = right.moveLeaves(from: 0, to: header.pointee.groups[index])
        header.pointee.counts[index] += Int32(entries)
        removeGroup(at: index + 1)
        updateBlockCounts(from: index)
        header.pointee.groupBlocks.give(right.base)
    }
}
