/// A counted search tree of fixed height over (key, member) pairs: what leaderboards stand on.
///
/// Leaves hold up to 64 entries *in no order*: an insertion appends, a removal fills the gap with the last entry, and
/// only reading in order sorts. Groups hold up to 64 leaves with the least entry that each may hold; the top is one array of
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

    /// No entry may have this key: it fills unused places.
    static let unusedKey = UInt128.max

    struct Header {
        var count = 0
        var groupCount = 0
        var groupCapacity: Int
        var groups: UnsafeMutablePointer<Group>
        /// Lower bounds of the groups, the same as that of their first leaf.
        var keys: UnsafeMutablePointer<UInt128>
        var members: UnsafeMutablePointer<UInt32>
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
    }

    init() {
        let capacity = 1
        header = .allocate(capacity: 1)
        header.initialize(
            to: Header(
                groupCapacity: capacity, groups: .allocate(capacity: capacity), keys: .allocate(capacity: capacity),
                members: .allocate(capacity: capacity), counts: .allocate(capacity: capacity),
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
    static let groupCapacity = 64

    /// 64 entries as three columns.
    struct Leaf {
        static let byteCount = RankTree.leafCapacity * 20
        let base: UnsafeMutableRawPointer

        @inline(__always)
        init(_ base: UnsafeMutableRawPointer) { self.base = base }

        @inline(__always)
        var high: UnsafeMutablePointer<UInt64> { base.assumingMemoryBound(to: UInt64.self) }
        @inline(__always)
        var low: UnsafeMutablePointer<UInt64> { (base + 512).assumingMemoryBound(to: UInt64.self) }
        @inline(__always)
        var members: UnsafeMutablePointer<UInt32> { (base + 1024).assumingMemoryBound(to: UInt32.self) }

        @inline(__always)
        func key(_ index: Int) -> UInt128 { UInt128(high[index]) &<< 64 | UInt128(low[index]) }

        @inline(__always)
        subscript(index: Int) -> Entry {
            get { Entry(key: key(index), member: members[index]) }
            nonmutating set {
                high[index] = UInt64(truncatingIfNeeded: newValue.key &>> 64)
                low[index] = UInt64(truncatingIfNeeded: newValue.key)
                members[index] = newValue.member
            }
        }

        /// Where `member` is among the first `count` entries, or -1.
        @inline(__always)
        func index(of member: UInt32, count: Int) -> Int {
            // No early exit: a comparison of all vectorises, an exit would be mispredicted.
            var found: UInt32 = 0
            for index in 0..<RankTree.leafCapacity {
                found |= members[index] == member && index < count ? UInt32(truncatingIfNeeded: index &+ 1) : 0
            }
            return Int(found) &- 1
        }
    }

    /// Up to 64 leaves with their lower bounds: 2 KiB.
    struct Group {
        static let byteCount = 2048
        let base: UnsafeMutableRawPointer

        @inline(__always)
        init(_ base: UnsafeMutableRawPointer) { self.base = base }

        @inline(__always)
        var leafCount: Int {
            get { base.load(as: Int.self) }
            nonmutating set { base.storeBytes(of: newValue, as: Int.self) }
        }
        /// Entries per leaf, 0 where there is none.
        @inline(__always)
        var counts: UnsafeMutablePointer<UInt8> { (base + 64).assumingMemoryBound(to: UInt8.self) }
        /// Every eighth of `keys`: a search reads two short runs instead of six places.
        @inline(__always)
        var summary: UnsafeMutablePointer<UInt128> { (base + 128).assumingMemoryBound(to: UInt128.self) }
        @inline(__always)
        var keys: UnsafeMutablePointer<UInt128> { (base + 256).assumingMemoryBound(to: UInt128.self) }
        @inline(__always)
        var leaves: UnsafeMutablePointer<Leaf> { (base + 1280).assumingMemoryBound(to: Leaf.self) }
        @inline(__always)
        var members: UnsafeMutablePointer<UInt32> { (base + 1792).assumingMemoryBound(to: UInt32.self) }
    }
}
