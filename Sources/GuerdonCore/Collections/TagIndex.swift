import CIntrinsics

/// Finds 32-bit values by 64-bit hash: the table under the id tables.
///
/// Only the upper 32 bits of a hash, its *tag*, are kept. The leading bits of the tag choose a segment of at most a few thousand
/// slots through a directory; inside a segment the tag alone says which *bucket* of eight slots, one line of the cache, is its
/// home, and larger tags have later homes. What a full bucket has no room for goes to the next that has, so a lookup goes on
/// behind full ones: it reads one and a half lines on average. A full segment grows by a quarter or, at its largest, splits in
/// two. Both are one linear pass over one segment: no insertion ever rehashes the whole table, the load stays between two
/// thirds and five sixths, and 10 bytes an entry are the usual cost.
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
        /// Buckets that tags are spread over; `padding` more take what is displaced beyond the last.
        var homes: UInt16
        /// Leading tag bits that all entries of the segment share.
        var depth: UInt8
    }

    /// The largest value that can be kept; two words of 32 bits mean something else.
    static let valueLimit = UInt32.max - 2

    private static let bucketSlots = 8
    private static let firstHomes = 4
    /// With the padding exactly eight pages.
    private static let homesLimit = 512 - padding
    private static let padding = 8
    /// Beyond this many leading bits too few are left to spread a segment: over 10⁹ entries.
    private static let depthLimit: UInt64 = 20

    init() {
        header = .allocate(capacity: 1)
        let directory = StateMemory.allocate(Segment.self, count: 1)
        header.initialize(to: Header(directory: directory))
        directory.initialize(to: makeSegment(homes: Self.firstHomes, depth: 0))
    }

    /// Makes an empty table large enough for so many values, if hashes are spread.
    func reserve(_ count: Int) {
        precondition(header.pointee.depth == 0 && header.pointee.directory[0].count == 0, "the table is not empty")
        var depth: UInt64 = 0
        while count &>> depth > Self.reservedMost, depth < Self.depthLimit { depth += 1 }
        deallocateSegments()
        header.pointee.slotBytes = 0
        header.pointee.depth = depth
        header.pointee.directory = StateMemory.allocate(Segment.self, count: 1 << Int(depth))
        // Three quarters full, so that chance hardly ever makes one of them too small.
        let homes = max((count &>> depth) * 4 / (3 * Self.bucketSlots) + 1, Self.firstHomes)
        for entry in 0..<1 << Int(depth) {
            header.pointee.directory[entry] = makeSegment(homes: homes, depth: UInt8(depth))
        }
    }

    /// Values that a segment is made for at most, so that it seldom has to be split.
    private static let reservedMost = 3000

    var storageBytes: Int {
        header.pointee.slotBytes + MemoryLayout<Segment>.stride << Int(header.pointee.depth)
    }

    func deallocate() {
        deallocateSegments()
        header.deallocate()
    }

    private func deallocateSegments() {
        forEachSegment { Self.freeSlots($0) }
        StateMemory.free(header.pointee.directory, count: 1 << Int(header.pointee.depth))
    }

    /// Starts loading the bucket where the hash is at home.
    @inline(__always)
    func prefetch(_ hash: UInt64) {
        let segment = header.pointee.directory[directoryIndex(hash &>> 32)]
        prefetchLine(Self.bucket(hash &>> 32, segment))
    }

    /// Calls `body` with the values in the bucket that was loaded that may be the one, and starts loading the next bucket where
    /// the search may go on there.
    @inline(__always)
    func prefetchCandidates(_ hash: UInt64, _ body: (UInt32) -> Void) {
        let tag = hash &>> 32
        let bucket = Self.bucket(tag, header.pointee.directory[directoryIndex(tag)])
        let isFound = Self.firstValue(in: bucket, tag) { value in
            body(value)
            return true
        }
        // Behind the last bucket of a segment is nothing to load, and no harm in asking.
        if isFound == nil, Self.isFull(bucket) { prefetchLine(bucket + Self.bucketSlots) }
    }

    /// The first value with the tag of `hash` that `matches` accepts.
    @inline(__always)
    func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        let tag = hash &>> 32
        let segment = header.pointee.directory[directoryIndex(tag)]
        var bucket = Self.bucket(tag, segment)
        let end = segment.slots + Self.slotCount(Int(segment.homes))
        while bucket < end {
            if let value = Self.firstValue(in: bucket, tag, matches) { return value }
            if !Self.isFull(bucket) { return nil }
            bucket += Self.bucketSlots
        }
        return nil
    }

    @inline(__always)
    private static func firstValue(
        in bucket: UnsafeMutablePointer<UInt64>, _ tag: UInt64, _ matches: (UInt32) -> Bool
    ) -> UInt32? {
        // Two bits a slot, the tag's is the upper one.
        var candidates = cintrinsics_match_16_halves(bucket, UInt32(truncatingIfNeeded: tag)) & 0xaaaa
        while candidates != 0 {
            // An empty slot looks like one of tag 0, with a value above the limit.
            let value = UInt32(truncatingIfNeeded: bucket[candidates.trailingZeroBitCount &>> 1]) &- 1
            if value <= valueLimit, matches(value) { return value }
            candidates &= candidates &- 1
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
    static var sameTagLimit: Int { slotCount(homesLimit) }

    /// Calls `body` with all entries in the order of their tags, many at a time.
    func forEachInRuns(_ body: (UnsafeBufferPointer<(tag: UInt32, value: UInt32)>) -> Void) {
        withUnsafeTemporaryAllocation(of: (tag: UInt32, value: UInt32).self, capacity: Self.runLength) { run in
            withUnsafeTemporaryAllocation(of: UInt64.self, capacity: Self.sameTagLimit) { room in
                let (start, room) = (run.baseAddress.unsafelyUnwrapped, room.baseAddress.unsafelyUnwrapped)
                var filled = 0
                forEachSegment { segment in
                    Self.forEachInOrder(segment, room: room) { word in
                        start[filled] = (UInt32(word &>> 32), UInt32(truncatingIfNeeded: word) &- 1)
                        filled &+= 1
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
}

extension TagIndex {
    @inline(__always)
    private func directoryIndex(_ tag: UInt64) -> Int {
        Int(truncatingIfNeeded: (tag &<< header.pointee.depth) &>> 32)
    }

    /// The bucket of a tag; grows with the tag, which is what keeps buckets in order.
    @inline(__always)
    private static func home(_ tag: UInt64, _ segment: Segment) -> Int {
        let rest = (tag &<< UInt64(segment.depth)) & 0xffff_ffff
        return Int(truncatingIfNeeded: (rest &* UInt64(segment.homes)) &>> 32)
    }

    @inline(__always)
    private static func bucket(_ tag: UInt64, _ segment: Segment) -> UnsafeMutablePointer<UInt64> {
        segment.slots + home(tag, segment) &* bucketSlots
    }

    /// Buckets fill from their first slot.
    @inline(__always)
    private static func isFull(_ bucket: UnsafeMutablePointer<UInt64>) -> Bool { bucket[bucketSlots &- 1] != 0 }

    @inline(__always)
    private static func count(of bucket: UnsafeMutablePointer<UInt64>) -> Int {
        // Two bits a slot: the lower half of an empty one is 0, and of no other.
        (cintrinsics_match_16_halves(bucket, 0) & 0x5555 | 1 << UInt32(2 * bucketSlots)).trailingZeroBitCount &>> 1
    }

    /// Puts a word into a bucket or, where that is full, into the next that is not; `false` when there is none before `end`.
    @inline(__always)
    private static func place(
        _ word: UInt64, from home: UnsafeMutablePointer<UInt64>, before end: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        var bucket = home
        while isFull(bucket) {
            bucket += bucketSlots
            if bucket == end { return false }
        }
        bucket[count(of: bucket)] = word
        return true
    }

    /// Calls `body` with the words of a segment in ascending order. `room` has as many slots as the segment.
    private static func forEachInOrder(
        _ segment: Segment, room: UnsafeMutablePointer<UInt64>, _ body: (UInt64) -> Void
    ) {
        let end = segment.slots + slotCount(Int(segment.homes))
        var bucket = segment.slots
        while bucket < end {
            // Buckets up to one that is not full: nothing went beyond it.
            var count = 0
            var goesOn = true
            while goesOn, bucket < end {
                (room + count).update(from: bucket, count: bucketSlots)
                cintrinsics_sort_8(room + count)
                goesOn = isFull(bucket)
                count &+= goesOn ? bucketSlots : Self.count(of: room + count)
                bucket += bucketSlots
            }
            if count > bucketSlots { sort(room, count) }
            for slot in 0..<count { body(room[slot]) }
        }
    }

    /// Sorts words that are nearly in order; the standard library would allocate for it.
    private static func sort(_ words: UnsafeMutablePointer<UInt64>, _ count: Int) {
        for index in 1..<count {
            let word = words[index]
            var place = index
            while place > 0, words[place - 1] > word {
                words[place] = words[place - 1]
                place -= 1
            }
            words[place] = word
        }
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
        if segment.count &* 6 >= UInt32(segment.homes) &* UInt32(5 * Self.bucketSlots) { return false }
        let end = segment.slots + Self.slotCount(Int(segment.homes))
        guard Self.place(word, from: Self.bucket(word &>> 32, segment), before: end) else { return false }
        entry.pointee.count &+= 1
        return true
    }

    private func makeSegment(homes: Int, depth: UInt8) -> Segment {
        var homes = min(homes, Self.homesLimit)
        if Self.slotBytes(homes) >= StateMemory.leastBytes {
            // Large segments fill their pages.
            let pages = (Self.slotBytes(homes) + StateMemory.pageBytes - 1) / StateMemory.pageBytes
            homes = min(pages * StateMemory.pageBytes / (8 * Self.bucketSlots) - Self.padding, Self.homesLimit)
        }
        let slots = StateMemory.allocate(UInt64.self, count: Self.slotCount(homes))
        slots.initialize(repeating: 0, count: Self.slotCount(homes))
        header.pointee.slotBytes += Self.slotBytes(homes)
        return Segment(slots: slots, count: 0, homes: UInt16(homes), depth: depth)
    }

    @inline(__always)
    private static func slotCount(_ homes: Int) -> Int { (homes &+ padding) &* bucketSlots }

    private static func slotBytes(_ homes: Int) -> Int { slotCount(homes) * 8 }

    private static func freeSlots(_ segment: Segment) {
        StateMemory.free(segment.slots, count: slotCount(Int(segment.homes)))
    }

    @inline(never)
    private func makeRoom(_ tag: UInt64) {
        let old = firstEntry(tag).pointee
        if old.homes < Self.homesLimit {
            // A page more where there are pages, a quarter more before.
            let page = StateMemory.pageBytes / (8 * Self.bucketSlots)
            let homes = max(min(Int(old.homes) * 5 / 4, Int(old.homes) + page), Int(old.homes) + 1)
            replace(tag, with: makeSegment(homes: homes, depth: old.depth), nil)
        } else {
            if UInt64(old.depth) == header.pointee.depth { doubleDirectory() }
            let homes = max(Int(old.count) * 5 / (7 * Self.bucketSlots), Self.firstHomes)
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
        let nextBit: UInt64 = upper == nil ? 0 : 0x8000_0000
        // Words in each new bucket: reading what was just written in other pieces would wait for the writes.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 2 * (Self.homesLimit + Self.padding)) { filled in
            filled.initialize(repeating: 0)
            let first = filled.baseAddress.unsafelyUnwrapped
            let second = upper == nil ? first : first + (Self.homesLimit + Self.padding)
            var bucket = old.slots
            let end = bucket + Self.slotCount(Int(old.homes))
            while bucket < end {
                for slot in 0..<Self.count(of: bucket) {
                    let word = bucket[slot]
                    if (word &>> 32) &<< UInt64(old.depth) & nextBit != 0 {
                        Self.fill(&segments.1, word, second)
                    } else {
                        Self.fill(&segments.0, word, first)
                    }
                }
                bucket += Self.bucketSlots
            }
        }
        let aliases = 1 << (Int(header.pointee.depth) - Int(old.depth))
        for alias in 0..<aliases {
            entry[alias] = upper != nil && alias >= aliases / 2 ? segments.1 : segments.0
        }
        header.pointee.slotBytes -= Self.slotBytes(Int(old.homes))
        Self.freeSlots(old)
    }

    @inline(__always)
    private static func fill(_ segment: inout Segment, _ word: UInt64, _ filled: UnsafeMutablePointer<UInt8>) {
        var bucket = home(word &>> 32, segment)
        while filled[bucket] == bucketSlots {
            bucket &+= 1
            // So many displaced entries at two thirds load do not happen with a keyed hash.
            precondition(bucket < Int(segment.homes) &+ padding, "hashes are not spread")
        }
        segment.slots[bucket &* bucketSlots &+ Int(filled[bucket])] = word
        filled[bucket] &+= 1
        segment.count &+= 1
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
