/// Sorts entries in place by their keys, a byte at a time, and equal keys by the order of members.
///
/// An American flag sort: it needs no second copy of ten million entries, and no comparison until few are left.
struct RankSorter {
    /// Below this many entries comparing them is quicker than counting bytes.
    private static let insertionLimit = 24

    let entries: UnsafeMutableBufferPointer<RankTree.Entry>
    let precedes: RankTree.Order

    static func sort(_ entries: UnsafeMutableBufferPointer<RankTree.Entry>, _ precedes: RankTree.Order) {
        withoutActuallyEscaping(precedes) { precedes in
            RankSorter(entries: entries, precedes: precedes).sort(0..<entries.count, shift: 120)
        }
    }

    private init(
        entries: UnsafeMutableBufferPointer<RankTree.Entry>, precedes: @escaping RankTree.Order
    ) {
        self.entries = entries
        self.precedes = precedes
    }

    /// Sorts a range in which all bits of the keys above the byte at `shift` are equal.
    private func sort(_ range: Range<Int>, shift start: Int) {
        guard range.count > Self.insertionLimit else { return insertionSort(range) }
        var shift = start
        while shift >= 0 {
            var ends = InlineArray<256, Int>(repeating: 0)
            for index in range { ends[byte(index, shift)] += 1 }
            if ends[byte(range.lowerBound, shift)] == range.count {
                // All the same: nothing to move.
                shift -= 8
                continue
            }
            distribute(range, shift, &ends)
            var lower = range.lowerBound
            for digit in 0..<256 where ends[digit] > lower {
                sort(lower..<ends[digit], shift: shift - 8)
                lower = ends[digit]
            }
            return
        }
        // All keys are equal, and there may be many: members decide.
        var equal = UnsafeMutableBufferPointer(rebasing: entries[range])
        equal.sort { precedes($0.member, $1.member) }
    }

    /// Moves every entry into the part of its byte; `counts` become the ends of the parts.
    private func distribute(_ range: Range<Int>, _ shift: Int, _ counts: inout InlineArray<256, Int>) {
        var next = InlineArray<256, Int>(repeating: 0)
        var sum = range.lowerBound
        for digit in 0..<256 {
            next[digit] = sum
            sum += counts[digit]
            counts[digit] = sum
        }
        for digit in 0..<256 {
            while next[digit] < counts[digit] {
                var entry = entries[next[digit]]
                // Follows the chain of displaced entries until one belongs here.
                while true {
                    let target = Int(truncatingIfNeeded: entry.key &>> UInt128(shift)) & 255
                    if target == digit { break }
                    swap(&entries[next[target]], &entry)
                    next[target] += 1
                }
                entries[next[digit]] = entry
                next[digit] += 1
            }
        }
    }

    private func insertionSort(_ range: Range<Int>) {
        for index in range.dropFirst() {
            let entry = entries[index]
            var place = index
            while place > range.lowerBound {
                let other = entries[place - 1]
                guard entry.key < other.key || entry.key == other.key && precedes(entry.member, other.member) else {
                    break
                }
                entries[place] = other
                place -= 1
            }
            entries[place] = entry
        }
    }

    @inline(__always)
    private func byte(_ index: Int, _ shift: Int) -> Int {
        Int(truncatingIfNeeded: entries[index].key &>> UInt128(shift)) & 255
    }
}
