extension Column {
    /// Whether a frozen view is outstanding.
    public var isFrozen: Bool { header.pointee.isFrozen }

    /// Gives a view of the rows as they are now, for any thread, until `thaw(_:)`.
    ///
    /// Only one view may be outstanding. Handing it to another thread needs the usual synchronisation of a hand-over.
    ///
    /// - Complexity: O(chunks): one word copied per 4 KiB of rows.
    public func freeze() -> FrozenColumn<Element> {
        precondition(!header.pointee.isFrozen, "a column has at most one frozen view")
        let chunks = header.pointee.chunkCount
        if header.pointee.frozenTableCapacity < max(chunks, 1) {
            freeFrozenTable()
            // Room for growth: the next freeze then finds the table allocated and touched.
            header.pointee.frozenTableCapacity = chunks + chunks / 4 + 4
            header.pointee.frozenTable = StateMemory.allocate(UInt.self, count: header.pointee.frozenTableCapacity)
        }
        let frozen = header.pointee.frozenTable.unsafelyUnwrapped
        let table = header.pointee.table
        for chunk in 0..<chunks {
            let word = table[chunk]
            frozen[chunk] = word
            table[chunk] = word | 1
        }
        header.pointee.frozenCount = header.pointee.count
        header.pointee.isFrozen = true
        return FrozenColumn(table: frozen, count: header.pointee.count)
    }

    /// A view of a column that nobody will write any more; it ends with the column.
    func viewOfFinished() -> FrozenColumn<Element> {
        FrozenColumn(table: header.pointee.table, count: header.pointee.count)
    }

    /// Ends the view that `freeze()` gave: nobody may read it any more. Called by the owner.
    ///
    /// - Complexity: O(chunks of the view).
    public func thaw(_ frozen: FrozenColumn<Element>) {
        precondition(header.pointee.isFrozen, "the column is not frozen")
        precondition(
            frozen.count == header.pointee.frozenCount
                && frozen.table == header.pointee.frozenTable.map { UnsafePointer($0) },
            "the view belongs to another column")
        endFreeze()
    }

    func freeFrozenTable() {
        guard let table = header.pointee.frozenTable else { return }
        StateMemory.free(table, count: header.pointee.frozenTableCapacity)
    }

    func endFreeze() {
        let frozen = header.pointee.frozenTable.unsafelyUnwrapped
        let table = header.pointee.table
        let chunks = (header.pointee.frozenCount + Self.mask) >> Self.shift
        for chunk in 0..<chunks {
            if table[chunk] == frozen[chunk] | 1 {
                table[chunk] = frozen[chunk]
            } else {
                header.pointee.pool.give(Self.chunkAddress(frozen[chunk]))
            }
        }
        header.pointee.isFrozen = false
    }
}

/// The rows of a `Column` as they were at `freeze()`: readable from any thread until the owner calls `thaw(_:)`.
public struct FrozenColumn<Element: BitwiseCopyable>: @unchecked Sendable {
    // Sendable because the table and the chunks it names are not written before `thaw(_:)`, which ends the view.
    let table: UnsafePointer<UInt>

    /// The number of rows at the time of the freeze.
    public let count: Int

    init(table: UnsafePointer<UInt>, count: Int) {
        self.table = table
        self.count = count
    }

    init(table: UnsafeMutablePointer<UInt>, count: Int) {
        self.init(table: UnsafePointer(table), count: count)
    }

    /// The number of chunks that hold the rows.
    public var chunkCount: Int { (count + Column<Element>.mask) >> Column<Element>.shift }

    /// The value of row `index` at the time of the freeze.
    public subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count, "row out of range")
        return chunk(index >> Column<Element>.shift)[index & Column<Element>.mask]
    }

    /// The rows of one chunk, in order; every chunk but the last is full. Valid until `thaw(_:)`.
    public func chunk(_ number: Int) -> UnsafeBufferPointer<Element> {
        precondition(number >= 0 && number < chunkCount, "chunk out of range")
        let first = number << Column<Element>.shift
        return UnsafeBufferPointer(
            start: Column<Element>.chunkAddress(table[number]).assumingMemoryBound(to: Element.self),
            count: min(Column<Element>.elementsPerChunk, count - first))
    }

    /// Calls `body` with the rows of each chunk, in order.
    public func forEachChunk(_ body: (UnsafeBufferPointer<Element>) throws -> Void) rethrows {
        for number in 0..<chunkCount {
            try body(chunk(number))
        }
    }
}
