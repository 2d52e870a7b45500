extension RankTree.Bounds {
    init(capacity: Int) {
        highs = .allocate(capacity: capacity)
        lows = .allocate(capacity: capacity)
        members = .allocate(capacity: capacity)
    }

    func deallocate() {
        highs.deallocate()
        lows.deallocate()
        members.deallocate()
    }

    /// Copies `count` bounds; the two ranges may overlap.
    func copy(_ count: Int, from source: RankTree.Bounds, at start: Int, to target: Int) {
        (highs + target).update(from: source.highs + start, count: count)
        (lows + target).update(from: source.lows + start, count: count)
        (members + target).update(from: source.members + start, count: count)
    }
}

extension RankTree.Group {
    func reset() {
        leafCount = 0
        counts.initialize(repeating: 0, count: RankTree.groupCapacity)
        for index in 0..<RankTree.groupCapacity { clear(index) }
    }

    func insertLeaf(at index: Int, _ leaf: RankTree.Leaf, count: Int, lowerBound: RankTree.Entry) {
        precondition(index <= leafCount && leafCount < RankTree.groupCapacity, "no room for a leaf")
        for place in stride(from: leafCount, to: index, by: -1) { copyLeaf(place - 1, to: self, place) }
        counts[index] = UInt8(count)
        setLeaf(index, leaf)
        setBound(index, lowerBound)
        leafCount += 1
    }

    /// Forgets a leaf. Never the first: its lower bound is also that of the group.
    func removeLeaf(at index: Int) {
        precondition(index > 0 && index < leafCount, "no such leaf to remove")
        for place in index..<leafCount - 1 { copyLeaf(place + 1, to: self, place) }
        leafCount -= 1
        clear(leafCount)
    }

    /// Moves the leaves from `index` on to the end of `target`, and gives the number of their entries.
    func moveLeaves(from index: Int, to target: RankTree.Group) -> Int {
        var entries = 0
        for leaf in index..<leafCount {
            entries += Int(counts[leaf])
            copyLeaf(leaf, to: target, target.leafCount)
            target.leafCount += 1
            clear(leaf)
        }
        leafCount = index
        return entries
    }

    private func copyLeaf(_ index: Int, to target: RankTree.Group, _ place: Int) {
        target.counts[place] = counts[index]
        target.setLeaf(place, leaf(index))
        target.setBound(place, bound(index))
    }

    /// Fills an unused place: no entry may have all ones as the upper half of its key.
    private func clear(_ index: Int) {
        counts[index] = 0
        setBound(index, RankTree.Entry(key: .max, member: 0))
    }
}

extension RankTree {
    /// Puts a group into the top array.
    func insertGroup(_ group: Group, at index: Int, count: Int) {
        if header.pointee.groupCount == header.pointee.groupCapacity { growTop() }
        let moved = header.pointee.groupCount - index
        (header.pointee.groups + index + 1).update(from: header.pointee.groups + index, count: moved)
        header.pointee.bounds.copy(moved, from: header.pointee.bounds, at: index, to: index + 1)
        (header.pointee.counts + index + 1).update(from: header.pointee.counts + index, count: moved)
        header.pointee.groups[index] = group
        header.pointee.bounds[index] = group.bound(0)
        header.pointee.counts[index] = Int32(count)
        header.pointee.groupCount += 1
        updateBlockCounts(from: index)
    }

    func removeGroup(at index: Int) {
        let moved = header.pointee.groupCount - index - 1
        (header.pointee.groups + index).update(from: header.pointee.groups + index + 1, count: moved)
        header.pointee.bounds.copy(moved, from: header.pointee.bounds, at: index + 1, to: index)
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
        addToCount(of: place.group, change)
    }

    /// Adds to the number of entries of a group, not to those of its leaves.
    @inline(__always)
    func addToCount(of group: Int, _ change: Int) {
        header.pointee.counts[group] &+= Int32(truncatingIfNeeded: change)
        header.pointee.blockCounts[group &>> 6] &+= change
        header.pointee.count &+= change
    }

    func deallocateTop() {
        header.pointee.groups.deallocate()
        header.pointee.bounds.deallocate()
        header.pointee.counts.deallocate()
        header.pointee.blockCounts.deallocate()
    }

    private func growTop() {
        let (old, capacity) = (header.pointee, header.pointee.groupCapacity * 2)
        header.pointee.groups = .allocate(capacity: capacity)
        header.pointee.bounds = Bounds(capacity: capacity)
        header.pointee.counts = .allocate(capacity: capacity)
        header.pointee.blockCounts = .allocate(capacity: capacity / 64 + 1)
        header.pointee.groupCapacity = capacity
        header.pointee.groups.update(from: old.groups, count: old.groupCount)
        header.pointee.bounds.copy(old.groupCount, from: old.bounds, at: 0, to: 0)
        header.pointee.counts.update(from: old.counts, count: old.groupCount)
        header.pointee.blockCounts.update(from: old.blockCounts, count: old.groupCapacity / 64 + 1)
        old.groups.deallocate()
        old.bounds.deallocate()
        old.counts.deallocate()
        old.blockCounts.deallocate()
    }
}
