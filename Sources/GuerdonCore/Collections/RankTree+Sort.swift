import CIntrinsics

extension RankTree {
    /// An entry of a leaf that is being sorted: the upper half of its key, and where it is.
    ///
    /// Half as large as an entry, so that a leaf of them fits what is allocated on the stack.
    struct Slot: BitwiseCopyable {
        var high: UInt64
        var index: Int
    }

    /// Gives `body` the first `count` entries of a leaf in order, as places in the leaf.
    ///
    /// An insertion sort that keeps no more than is wanted: of ten among fifty most are told from the tenth by one comparison.
    ///
    /// - Parameter count: at most as many as the leaf has.
    static func withFirst(
        _ count: Int, in leaf: Leaf, _ precedes: Order, _ body: (UnsafeMutableBufferPointer<Slot>) -> Void
    ) {
        withUnsafeTemporaryAllocation(of: Slot.self, capacity: leafCapacity) { slots in
            let first = UnsafeMutableBufferPointer(rebasing: slots[..<count])
            if count > 0 { select(leaf.used, of: leaf, into: first, precedes) }
            body(first)
        }
    }

    /// Sorts the first of the entries at some places, a bit each.
    fileprivate static func select(
        _ places: UInt64, of leaf: Leaf, into slots: UnsafeMutableBufferPointer<Slot>, _ precedes: Order
    ) {
        let slots = (start: slots.baseAddress.unsafelyUnwrapped, count: slots.count)
        var taken = 0
        leaf.forEachPlace(places) { index in
            let new = Slot(high: leaf.high(index), index: index)
            var place = taken
            taken &+= 1
            if place >= slots.count {
                // All places are taken: the last entry gives way, or the new one is not among the first.
                place = slots.count &- 1
                guard leaf.isBefore(new, slots.start[place], precedes) else { return }
            }
            while place > 0, leaf.isBefore(new, slots.start[place &- 1], precedes) {
                slots.start[place] = slots.start[place &- 1]
                place &-= 1
            }
            slots.start[place] = new
        }
    }
}

extension RankTree.Leaf {
    /// An entry with about as many before it as behind it, in a full leaf: the middle of every fifth.
    func middle(_ precedes: RankTree.Order) -> Int {
        let (sample, count): (UInt64, Int) = (0x1084_2108_4210_8421, 13)
        return withUnsafeTemporaryAllocation(of: RankTree.Slot.self, capacity: count) { slots in
            RankTree.select(sample, of: self, into: slots, precedes)
            return slots[count / 2].index
        }
    }

    /// The place of the first of entries, a bit each.
    func first(of places: UInt64, _ precedes: RankTree.Order) -> Int {
        var first = RankTree.Slot(high: .max, index: places.trailingZeroBitCount)
        forEachPlace(places) { index in
            let other = RankTree.Slot(high: high(index), index: index)
            if isBefore(other, first, precedes) { first = other }
        }
        return first.index
    }

    /// The places of entries whose upper halves are not below `high`, a bit each, in a full leaf.
    @inline(__always)
    func places(notBelow high: UInt64) -> UInt64 {
        cintrinsics_not_below_64(address(0), address(1) - address(0), high)
    }

    /// The places of an entry of a full leaf and of those behind it in order, a bit each.
    func places(from index: Int, _ precedes: RankTree.Order) -> UInt64 {
        let entry = RankTree.Slot(high: high(index), index: index)
        var places = places(notBelow: entry.high)
        let ties = places & ~self.places(notBelow: entry.high &+ 1)
        guard ties & (ties &- 1) != 0 else { return places }
        forEachPlace(ties) { other in
            let isBefore = isBefore(RankTree.Slot(high: entry.high, index: other), entry, precedes)
            if isBefore { places &= ~(1 &<< UInt64(other)) }
        }
        return places
    }

    @inline(__always)
    func high(_ index: Int) -> UInt64 { address(index).loadUnaligned(as: UInt64.self) }

    @inline(__always)
    fileprivate func isBefore(_ a: RankTree.Slot, _ b: RankTree.Slot, _ precedes: RankTree.Order) -> Bool {
        a.high < b.high || a.high == b.high && isTieBefore(a.index, b.index, precedes)
    }

    /// Whether the first of two entries with the same upper half comes before the second.
    @inline(never)
    private func isTieBefore(_ a: Int, _ b: Int, _ precedes: RankTree.Order) -> Bool {
        let (first, second) = (self[a], self[b])
        return first.low < second.low || first.low == second.low && precedes(first.member, second.member)
    }
}
