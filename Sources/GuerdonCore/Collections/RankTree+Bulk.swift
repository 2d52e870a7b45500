// Thousands of changes at once: sorted by the group in which they belong, so that neighbours share what is read of it, and in
// stages, so that many leaves are on their way from memory at the same time.
extension RankTree {
    /// Removes entries that are all there, and adds others none of which is there then.
    func change(
        removing removals: UnsafeBufferPointer<Entry>, inserting insertions: UnsafeBufferPointer<Entry>,
        _ precedes: Order
    ) {
        precondition(header.pointee.groupCount < 1 << 24, "more groups than a row can name")
        guard removals.count + insertions.count >= Self.fewChanges else {
            for entry in removals { remove(entry, at: locate(entry, precedes)) }
            for entry in insertions { insert(entry, at: locate(entry, precedes), precedes) }
            return
        }
        withSorted(removals, precedes) { removals in
            withSorted(insertions, precedes) { insertions in
                // From the last group to the first: what becomes of a group changes the numbers of those behind it.
                var end = header.pointee.groupCount
                while end > 0 {
                    let run = Self.run(before: end, removals, insertions)
                    change(run, removing: removals, inserting: insertions, precedes)
                    end = run.lowerBound
                }
            }
        }
    }

    /// So few that one by one is quicker.
    private static let fewChanges = 64
    /// Changes that are made together, but for those of one group, which are never taken apart.
    private static let runChanges = 1024
    /// How far an entry that finds its leaf full goes in front of others of them.
    private static let sortedAtOnce = 32

    /// An entry, and where it belongs: the leaf is known after some stages.
    private struct Row: BitwiseCopyable {
        let entry: Entry
        // A byte for the leaf, the others for the group: with the entry's member they fill a word.
        private var place: UInt32

        @inline(__always)
        init(_ entry: Entry, group: UInt32) { (self.entry, place) = (entry, group &<< 8) }

        @inline(__always)
        var group: Int { Int(place &>> 8) }

        @inline(__always)
        var leaf: Int {
            get { Int(place & 0xff) }
            set { place = place & ~0xff | UInt32(truncatingIfNeeded: newValue) }
        }
    }

    /// Rows in the order of their groups.
    private struct Sorted {
        let rows: UnsafeMutablePointer<Row>
        /// Where the rows of each group begin, and after the last where they end.
        let starts: UnsafeMutablePointer<UInt32>

        @inline(__always)
        func range(_ groups: Range<Int>) -> Range<Int> {
            Int(starts[groups.lowerBound])..<Int(starts[groups.upperBound])
        }
    }

    /// Gives `body` entries sorted by their group: one pass to count, one to place.
    private func withSorted(_ entries: UnsafeBufferPointer<Entry>, _ precedes: Order, _ body: (Sorted) -> Void) {
        withUnsafeTemporaryAllocation(of: Row.self, capacity: entries.count) { rows in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: entries.count) { groups in
                withUnsafeTemporaryAllocation(of: UInt32.self, capacity: header.pointee.groupCount + 2) { starts in
                    findGroups(entries, into: groups, precedes)
                    starts.initialize(repeating: 0)
                    for group in groups { starts[Int(group) + 2] += 1 }
                    for group in 2..<starts.count { starts[group] += starts[group - 1] }
                    // While rows are placed, each start moves on to where the next one was.
                    for (index, group) in groups.enumerated() {
                        let row = Int(starts[Int(group) + 1])
                        starts[Int(group) + 1] += 1
                        rows.initializeElement(at: row, to: Row(entries[index], group: group))
                    }
                    guard let rows = rows.baseAddress, let starts = starts.baseAddress else { return }
                    body(Sorted(rows: rows, starts: starts))
                }
            }
        }
    }

    /// The groups before `end` whose changes are made together.
    private static func run(before end: Int, _ removals: Sorted, _ insertions: Sorted) -> Range<Int> {
        var first = end - 1
        while first > 0,
            removals.range(first..<end).count + insertions.range(first..<end).count < runChanges
        { first -= 1 }
        return first..<end
    }

    private func change(
        _ run: Range<Int>, removing removals: Sorted, inserting insertions: Sorted, _ precedes: Order
    ) {
        // Leaves keep their places until all that fits them is in: what a stage finds holds for those that follow.
        let groups = header.pointee.groups
        let counts = header.pointee.counts
        inTurns(removals, run, precedes) { leaf, row in
            leaf.prefetchCandidates(row.entry.member)
        } _: { row in
            let group = groups[row.group]
            group.leaf(row.leaf).remove(row.entry)
            group.counts[row.leaf] &-= 1
            counts[row.group] &-= 1
        }
        let added = insertions.range(run)
        var left = added.lowerBound
        inTurns(insertions, run, precedes) { leaf, row in
            leaf.prefetchFirstFree()
        } _: { row in
            let group = groups[row.group]
            if Int(group.counts[row.leaf]) < Self.leafCapacity {
                group.leaf(row.leaf).add(row.entry)
                group.counts[row.leaf] &+= 1
                counts[row.group] &+= 1
            } else {
                // In ascending order, mostly: who comes behind all others of a leaf splits it best.
                var place = left
                let least = max(added.lowerBound, left - Self.sortedAtOnce)
                while place > least, insertions.rows[place - 1].entry.high > row.entry.high {
                    insertions.rows[place] = insertions.rows[place - 1]
                    place -= 1
                }
                insertions.rows[place] = row
                left += 1
            }
        }
        header.pointee.count += added.upperBound - left - removals.range(run).count
        updateBlockCounts(from: run.lowerBound)
        let groupsBefore = header.pointee.groupCount
        for row in added.lowerBound..<left {
            let entry = insertions.rows[row].entry
            insert(entry, at: locate(entry, precedes), precedes)
        }
        let behind = run.upperBound + (header.pointee.groupCount - groupsBefore)
        for group in (run.lowerBound..<behind).reversed() { mergeLeaves(ofGroup: group) }
    }

    @inline(__always)
    private func inTurns(
        _ sorted: Sorted, _ run: Range<Int>, _ precedes: Order, _ prefetch: (Leaf, Row) -> Void, _ change: (Row) -> Void
    ) {
        let range = sorted.range(run)
        let rows = sorted.rows + range.lowerBound
        let groups = header.pointee.groups
        forEachTurn(range.count, (0..<4).reversed(), lag: { $0 }) { stage, numbers in
            switch stage {
            case 0:
                var last = -1
                for number in numbers where rows[number].group != last {
                    last = rows[number].group
                    groups[last].prefetchBounds()
                }
            case 1:
                for number in numbers {
                    let row = rows + number
                    let group = groups[row.pointee.group]
                    let leaf = leafIndex(row.pointee.entry, group, precedes)
                    row.pointee.leaf = leaf
                    prefetchLine(group.leaf(leaf).base)
                }
            case 2:
                for number in numbers {
                    prefetch(groups[rows[number].group].leaf(rows[number].leaf), rows[number])
                }
            default:
                for number in numbers { change(rows[number]) }
            }
        }
    }
}
