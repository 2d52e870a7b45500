/// One attribute of many rows: a growing array in blocks of 64 KiB whose content can be frozen in microseconds.
///
/// The state of the engine is made of columns. Rows never move, so growth copies no values; blocks are so large that the table
/// of a million rows' blocks stays in the nearest cache. `freeze()` gives a view that another thread may read while the owner
/// goes on writing: rows stay where they are, and the first write to a cache line of a frozen column puts the line's old
/// content aside.
///
/// ```swift
/// let balances = Column<Int64>(default: 0)
/// balances.grow(to: 1_000_000)
/// balances[42] += 5
/// let frozen = balances.freeze()      // for the snapshot thread
/// balances[42] += 1                   // frozen[42] is still 5
/// balances.thaw(frozen)               // once the snapshot thread is done
/// balances.deallocate()
/// ```
///
/// A handle: copies share one storage, and writing needs no `mutating`. Whoever made the column owns it and calls
/// `deallocate()` once.
///
/// A block is sixteen chunks of 4 KiB, which are made as rows need them. Elements whose stride is a power of two fill their
/// chunks; others waste up to half of them.
public struct Column<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable by ownership: one writer at a time, phases of different threads are separated by barriers, and a frozen
    // view only reads chunks that the writer no longer changes.
    let header: UnsafeMutablePointer<Header>

    struct Header {
        /// The addresses of the blocks.
        var table: UnsafeMutablePointer<UInt>
        var count = 0
        /// Rows that a frozen view shows; 0 when there is none.
        var frozenCount = 0
        var chunkCount = 0
        var tableCapacity: Int
        var defaultValue: Element
        var pool: BlockPool
        var ownsPool: Bool
        var isFrozen = false
        /// What a frozen view needs of what was overwritten.
        var kept = KeptLines()
        /// Tables that the column has outgrown while a view still reads them.
        var outgrownTables: [(table: UnsafeMutablePointer<UInt>, capacity: Int)] = []
    }

    @inline(__always)
    static var shift: Int {
        Int.bitWidth - 1 - (KeptLines.chunkBytes / MemoryLayout<Element>.stride).leadingZeroBitCount
    }

    @inline(__always)
    static var mask: Int { (1 << shift) - 1 }

    /// Rows in one chunk, a power of two.
    public static var elementsPerChunk: Int { 1 << shift }

    /// Makes an empty column.
    ///
    /// - Parameters:
    ///   - defaultValue: what rows hold when `grow(to:)` makes them.
    ///   - pool: where blocks come from; it must outlive the column. Without one the column has a pool of its own.
    public init(default defaultValue: Element, pool: BlockPool? = nil) {
        precondition(MemoryLayout<Element>.stride <= KeptLines.chunkBytes, "an element must fit into one chunk")
        let capacity = 4
        header = .allocate(capacity: 1)
        header.initialize(
            to: Header(
                table: StateMemory.allocate(UInt.self, count: capacity), tableCapacity: capacity,
                defaultValue: defaultValue,
                pool: pool ?? BlockPool(), ownsPool: pool == nil))
    }

    /// The number of rows.
    @inline(__always)
    public var count: Int { header.pointee.count }

    /// Bytes in use for rows.
    public var storageBytes: Int {
        // What of the first block no row has needed yet was never touched.
        blockCount > 1 ? blockCount * BlockPool.blockBytes : header.pointee.chunkCount * KeptLines.chunkBytes
    }

    /// The value of row `index`, which must be below `count`.
    ///
    /// - Complexity: O(1); the first write to a line after `freeze()` copies 64 bytes.
    @inline(__always)
    public subscript(index: Int) -> Element {
        get { address(of: index).pointee }
        nonmutating set { writableAddress(of: index).pointee = newValue }
        nonmutating _modify { yield &writableAddress(of: index).pointee }
    }

    /// Starts loading row `index`, so that a later access finds it in the cache. Out of range does nothing.
    @inline(__always)
    public func prefetch(_ index: Int) {
        guard UInt(bitPattern: index) < UInt(bitPattern: header.pointee.count) else { return }
        prefetchLine(address(of: index))
    }

    /// Appends one row.
    ///
    /// - Complexity: O(1), amortised only in the table of blocks (one word per block).
    @inline(__always)
    public func append(_ value: Element) {
        let index = header.pointee.count
        grow(to: index + 1)
        writableAddress(of: index).pointee = value
    }

    /// Makes rows up to `newCount`, with the default value. A smaller count than now changes nothing.
    @inline(__always)
    public func grow(to newCount: Int) {
        guard newCount > header.pointee.count else { return }
        if newCount > header.pointee.chunkCount << Self.shift { addChunks(for: newCount) }
        header.pointee.count = newCount
    }

    /// Frees the storage, also the frozen one. No copy of the handle and no frozen view may be used afterwards.
    public func deallocate() {
        if header.pointee.isFrozen { endFreeze() }
        for block in 0..<blockCount {
            let address = Self.address(header.pointee.table[block])
            if block == 0 { address.deallocate() } else { header.pointee.pool.give(address) }
        }
        StateMemory.free(header.pointee.table, count: header.pointee.tableCapacity)
        header.pointee.kept.deallocate()
        if header.pointee.ownsPool { header.pointee.pool.deallocate() }
        header.deinitialize(count: 1)
        header.deallocate()
    }
}

