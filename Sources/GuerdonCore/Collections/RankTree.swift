import CIntrinsics

/// A counted search tree of fixed height over (key, member) pairs: what leaderboards stand on.
///
/// Leaves hold up to 64 entries *in no order*: an insertion appends, a removal fills the gap with the last entry, and
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
        /// Changes whenever groups get other numbers.
        var groupVersion = 0
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

    struct Entry: Equatable {
        var key: UInt128
        var member: UInt32

        @inline(__always)
        var high: UInt64 { UInt64(truncatingIfNeeded: key &>> 64) }
        @inline(__always)
        var low: UInt64 { UInt64(truncatingIfNeeded: key) }
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
        group.insertLeaf(at: 0, Leaf(header.pointee.leafBlocks.take()), count: 0, lowerBound: Entry(key: 0, member: 0))
        insertGroup(group, at: 0, count: 0)
    }
}

extension RankTree {
    static let leafCapacity = 64
    static let groupCapacity = 56

    /// 64 entries, and in front one byte of each member's number: one line that a removal searches instead of all.
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
                base.storeBytes(of: Self.tag(newValue.member), toByteOffset: index, as: UInt8.self)
            }
        }

        /// Where `member` is among the first `count` entries, or -1.
        @inline(__always)
        func index(of member: UInt32, count: Int) -> Int {
            var candidates = cintrinsics_match_64(base.assumingMemoryBound(to: UInt8.self), Self.tag(member))
            while candidates != 0 {
                let index = candidates.trailingZeroBitCount
                if index < count, self.member(index) == member { return index }
                candidates &= candidates &- 1
            }
            return -1
        }

        /// Starts loading the entries that may be the member's.
        @inline(__always)
        func prefetch(_ member: UInt32) {
            var candidates = cintrinsics_match_64(base.assumingMemoryBound(to: UInt8.self), Self.tag(member))
            while candidates != 0 {
                prefetchEntry(candidates.trailingZeroBitCount)
                candidates &= candidates &- 1
            }
        }

        /// Starts loading one entry, which may lie on two lines.
        @inline(__always)
        func prefetchEntry(_ index: Int) {
            prefetchLine(address(index))
            prefetchLine(address(index) + (Self.entryBytes - 1))
        }

        @inline(__always)
        private static func tag(_ member: UInt32) -> UInt8 {
            UInt8(truncatingIfNeeded: member &* 0x9e37_79b1 &>> 24)
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
