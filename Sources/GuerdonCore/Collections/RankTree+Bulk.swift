extension RankTree {
    /// Removes entries that are all there.
    ///
    /// Thousands at once cost two thirds of what they cost one by one: neighbours share the lines of their group.
    func remove(all entries: UnsafeBufferPointer<Entry>, _ precedes: Order) {
        inOrder(entries, precedes) { leaf, entry in
            leaf.prefetchCandidates(entry.member)
        } _: { entry, place in
            remove(entry, at: locate(entry, near: place, precedes))
        }
    }

    /// Adds entries none of which is there.
    func insert(all entries: UnsafeBufferPointer<Entry>, _ precedes: Order) {
        inOrder(entries, precedes) { leaf, _ in
            leaf.prefetchFirstFree()
        } _: { entry, place in
            insert(entry, at: locate(entry, near: place, precedes), precedes)
        }
    }

    /// Calls `prefetch` and later `change` for every entry, group by group. What the first is given may have changed when it comes
    /// to the second.
    ///
    /// Some entries at a time go through stages, each some entries behind the one before it: what a stage starts to load is there
    /// when the next one needs it.
    @inline(__always)
    private func inOrder(
        _ entries: UnsafeBufferPointer<Entry>, _ precedes: Order, _ prefetch: (Leaf, Entry) -> Void,
        _ change: (Entry, Place) -> Void
    ) {
        guard let first = entries.baseAddress, !entries.isEmpty else { return }
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * entries.count) { numbers in
            let groups = UnsafeMutableBufferPointer(rebasing: numbers[..<entries.count])
            let order = UnsafeMutableBufferPointer(rebasing: numbers[entries.count...])
            findGroups(entries, into: groups, precedes)
            sort(groups, into: order)
            let version = header.pointee.groupVersion
            withUnsafeTemporaryAllocation(of: Place.self, capacity: Self.placesKept) { places in
                let places = places.baseAddress.unsafelyUnwrapped
                func forEach(_ rows: Range<Int>, _ body: (UnsafePointer<Entry>, UnsafeMutablePointer<Place>) -> Void) {
                    for row in rows { body(first + Int(order[row]), places + (row & (Self.placesKept &- 1))) }
                }
                // The last stage first: changes come before what is found next.
                forEachTurn(entries.count, (0..<Self.stages).reversed(), lag: { $0 }) { stage, rows in
                    switch stage {
                    case 0:
                        // Groups that came or went have other numbers.
                        let isKnown = header.pointee.groupVersion == version
                        forEach(rows) { entry, place in
                            let group =
                                isKnown ? Int(groups[entry - first]) : groupIndex(entry.pointee, precedes)
                            place.pointee = Place(group: group, leaf: 0)
                            prefetchSummary(place.pointee)
                        }
                    case 1: forEach(rows) { findBlock($0.pointee, $1) }
                    case 2: forEach(rows) { findLeaf($0.pointee, $1, precedes) }
                    case 3: forEach(rows) { if let leaf = leaf($1.pointee) { prefetch(leaf, $0.pointee) } }
                    default: forEach(rows) { change($0.pointee, $1.pointee) }
                    }
                }
            }
        }
    }

    private static let stages = 5
    /// Places that are needed at the same time, and more: a power of two.
    private static let placesKept = 128

    /// Sorts the numbers 0, 1, 2 … by their group: one pass to count, one to place.
    private func sort(_ groups: UnsafeMutableBufferPointer<UInt32>, into order: UnsafeMutableBufferPointer<UInt32>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: header.pointee.groupCount + 1) { starts in
            starts.initialize(repeating: 0)
            for group in groups { starts[Int(group) + 1] += 1 }
            for group in 1..<max(starts.count, 1) { starts[group] += starts[group - 1] }
            for (i, group) in groups.enumerated() {
                order[Int(starts[Int(group)])] = UInt32(i)
                starts[Int(group)] += 1
            }
        }
    }
}
