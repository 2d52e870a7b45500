import CIntrinsics

/// A counted search tree of fixed height over (key, member) pairs: what leaderboards stand on.
///
/// Leaves hold up to 64 entries *in no order* and with gaps: an insertion takes the first free place, a removal frees one, and
/// only reading in order sorts. Groups hold up to 56 leaves with the least entry that each may hold; the top is one array of
/// groups. All counts are kept, so a position is the sum of the counts before it. Leaves of one group are in order, and
/// so are groups.
///
/// Entries are ordered by key; equal keys by `precedes`, which callers pass in and which must be one strict order of
/// members for the life of the tree. It is called for equal keys only. What an operation answers never depends on how
/// leaves happened to split.
///
/// A handle; the owner calls `deallocate()`.
struct RankTree: @unchecked Sendable {
    // Sendable by ownership: one thread at a time, phases separated by barriers.
    let header: UnsafeMutablePointer<Header>

    /// Says whether the first member comes before the second among equal keys.
    typealias Order = (_ first: UInt32, _ second: UInt32) -> Bool

    struct Header {
        var count = 0
        var groupCount = 0
        var groupCapacity: Int
        var groups: UnsafeMutablePointer<Group>
        /// Lower bounds of the groups, the same as that of their first leaf.
        var bounds: Bounds
        /// Entries per group, and per block of 64 groups.
        var counts: UnsafeMutablePointer<Int32>
        var blockCounts: UnsafeMutablePointer<Int>
        var leafBlocks: RankBlocks
        var groupBlocks: RankBlocks
    }

    /// The place of a leaf.
    struct Place: Equatable {
        var group: Int
        var leaf: Int
    }

    struct Entry: Equatable, BitwiseCopyable {
        var high: UInt64
        var low: UInt64
        var member: UInt32

        @inline(__always)
        init(key: UInt128, member: UInt32) {
            high = UInt64(truncatingIfNeeded: key &>> 64)
            low = UInt64(truncatingIfNeeded: key)
            self.member = member
        }

        @inline(__always)
        var key: UInt128 { UInt128(high) &<< 64 | UInt128(low) }
    }

    /// Ascending entries as three columns.
    struct Bounds {
        var highs: UnsafeMutablePointer<UInt64>
        var lows: UnsafeMutablePointer<UInt64>
        var members: UnsafeMutablePointer<UInt32>

        @inline(__always)
        subscript(index: Int) -> Entry {
            get { Entry(key: UInt128(highs[index]) &<< 64 | UInt128(lows[index]), member: members[index]) }
            nonmutating set {
                highs[index] = newValue.high
                lows[index] = newValue.low
                members[index] = newValue.member
            }
        }
    }

    init() {
        let capacity = 1
        header = .allocate(capacity: 1)
        header.initialize(
            to: Header(
                groupCapacity: capacity, groups: .allocate(capacity: capacity), bounds: Bounds(capacity: capacity),
                counts: .allocate(capacity: capacity),
                blockCounts: .allocate(capacity: 1), leafBlocks: RankBlocks(byteCount: Leaf.byteCount),
                groupBlocks: RankBlocks(byteCount: Group.byteCount)))
        addFirstGroup()
    }

    @inline(__always)
    var count: Int { header.pointee.count }

    var storageBytes: Int {
        header.pointee.leafBlocks.usedBytes + header.pointee.groupBlocks.usedBytes + header.pointee.groupCapacity * 40
    }

    func deallocate() {
        header.pointee.leafBlocks.deallocate()
        header.pointee.groupBlocks.deallocate()
        deallocateTop()
        header.deinitialize(count: 1)
        header.deallocate()
    }

    /// Removes all entries.
    func removeAll() {
        header.pointee.leafBlocks.deallocate()
        header.pointee.groupBlocks.deallocate()
        header.pointee.leafBlocks = RankBlocks(byteCount: Leaf.byteCount)
        header.pointee.groupBlocks = RankBlocks(byteCount: Group.byteCount)
        header.pointee.count = 0
        header.pointee.groupCount = 0
        addFirstGroup()
    }

