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
            if count > 0 { select(from: leaf, into: first, precedes) }
            body(first)
        }
    }

    private static func select(from leaf: Leaf, into slots: UnsafeMutableBufferPointer<Slot>, _ precedes: Order) {
        let slots = (start: slots.baseAddress.unsafelyUnwrapped, count: slots.count)
        var taken = 0
        leaf.forEachPlace(leaf.used) { index in
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
