extension RankTree.Group {
    func reset() {
        leafCount = 0
        counts.initialize(repeating: 0, count: RankTree.groupCapacity)
        keys.initialize(repeating: RankTree.unusedKey, count: RankTree.groupCapacity)
        updateSummary()
    }

    func insertLeaf(at index: Int, _ leaf: RankTree.Leaf, count: Int, lowerBound: RankTree.Entry) {
        let moved = leafCount - index
        precondition(moved >= 0 && leafCount < RankTree.groupCapacity, "no room for a leaf")
        (counts + index + 1).update(from: counts + index, count: moved)
        (keys + index + 1).update(from: keys + index, count: moved)
        (members + index + 1).update(from: members + index, count: moved)
        (leaves + index + 1).update(from: leaves + index, count: moved)
        counts[index] = UInt8(count)
        keys[index] = lowerBound.key
        members[index] = lowerBound.member
        leaves[index] = leaf
        leafCount += 1
        updateSummary()
    }

    /// Forgets a leaf. Never the first: its lower bound is also that of the group.
    func removeLeaf(at index: Int) {
        let moved = leafCount - index - 1
        precondition(index > 0 && moved >= 0, "no such leaf to remove")
        (counts + index).update(from: counts + index + 1, count: moved)
        (keys + index).update(from: keys + index + 1, count: moved)
        (members + index).update(from: members + index + 1, count: moved)
        (leaves + index).update(from: leaves + index + 1, count: moved)
        leafCount -= 1
        counts[leafCount] = 0
        keys[leafCount] = RankTree.unusedKey
        updateSummary()
    }

    /// Moves the leaves from `index` on to the end of `target`, and gives the number of their entries.
    func moveLeaves(from index: Int, to target: RankTree.Group) -> Int {
        let (moved, start) = (leafCount - index, target.leafCount)
        (target.counts + start).update(from: counts + index, count: moved)
        (target.keys + start).update(from: keys + index, count: moved)
        (target.members + start).update(from: members + index, count: moved)
        (target.leaves + start).update(from: leaves + index, count: moved)
        target.leafCount = start + moved
        target.updateSummary()
        var entries = 0
        for leaf in index..<leafCount {
            entries += Int(counts[leaf])
            counts[leaf] = 0
            keys[leaf] = RankTree.unusedKey
        }
        leafCount = index
        updateSummary()
        return entries
    }

    private func updateSummary() {
        for block in 0..<8 { summary[block] = keys[block * 8] }
    }
}

extension RankTree {
    /// Puts a group into the top array.
    func insertGroup(_ group: Group, at index: Int, count: Int) {
        if header.pointee.groupCount == header.pointee.groupCapacity { growTop() }
        let moved = header.pointee.groupCount - index
        (header.pointee.groups + index + 1).update(from: header.pointee.groups + index, count: moved)
        (header.pointee.keys + index + 1).update(from: header.pointee.keys + index, count: moved)
        (header.pointee.members + index + 1).update(from: header.pointee.members + index, count: moved)
        (header.pointee.counts + index + 1).update(from: header.pointee.counts + index, count: moved)
        header.pointee.groups[index] = group
        header.pointee.keys[index] = group.keys[0]
        header.pointee.members[index] = group.members[0]
        header.pointee.counts[index] = Int32(count)
        header.pointee.groupCount += 1
        updateBlockCounts(from: index)
    }

    func removeGroup(at index: Int) {
        let moved = header.pointee.groupCount - index - 1
        (header.pointee.groups + index).update(from: header.pointee.groups + index + 1, count: moved)
        (header.pointee.keys + index).update(from: header.pointee.keys + index + 1, count: moved)
        (header.pointee.members + index).update(from: header.pointee.members + index + 1, count: moved)
        (header.pointee.counts + index).update(from: header.pointee.counts + index + 1, count: moved)
        header.pointee.groupCount -= 1
        updateBlockCounts(from: index)
    }

    func updateBlockCounts(from index: Int) {
        let groupCount = header.pointee.groupCount
        for block in index / 64...groupCount / 64 {
            var sum = 0
            for group in block * 64..<min(block * 64 + 64, groupCount) { sum += Int(header.pointee.counts[group]) }
            header.pointee.blockCounts[block] = sum
        }
    }

    @inline(__always)
    func addToCounts(_ place: Place, _ change: Int) {
        let group = header.pointee.groups[place.group]
        group.counts[place.leaf] = UInt8(truncatingIfNeeded: Int(group.counts[place.leaf]) &+ change)
        header.pointee.counts[place.group] &+= Int32(truncatingIfNeeded: change)
        header.pointee.blockCounts[place.group &>> 6] &+= change
        header.pointee.count &+= change
    }

    func deallocateTop() {
        header.pointee.groups.deallocate()
        header.pointee.keys.deallocate()
        header.pointee.members.deallocate()
        header.pointee.counts.deallocate()
        header.pointee.blockCounts.deallocate()
    }

    private func growTop() {
        let (old, capacity) = (header.pointee, header.pointee.groupCapacity * 2)
        header.pointee.groups = .allocate(capacity: capacity)
        header.pointee.keys = .allocate(capacity: capacity)
        header.pointee.members = .allocate(capacity: capacity)
        header.pointee.counts = .allocate(capacity: capacity)
        header.pointee.blockCounts = .allocate(capacity: capacity / 64 + 1)
        header.pointee.groupCapacity = capacity
        header.pointee.groups.update(from: old.groups, count: old.groupCount)
        header.pointee.keys.update(from: old.keys, count: old.groupCount)
        header.pointee.members.update(from: old.members, count: old.groupCount)
        header.pointee.counts.update(from: old.counts, count: old.groupCount)
        header.pointee.blockCounts.update(from: old.blockCounts, count: old.groupCapacity / 64 + 1)
        old.groups.deallocate()
        old.keys.deallocate()
        old.members.deallocate()
        old.counts.deallocate()
        old.blockCounts.deallocate()
    }
}