    private func addFirstGroup() {
        let group = Group(header.pointee.groupBlocks.take())
        group.reset()
        group.insertLeaf(at: 0, newLeaf(), count: 0, lowerBound: Entry(key: 0, member: 0))
        insertGroup(group, at: 0, count: 0)
    }

    /// A leaf without entries.
    func newLeaf() -> Leaf {
        let leaf = Leaf(header.pointee.leafBlocks.take())
        leaf.free(.max)
        return leaf
    }
}

extension RankTree {
    static let leafCapacity = 64
    static let groupCapacity = 56

    /// Places for 64 entries, and in front a byte for each, its *tag*: 0 when the place is free, else some bits of the member's
    /// number. A removal mostly needs that one line and no entry.
    struct Leaf {
        static let byteCount = 64 + RankTree.leafCapacity * entryBytes
        private static let entryBytes = 20
        let base: UnsafeMutableRawPointer

        @inline(__always)
        init(_ base: UnsafeMutableRawPointer) { self.base = base }

        @inline(__always)
        func address(_ index: Int) -> UnsafeMutableRawPointer { base + (64 &+ index &* Self.entryBytes) }

        @inline(__always)
        func key(_ index: Int) -> UInt128 {
            let entry = address(index)
            return UInt128(entry.loadUnaligned(as: UInt64.self)) &<< 64
                | UInt128(entry.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }

        @inline(__always)
        func member(_ index: Int) -> UInt32 { address(index).loadUnaligned(fromByteOffset: 16, as: UInt32.self) }

        @inline(__always)
        subscript(index: Int) -> Entry {
            get { Entry(key: key(index), member: member(index)) }
            nonmutating set {
                let entry = address(index)
                entry.storeBytes(of: newValue.high, as: UInt64.self)
                entry.storeBytes(of: newValue.low, toByteOffset: 8, as: UInt64.self)
                entry.storeBytes(of: newValue.member, toByteOffset: 16, as: UInt32.self)
                tags[index] = Self.tag(newValue.member)
            }
        }

        @inline(__always)
        private var tags: UnsafeMutablePointer<UInt8> { base.assumingMemoryBound(to: UInt8.self) }

        /// The places that hold entries, a bit each.
        @inline(__always)
        var used: UInt64 { ~cintrinsics_match_64(tags, 0) }

        /// The first free place of a leaf that has one.
        @inline(__always)
        var firstFree: Int { (~used).trailingZeroBitCount }

        /// Frees places, a bit each.
        func free(_ places: UInt64) {
            forEachPlace(places) { tags[$0] = 0 }
        }

        @inline(__always)
        func free(at index: Int) { tags[index] = 0 }

        /// Adds an entry to a leaf that has a free place.
        @inline(__always)
        func add(_ entry: Entry) { self[firstFree] = entry }

        /// Removes an entry that is there.
        @inline(__always)
        func remove(_ entry: Entry) {
            let index = index(of: entry.member)
            precondition(index >= 0, "the entry is not in the index")
            assert(self[index] == entry, "the entry is not in the index")
            free(at: index)
        }

        /// Calls `body` with the number of every bit that is set.
        @inline(__always)
        func forEachPlace(_ places: UInt64, _ body: (Int) -> Void) {
            var left = places
            while left != 0 {
                body(left.trailingZeroBitCount)
                left &= left &- 1
            }
        }

        /// Where `member` is, who is known to be there: where no other has his tag, no entry is read. -1 when nobody has it.
        @inline(__always)
        func index(of member: UInt32) -> Int {
            var candidates = cintrinsics_match_64(tags, Self.tag(member))
            while candidates & (candidates &- 1) != 0 {
                if self.member(candidates.trailingZeroBitCount) == member { break }
                candidates &= candidates &- 1
            }
            return candidates == 0 ? -1 : candidates.trailingZeroBitCount
        }

        /// Starts loading what `index(of:)` reads but for the tags.
        @inline(__always)
        func prefetchCandidates(_ member: UInt32) {
            let candidates = cintrinsics_match_64(tags, Self.tag(member))
            if candidates & (candidates &- 1) != 0 { forEachPlace(candidates) { prefetchEntry($0) } }
        }

        /// Starts loading the place that an insertion takes.
        @inline(__always)
        func prefetchFirstFree() {
            // A full leaf will be split; then there is no such place, and what is loaded is somebody else's.
            prefetchEntry(firstFree & (RankTree.leafCapacity &- 1))
        }

        /// Starts loading one entry, which may lie on two lines.
        @inline(__always)
        func prefetchEntry(_ index: Int) {
            prefetchLine(address(index))
            prefetchLine(address(index) + (Self.entryBytes - 1))
        }

        @inline(__always)
        private static func tag(_ member: UInt32) -> UInt8 {
            max(UInt8(truncatingIfNeeded: member &* 0x9e37_79b1 &>> 24), 1)
        }
    }

