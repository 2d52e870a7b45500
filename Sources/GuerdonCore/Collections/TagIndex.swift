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
        /// Buckets that segments are made of when something is put into them first; see ``reserve(_:bytesEach:)``.
        var reservedHomes = 0
        /// What segments that are not made yet share, with nothing in it.
        var emptySlots: UnsafeMutablePointer<UInt64>
        var slotBytes = 0
        /// Changes whenever a bucket moves.
        var version: UInt32
    }

    /// One entry of the directory. Entries that share a segment are neighbours; only the first counts.
    private struct Segment {
        var slots: UnsafeMutablePointer<UInt64>
        var count: UInt32
        /// Buckets that tags are spread over, 0 before the segment is made; `padding` more take what is displaced beyond the last.
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
    /// The last of them stays empty, so that every search ends there.
    private static let padding = 8
    /// Beyond this many leading bits too few are left to spread a segment: over 10⁹ entries.
    private static let depthLimit: UInt64 = 20

    /// Makes an empty table.
    ///
    /// - Parameter version: what ``version`` is at first.
    init(version: UInt32 = 0) {
        header = .allocate(capacity: 1)
        let directory = StateMemory.allocate(Segment.self, count: 1)
        let empty = StateMemory.allocate(UInt64.self, count: Self.slotCount(0))
        empty.initialize(repeating: 0, count: Self.slotCount(0))
        header.initialize(to: Header(directory: directory, emptySlots: empty, version: version))
        directory.initialize(to: makeSegment(homes: Self.firstHomes, depth: 0))
    }

    /// Makes an empty table ready for so many values: if hashes are spread, no segment is split before they are there, and few
    /// are copied.
    ///
    /// Segments are made when something is put into them first.
    ///
    /// - Parameter bytesEach: memory for a value; with 11 a segment is hardly ever too small, with 10 every fourth has to grow.
    func reserve(_ count: Int, bytesEach: Int) {
        precondition(header.pointee.depth == 0 && header.pointee.directory[0].count == 0, "the table is not empty")
        var depth: UInt64 = 0
        while count &>> depth > Self.reservedMost, depth < Self.depthLimit { depth += 1 }
        deallocateSegments()
        header.pointee.slotBytes = 0
        header.pointee.depth = depth
        header.pointee.directory = StateMemory.allocate(Segment.self, count: 1 << Int(depth))
        let buckets = (count &>> depth) * bytesEach / (8 * Self.bucketSlots)
        header.pointee.reservedHomes = max(buckets - Self.padding, Self.firstHomes)
        let empty = Segment(slots: header.pointee.emptySlots, count: 0, homes: 0, depth: UInt8(depth))
        header.pointee.directory.initialize(repeating: empty, count: 1 << Int(depth))
        header.pointee.version &+= 1
    }

    /// Values that a segment is made for at most, so that it seldom has to be split.
    private static let reservedMost = 3000

    var storageBytes: Int {
        header.pointee.slotBytes + MemoryLayout<Segment>.stride << Int(header.pointee.depth)
    }

    func deallocate() {
        deallocateSegments()
        StateMemory.free(header.pointee.emptySlots, count: Self.slotCount(0))
        header.deallocate()
    }

    private func deallocateSegments() {
        forEachSegment { Self.freeSlots($0) }
        StateMemory.free(header.pointee.directory, count: 1 << Int(header.pointee.depth))
    }

    /// Changes whenever buckets move, as an insertion may make them.
    @inline(__always)
    var version: UInt32 { header.pointee.version }

    /// Begins to search for a hash: starts loading the bucket where it is at home.
    @inline(__always)
    func search(_ hash: UInt64) -> IdSearch {
        let bucket = home(hash)
        prefetchLine(bucket)
        return IdSearch(bucket: bucket, tag: UInt32(truncatingIfNeeded: hash &>> 32), version: version)
    }

    /// Brings searches to their ends: side by side, as the next bucket of one is loaded while others are looked at, and without
    /// jumps, which would be guessed wrong a third of the time.
    func finish(_ searches: UnsafeMutableBufferPointer<IdSearch>) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: searches.count) { room in
            guard let first = searches.baseAddress, let open = room.baseAddress else { return }
            let version = version
            var left = 0
            for number in 0..<searches.count {
                if first[number].version != version { first[number] = search(UInt64(first[number].tag) &<< 32) }
                open[left] = UInt32(truncatingIfNeeded: number)
                left &+= Self.step(first + number) ? 1 : 0
            }
            while left > 0 {
                let count = left
                left = 0
                for index in 0..<count {
                    let number = open[index]
                    open[left] = number
                    left &+= Self.step(first + Int(number)) ? 1 : 0
                }
            }
        }
    }

    /// Looks at a bucket; whether the search goes on, in the next one, which is being loaded.
    @inline(__always)
    private static func step(_ search: UnsafeMutablePointer<IdSearch>) -> Bool {
        let bucket = search.pointee.bucket
        let mask = cintrinsics_match_16_halves(bucket, search.pointee.tag) & 0xaaaa
        let word = UInt32(truncatingIfNeeded: bucket[mask.trailingZeroBitCount &>> 1 & (bucketSlots &- 1)])
        search.pointee.found = mask == 0 ? 0 : word
        // The last bucket of a segment is never full.
        let goesOn = mask == 0 && isFull(bucket)
        search.pointee.bucket = goesOn ? bucket + bucketSlots : bucket
        prefetchLine(search.pointee.bucket)
        return goesOn
    }

    /// The first value with the tag of `hash` that `matches` accepts.
    @inline(__always)
    func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
        var bucket = home(hash)
        while true {
            if let value = Self.firstValue(in: bucket, hash &>> 32, matches) { return value }
            if !Self.isFull(bucket) { return nil }
            bucket += Self.bucketSlots
        }
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
    func insert(_ hash: UInt64, _ value: UInt32) { insert(hash, value, from: home(hash)) }

    /// The same for a hash that was searched for, while ``version`` is what it was then.
    @inline(__always)
    func insert(_ hash: UInt64, _ value: UInt32, after search: IdSearch) { insert(hash, value, from: search.bucket) }

    @inline(__always)
    private func insert(_ hash: UInt64, _ value: UInt32, from bucket: UnsafeMutablePointer<UInt64>) {
        precondition(value <= Self.valueLimit, "the table is full")
        let word = (hash &>> 32) &<< 32 | UInt64(value &+ 1)
        if !tryInsert(word, from: bucket) { insertGrowing(word) }
    }

    @inline(never)
    private func insertGrowing(_ word: UInt64) {
        repeat { makeRoom(word &>> 32) } while !tryInsert(word, from: home(word))
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

    /// The bucket where a hash is at home.
    @inline(__always)
    private func home(_ hash: UInt64) -> UnsafeMutablePointer<UInt64> {
        let tag = hash &>> 32
        let segment = header.pointee.directory[directoryIndex(tag)]
        return segment.slots + Self.home(tag, segment) &* Self.bucketSlots
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
        _ word: UInt64, from first: UnsafeMutablePointer<UInt64>, before end: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        var bucket = first
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
    private func tryInsert(_ word: UInt64, from bucket: UnsafeMutablePointer<UInt64>) -> Bool {
        let entry = firstEntry(word &>> 32)
        let segment = entry.pointee
        if segment.count &* 6 >= UInt32(segment.homes) &* UInt32(5 * Self.bucketSlots) { return false }
        let end = segment.slots + Self.slotCount(Int(segment.homes)) - Self.bucketSlots
        guard Self.place(word, from: bucket, before: end) else { return false }
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
        if segment.homes == 0 { return }
        StateMemory.free(segment.slots, count: slotCount(Int(segment.homes)))
    }

    @inline(never)
    private func makeRoom(_ tag: UInt64) {
        let old = firstEntry(tag).pointee
        if old.homes == 0 {
            let made = makeSegment(homes: header.pointee.reservedHomes, depth: old.depth)
            firstEntry(tag).update(repeating: made, count: aliases(of: old))
            header.pointee.version &+= 1
        } else if old.homes < Self.homesLimit {
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

    /// How many entries of the directory share a segment.
    private func aliases(of segment: Segment) -> Int { 1 << (Int(header.pointee.depth) - Int(segment.depth)) }

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
        let aliases = aliases(of: old)
        for alias in 0..<aliases {
            entry[alias] = upper != nil && alias >= aliases / 2 ? segments.1 : segments.0
        }
        header.pointee.slotBytes -= Self.slotBytes(Int(old.homes))
        Self.freeSlots(old)
        header.pointee.version &+= 1
    }

    @inline(__always)
    private static func fill(_ segment: inout Segment, _ word: UInt64, _ filled: UnsafeMutablePointer<UInt8>) {
        var bucket = home(word &>> 32, segment)
        while filled[bucket] == bucketSlots {
            bucket &+= 1
            // So many displaced entries at two thirds load do not happen with a keyed hash.
            precondition(bucket < Int(segment.homes) &+ padding &- 1, "hashes are not spread")
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

/// A search for an id in a table, which goes from bucket to bucket of its ``TagIndex``.
public struct IdSearch: BitwiseCopyable {
    /// Where it stands; in the end the first bucket with a candidate, or that is not full.
    fileprivate var bucket: UnsafeMutablePointer<UInt64>
    fileprivate let tag: UInt32
    /// The value with the tag that was found first, and 1; 0 when there is none.
    fileprivate var found: UInt32 = 0
    /// The version of the index that it is about.
    let version: UInt32
    /// When it ended, by a clock of the table.
    var time: UInt32 = 0

    fileprivate init(bucket: UnsafeMutablePointer<UInt64>, tag: UInt32, version: UInt32) {
        self.bucket = bucket
        self.tag = tag
        self.version = version
    }

    /// The value that may be the one, once the search has ended.
    @inline(__always)
    var candidate: UInt32? { found == 0 ? nil : found &- 1 }

    /// Makes it a search that whoever asks has to make again: something else may hold the id.
    @inline(__always)
    mutating func suspect() { found = .max }
}
