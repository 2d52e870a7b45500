/// Finds 32-bit values by 64-bit hash: the table under the id tables.
///
/// Only the upper 32 bits of a hash, its *tag*, are kept. The leading bits of the tag choose a segment of at most a few thousand
/// slots through a directory; inside a segment slots are sorted by tag, each near the place that the tag alone would
/// give it, so a lookup starts there and stops at the first larger tag. A full segment grows by a quarter or, at its largest,
/// splits in two. Both are one linear pass over one segment: no insertion ever rehashes the whole table, the load stays
/// between two thirds and five sixths, and 10 bytes an entry are the usual cost.
///
/// Equal tags are told apart by the caller, who has the full key. A handle; the owner calls `deallocate()`.
struct TagIndex: @unchecked Sendable {
    // Sendable by ownership, as the tables built on it.
    private let header: UnsafeMutablePointer<Header>

    private struct Header {
        var directory: UnsafeMutablePointer<Segment>
        /// The directory has 2 to the power of `depth` entries.
        var depth: UInt64 = 0
        var slotBytes = 0
    }

    /// One entry of the directory. Entries that share a segment are neighbours; only the first counts.
    private struct Segment {
        var slots: UnsafeMutablePointer<UInt64>
        var count: UInt32
        /// Places that tags are spread over; `padding` slots more take what is displaced beyond the last.
        var homes: UInt16
        /// Leading tag bits that all entries of the segment share.
        var depth: UInt8
    }

    /// The largest value that can be kept; two words of 32 bits mean something else.
    static let valueLimit = UInt32.max - 2

    private static let firstHomes = 32
    /// With the padding and the last word exactly eight pages.
    private static let homesLimit = 4096 - padding - 1
    private static let padding = 64
    /// Beyond this many leading bits too few are left to spread a segment: over 10⁹ entries.
    private static let depthLimit: UInt64 = 20

    init() {
        header = .allocate(capacity: 1)
        let directory = StateMemory.allocate(Segment.self, count: 1)
        header.initialize(to: Header(directory: directory))
        directory.initialize(to: makeSegment(homes: Self.firstHomes, depth: 0))
    }

    var storageBytes: Int {
        header.pointee.slotBytes + MemoryLayout<Segment>.stride << Int(header.pointee.depth)
    }

    func deallocate() {
        forEachSegment { Self.freeSlots($0) }
        StateMemory.free(header.pointee.directory, count: 1 << Int(header.pointee.depth))
        header.deallocate()
    }

    @inline(__always)
    func prefetch(_ hash: UInt64) {
        let segment = header.pointee.directory[directoryIndex(hash &>> 32)]
        let slot = segment.slots + Self.home(hash &>> 32, segment)
        // A search ends within a line mostly; an insertion moves what follows, up to the next empty slot.
        prefetchLine(slot)
        prefetchLine(slot + 8)
    }

    /// The first value with the tag of `hash` that `matches` accepts.
    @inline(__always)
    func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        let tag = hash &>> 32
        let segment = header.pointee.directory[directoryIndex(tag)]
        var slot = segment.slots + Self.home(tag, segment)
        // An empty slot is 0 and wraps to the largest word, so one comparison stops there as well.
        while slot.pointee &- 1 < tag &<< 32 { slot += 1 }
        while slot.pointee &>> 32 == tag {
            let value = UInt32(truncatingIfNeeded: slot.pointee) &- 1
            // Neither an empty slot nor the one behind the last, whose tags look like 0 and the largest.
            guard value <= Self.valueLimit else { return nil }
            if matches(value) { return value }
            slot += 1
        }
        return nil
    }

    /// Adds a value, at most `valueLimit`, without looking whether the key is there.
    @inline(__always)
    func insert(_ hash: UInt64, _ value: UInt32) {
        precondition(value <= Self.valueLimit, "the table is full")
        let word = (hash &>> 32) &<< 32 | UInt64(value &+ 1)
        while !tryInsert(word) { makeRoom(hash &>> 32) }
    }

    /// The most entries that `forEachInRuns` hands out at once, and that can have one tag.
    static let runLength = 1024
    static var sameTagLimit: Int { homesLimit + padding }

    /// Calls `body` with all entries in the order of their tags, many at a time.
    func forEachInRuns(_ body: (UnsafeBufferPointer<(tag: UInt32, value: UInt32)>) -> Void) {
        withUnsafeTemporaryAllocation(of: (tag: UInt32, value: UInt32).self, capacity: Self.runLength) { run in
            let start = run.baseAddress.unsafelyUnwrapped
            var filled = 0
            forEachSegment { segment in
                for slot in 0..<Int(segment.homes) + Self.padding {
                    // Which slots are empty is random: what is in one is overwritten, without a jump.
                    let word = segment.slots[slot]
                    start[filled] = (UInt32(word &>> 32), UInt32(truncatingIfNeeded: word) &- 1)
                    filled &+= word == 0 ? 0 : 1
                    if filled == Self.runLength {
                        body(UnsafeBufferPointer(run))
                        filled = 0
                    }
                }
            }
            body(UnsafeBufferPointer(rebasing: run[..<filled]))
        }
    }
}

extension TagIndex {
    @inline(__always)
    private func directoryIndex(_ tag: UInt64) -> Int {
        Int(truncatingIfNeeded: (tag &<< header.pointee.depth) &>> 32)
    }

    /// Grows with the tag, which is what keeps a segment sorted.
    @inline(__always)
    private static func home(_ tag: UInt64, _ segment: Segment) -> Int {
        let rest = (tag &<< UInt64(segment.depth)) & 0xffff_ffff
        return Int(truncatingIfNeeded: (rest &* UInt64(segment.homes)) &>> 32)
    }