    /// Up to 56 leaves with their lower bounds.
    ///
    /// A search reads three lines: the summary, one block of upper halves, and the leaves beside it.
    struct Group {
        static let byteCount = 1728
        private static let blocksOffset = 128
        private static let lowsOffset = 1024
        private static let membersOffset = 1472
        let base: UnsafeMutableRawPointer

        @inline(__always)
        init(_ base: UnsafeMutableRawPointer) { self.base = base }

        /// Every eighth upper half of the bounds, and in the eighth place `leafCount`.
        @inline(__always)
        var summary: UnsafeMutablePointer<UInt64> { base.assumingMemoryBound(to: UInt64.self) }

        @inline(__always)
        var leafCount: Int {
            get { Int(truncatingIfNeeded: summary[7]) }
            nonmutating set { summary[7] = UInt64(newValue) }
        }

        /// Entries per leaf, 0 where there is none.
        @inline(__always)
        var counts: UnsafeMutablePointer<UInt8> { (base + 64).assumingMemoryBound(to: UInt8.self) }

        /// Upper halves of the bounds of eight leaves; the leaves follow.
        @inline(__always)
        func block(_ number: Int) -> UnsafeMutablePointer<UInt64> {
            (base + (Self.blocksOffset &+ number &* 128)).assumingMemoryBound(to: UInt64.self)
        }

        /// Starts loading all that a search reads.
        @inline(__always)
        func prefetchBounds() {
            prefetchLine(summary)
            prefetchLine(counts)
            for number in 0..<RankTree.groupCapacity / 8 {
                prefetchLine(block(number))
                prefetchLine(block(number) + 8)
            }
        }

        @inline(__always)
        func high(_ index: Int) -> UInt64 { block(index &>> 3)[index & 7] }

        @inline(__always)
        func setHigh(_ index: Int, _ high: UInt64) { block(index &>> 3)[index & 7] = high }

        @inline(__always)
        var lows: UnsafeMutablePointer<UInt64> { (base + Self.lowsOffset).assumingMemoryBound(to: UInt64.self) }
        @inline(__always)
        var members: UnsafeMutablePointer<UInt32> { (base + Self.membersOffset).assumingMemoryBound(to: UInt32.self) }

        @inline(__always)
        func leaf(_ index: Int) -> Leaf {
            UnsafeMutableRawPointer(block(index &>> 3) + 8).assumingMemoryBound(to: Leaf.self)[index & 7]
        }

        @inline(__always)
        func setLeaf(_ index: Int, _ leaf: Leaf) {
            UnsafeMutableRawPointer(block(index &>> 3) + 8).assumingMemoryBound(to: Leaf.self)[index & 7] = leaf
        }

        @inline(__always)
        func bound(_ index: Int) -> Entry {
            Entry(key: UInt128(high(index)) &<< 64 | UInt128(lows[index]), member: members[index])
        }

        @inline(__always)
        func setBound(_ index: Int, _ bound: Entry) {
            setHigh(index, bound.high)
            lows[index] = bound.low
            members[index] = bound.member
            if index & 7 == 0 { summary[index &>> 3] = bound.high }
        }
    }
}