extension Column {
    /// Chunks of a block, as a power of two.
    private static var blockShift: Int { (BlockPool.blockBytes / KeptLines.chunkBytes).trailingZeroBitCount }

    private var blockCount: Int { Self.blocks(header.pointee.chunkCount) }

    private static func blocks(_ chunks: Int) -> Int { (chunks + (1 << blockShift) - 1) >> blockShift }

    private static func address(_ word: UInt) -> UnsafeMutableRawPointer {
        UnsafeMutableRawPointer(bitPattern: word).unsafelyUnwrapped
    }

    /// Where a chunk is that exists.
    @inline(__always)
    static func chunkAddress(_ chunk: Int, in table: UnsafePointer<UInt>) -> UnsafeMutableRawPointer {
        address(table[chunk &>> blockShift]) + (chunk & ((1 << blockShift) - 1)) &* KeptLines.chunkBytes
    }

    @inline(__always)
    func address(of index: Int) -> UnsafePointer<Element> { UnsafePointer(address(of: index, writing: ())) }

    /// Where a row is, for whoever has seen to it that a frozen view keeps what it shows.
    @inline(__always)
    private func address(of index: Int, writing: Void) -> UnsafeMutablePointer<Element> {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: header.pointee.count), "row out of range")
        let table = UnsafePointer(header.pointee.table)
        guard MemoryLayout<Element>.stride << Self.shift == KeptLines.chunkBytes else {
            return Self.chunkAddress(index &>> Self.shift, in: table).assumingMemoryBound(to: Element.self)
                + index & Self.mask
        }
        // The chunks of a block are full, so that rows follow each other all through it.
        let block = Self.shift &+ Self.blockShift
        return Self.address(table[index &>> block]).assumingMemoryBound(to: Element.self) + index & ((1 << block) - 1)
    }

    @inline(__always)
    func writableAddress(of index: Int) -> UnsafeMutablePointer<Element> {
        let address = address(of: index, writing: ())
        if index < header.pointee.frozenCount { keep(index..<index + 1) }
        return address
    }

    /// Puts aside what a frozen view shows of rows of one chunk that are about to change.
    @inline(never)
    private func keep(_ rows: Range<Int>) {
        let chunk = rows.lowerBound &>> Self.shift
        let stride = MemoryLayout<Element>.stride
        let first = (rows.lowerBound & Self.mask) * stride / cacheLineBytes
        let last = (((rows.upperBound - 1) & Self.mask) * stride + stride - 1) / cacheLineBytes
        header.pointee.kept.keep(first...last, ofChunk: chunk, at: Self.chunkAddress(chunk, in: header.pointee.table))
    }

    @inline(never)
    private func addChunks(for newCount: Int) {
        let needed = (newCount + Self.mask) >> Self.shift
        if Self.blocks(needed) > header.pointee.tableCapacity { growTable(to: Self.blocks(needed)) }
        while header.pointee.chunkCount < needed {
            let chunk = header.pointee.chunkCount
            if chunk & ((1 << Self.blockShift) - 1) == 0 { addBlock() }
            Self.chunkAddress(chunk, in: header.pointee.table)
                .bindMemory(to: Element.self, capacity: Self.elementsPerChunk)
                .initialize(repeating: header.pointee.defaultValue, count: Self.elementsPerChunk)
            header.pointee.chunkCount += 1
        }
    }

    private func addBlock() {
        // Many columns are small: the first block comes from the heap, where what is not touched takes no memory.
        let block =
            blockCount == 0
            ? .allocate(byteCount: BlockPool.blockBytes, alignment: cacheLineBytes) : header.pointee.pool.take()
        header.pointee.table[blockCount] = UInt(bitPattern: block)
    }

    private func growTable(to least: Int) {
        let capacity = max(least, header.pointee.tableCapacity * 2)
        let table = StateMemory.allocate(UInt.self, count: capacity)
        table.update(from: header.pointee.table, count: blockCount)
        if header.pointee.isFrozen {
            header.pointee.outgrownTables.append((header.pointee.table, header.pointee.tableCapacity))
        } else {
            StateMemory.free(header.pointee.table, count: header.pointee.tableCapacity)
        }
        header.pointee.table = table
        header.pointee.tableCapacity = capacity
    }
}