    /// The first directory entry of the segment that `tag` belongs to.
    @inline(__always)
    private func firstEntry(_ tag: UInt64) -> UnsafeMutablePointer<Segment> {
        let index = directoryIndex(tag)
        let aliasBits = Int(header.pointee.depth) &- Int(header.pointee.directory[index].depth)
        return header.pointee.directory + (index &>> aliasBits) &<< aliasBits
    }

    @inline(__always)
    private func tryInsert(_ word: UInt64) -> Bool {
        let entry = firstEntry(word &>> 32)
        let segment = entry.pointee
        if segment.count &* 6 >= UInt32(segment.homes) &* 5 { return false }
        var slot = segment.slots + Self.home(word &>> 32, segment)
        while slot.pointee &- 1 < word &- 1 { slot += 1 }
        // Shifts the run of larger words one slot on, up to the next empty slot.
        let last = segment.slots + (Int(segment.homes) &+ Self.padding)
        var free = slot
        while free.pointee != 0, free < last { free += 1 }
        if free == last { return false }
        while free > slot {
            free.pointee = (free - 1).pointee
            free -= 1
        }
        slot.pointee = word
        entry.pointee.count &+= 1
        return true
    }

    private func makeSegment(homes: Int, depth: UInt8) -> Segment {
        var homes = homes
        if Self.slotBytes(homes) >= StateMemory.leastBytes {
            // Large segments fill their pages.
            let pages = (Self.slotBytes(homes) + StateMemory.pageBytes - 1) / StateMemory.pageBytes
            homes = min(pages * StateMemory.pageBytes / 8 - Self.padding - 1, Self.homesLimit)
        }
        let slots = StateMemory.allocate(UInt64.self, count: homes + Self.padding + 1)
        slots.initialize(repeating: 0, count: homes + Self.padding)
        // Stops every scan that runs to the end of the segment.
        slots[homes + Self.padding] = UInt64.max
        header.pointee.slotBytes += Self.slotBytes(homes)
        return Segment(slots: slots, count: 0, homes: UInt16(homes), depth: depth)
    }

    private static func slotBytes(_ homes: Int) -> Int { (homes + padding + 1) * 8 }

    private static func freeSlots(_ segment: Segment) {
        StateMemory.free(segment.slots, count: Int(segment.homes) + padding + 1)
    }

    @inline(never)
    private func makeRoom(_ tag: UInt64) {
        let old = firstEntry(tag).pointee
        if old.homes < Self.homesLimit {
            // A page more where there are pages, a quarter more before.
            let homes = min(
                max(min(Int(old.homes) * 5 / 4, Int(old.homes) + StateMemory.pageBytes / 8), Int(old.homes) + 8),
                Self.homesLimit)
            replace(tag, with: makeSegment(homes: homes, depth: old.depth), nil)
        } else {
            if UInt64(old.depth) == header.pointee.depth { doubleDirectory() }
            let homes = max(Int(old.count) * 5 / 7, Self.firstHomes)
            replace(
                tag, with: makeSegment(homes: homes, depth: old.depth + 1),
                makeSegment(homes: homes, depth: old.depth + 1))
        }
    }

    /// Moves the entries of the segment of `tag` to `lower` or, by their next bit, to `lower` and `upper`.
    private func replace(_ tag: UInt64, with lower: Segment, _ upper: Segment?) {
        let entry = firstEntry(tag)
        let old = entry.pointee
        var segments = (lower, upper ?? lower)
        var next = (0, 0)
        for slot in 0..<Int(old.homes) + Self.padding where old.slots[slot] != 0 {
            let word = old.slots[slot]
            if upper != nil, (word >> 32) << UInt64(old.depth) & 0x8000_0000 != 0 {
                Self.place(word, &segments.1, &next.1)
            } else {
                Self.place(word, &segments.0, &next.0)
            }
        }
        let aliases = 1 << (Int(header.pointee.depth) - Int(old.depth))
        for alias in 0..<aliases {
            entry[alias] = upper != nil && alias >= aliases / 2 ? segments.1 : segments.0
        }
        header.pointee.slotBytes -= Self.slotBytes(Int(old.homes))
        Self.freeSlots(old)
    }

    /// Appends a word that is larger than all in the segment.
    @inline(__always)
    private static func place(_ word: UInt64, _ segment: inout Segment, _ next: inout Int) {
        let slot = max(home(word >> 32, segment), next)
        // A run of 64 displaced entries at two thirds load does not happen with a keyed hash.
        precondition(slot < Int(segment.homes) + padding, "hashes are not spread")
        segment.slots[slot] = word
        segment.count += 1
        next = slot + 1
    }

    private func doubleDirectory() {
        precondition(header.pointee.depth < Self.depthLimit, "the table is full, or hashes are not spread")
        let old = header.pointee.directory
        let size = 1 << Int(header.pointee.depth)
        let directory = StateMemory.allocate(Segment.self, count: size * 2)
        for index in 0..<size {
            directory[index * 2] = old[index]
            directory[index * 2 + 1] = old[index]
        }
        StateMemory.free(old, count: size)
        header.pointee.directory = directory
        header.pointee.depth += 1
    }

    private func forEachSegment(_ body: (Segment) -> Void) {
        let size = 1 << Int(header.pointee.depth)
        var index = 0
        while index < size {
            let segment = header.pointee.directory[index]
            body(segment)
            index += 1 << (Int(header.pointee.depth) - Int(segment.depth))
        }
    }
}
