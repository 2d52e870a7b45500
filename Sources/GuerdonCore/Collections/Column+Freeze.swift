import CIntrinsics

extension Column {
    /// Gives a view of the rows as they are now, for any thread, until `thaw(_:)`.
    ///
    /// Only one view may be outstanding. Handing it to another thread needs the usual synchronisation of a hand-over.
    ///
    /// - Complexity: O(1); O(chunks) when the column has grown by a quarter since it was frozen last.
    public func freeze() -> FrozenColumn<Element> {
        precondition(!header.pointee.isFrozen, "a column has at most one frozen view")
        let count = header.pointee.count
        header.pointee.kept.begin(chunks: (count + Self.mask) >> Self.shift)
        header.pointee.frozenCount = count
        header.pointee.isFrozen = true
        return FrozenColumn(
            table: header.pointee.table, count: count, masks: header.pointee.kept.masks,
            slabs: header.pointee.kept.slabs)
    }

    /// A view of a column that nobody will write any more; it ends with the column.
    func viewOfFinished() -> FrozenColumn<Element> {
        FrozenColumn(table: header.pointee.table, count: header.pointee.count, masks: nil, slabs: nil)
    }

    /// Ends the view that `freeze()` gave: nobody may read it any more. Called by the owner.
    ///
    /// - Complexity: O(chunks of the view), one word each.
    public func thaw(_ frozen: FrozenColumn<Element>) {
        precondition(header.pointee.isFrozen, "the column is not frozen")
        precondition(
            frozen.count == header.pointee.frozenCount
                && frozen.masks == header.pointee.kept.masks.map { UnsafePointer($0) },
            "the view belongs to another column")
        endFreeze()
    }

    func endFreeze() {
        header.pointee.kept.end()
        for old in header.pointee.outgrownTables { StateMemory.free(old.table, count: old.capacity) }
        header.pointee.outgrownTables = []
        header.pointee.frozenCount = 0
        header.pointee.isFrozen = false
    }
}

/// The rows of a `Column` as they were at `freeze()`: readable from any thread until the owner calls `thaw(_:)`.
public struct FrozenColumn<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable: see `KeptLines` for how rows are read that the owner may be changing. The table is not changed before
    // `thaw(_:)`, which ends the view.
    fileprivate let table: UnsafePointer<UInt>

    /// The number of rows at the time of the freeze.
    public let count: Int
    /// Which lines were put aside, and where; `nil` when no row will be written any more.
    fileprivate let masks: UnsafePointer<UInt64>?
    private let slabs: UnsafePointer<UnsafeMutableRawPointer?>?

    fileprivate init(
        table: UnsafeMutablePointer<UInt>, count: Int, masks: UnsafeMutablePointer<UInt64>?,
        slabs: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
    ) {
        self.table = UnsafePointer(table)
        self.count = count
        self.masks = masks.map { UnsafePointer($0) }
        self.slabs = slabs.map { UnsafePointer($0) }
    }

    /// The number of chunks that hold the rows.
    public var chunkCount: Int { (count + Column<Element>.mask) >> Column<Element>.shift }

    /// The value of row `index` at the time of the freeze. ``reader()`` is quicker for rows in order.
    public subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count, "row out of range")
        let stride = MemoryLayout<Element>.stride
        let start = (index & Column<Element>.mask) * stride
        let first = start / cacheLineBytes
        let lines = (start + stride - 1) / cacheLineBytes - first + 1
        return withUnsafeTemporaryAllocation(byteCount: lines * cacheLineBytes, alignment: cacheLineBytes) { bytes in
            copy(
                first..<first + lines, ofChunk: index >> Column<Element>.shift, to: bytes.baseAddress.unsafelyUnwrapped)
            return bytes.load(fromByteOffset: start - first * cacheLineBytes, as: Element.self)
        }
    }

    /// The rows of one chunk, in order; every chunk but the last is full. Valid until `thaw(_:)`.
    ///
    /// - Precondition: rows of this column are not changed once they were written, as those of a table that only grows.
    public func chunk(_ number: Int) -> UnsafeBufferPointer<Element> {
        precondition(masks.map { $0[number] == 0 } ?? true, "rows of the chunk have been changed")
        return UnsafeBufferPointer(
            start: Column<Element>.chunkAddress(number, in: table).assumingMemoryBound(to: Element.self),
            count: rows(inChunk: number))
    }

    /// Calls `body` with the rows of each chunk, in order.
    public func forEachChunk(_ body: (UnsafeBufferPointer<Element>) throws -> Void) rethrows {
        let reader = reader()
        for number in 0..<chunkCount { try body(reader.chunk(number)) }
    }

    /// Reads rows in order, or nearly so: a chunk at a time is copied.
    public func reader() -> FrozenColumnReader<Element> { FrozenColumnReader(self) }

    /// The number of rows in a chunk, which must exist.
    fileprivate func rows(inChunk number: Int) -> Int {
        precondition(number >= 0 && number < chunkCount, "chunk out of range")
        return min(Column<Element>.elementsPerChunk, count - number << Column<Element>.shift)
    }

    /// Copies lines of a chunk as they were when the column was frozen.
    fileprivate func copy(_ lines: Range<Int>, ofChunk chunk: Int, to target: UnsafeMutableRawPointer) {
        let offset = lines.lowerBound * cacheLineBytes
        let source = Column<Element>.chunkAddress(chunk, in: table) + offset
        guard let masks, let slabs else {
            return target.copyMemory(from: source, byteCount: lines.count * cacheLineBytes)
        }
        let kept = cintrinsics_copy_lines_beside_writer(target, source, lines.count, masks + chunk)
        guard kept != 0 else { return }
        let place = KeptLines.place(of: chunk, in: slabs) + offset
        for line in 0..<lines.count where kept & (1 << UInt64(lines.lowerBound + line)) != 0 {
            (target + line * cacheLineBytes).copyMemory(from: place + line * cacheLineBytes, byteCount: cacheLineBytes)
        }
    }
}

/// Reads a frozen column chunk by chunk; for one thread.
public final class FrozenColumnReader<Element: BitwiseCopyable> {
    private let column: FrozenColumn<Element>
    private let rows: UnsafeMutableRawPointer
    private var present = -1

    fileprivate init(_ column: FrozenColumn<Element>) {
        self.column = column
        rows = .allocate(byteCount: KeptLines.chunkBytes, alignment: cacheLineBytes)
    }

    deinit { rows.deallocate() }

    /// The number of rows.
    public var count: Int { column.count }

    /// The value of a row at the time of the freeze.
    @inline(__always)
    public subscript(index: Int) -> Element {
        precondition(UInt(bitPattern: index) < UInt(bitPattern: column.count), "row out of range")
        let number = index &>> Column<Element>.shift
        if number != present { load(number) }
        return rows.assumingMemoryBound(to: Element.self)[index & Column<Element>.mask]
    }

    /// The rows of a chunk, valid until another is read.
    func chunk(_ number: Int) -> UnsafeBufferPointer<Element> {
        let count = column.rows(inChunk: number)
        if number != present { load(number) }
        return UnsafeBufferPointer(start: rows.assumingMemoryBound(to: Element.self), count: count)
    }

    private func load(_ number: Int) {
        let bytes = column.rows(inChunk: number) * MemoryLayout<Element>.stride
        column.copy(0..<(bytes + cacheLineBytes - 1) / cacheLineBytes, ofChunk: number, to: rows)
        present = number
    }
}
