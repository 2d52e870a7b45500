/// Gives every id of 1 to 128 bytes a small number, its *ordinal*: 0, 1, 2 … in order of insertion.
///
/// Members, codes and tags are known inside the engine by ordinal only. Ids are never removed. Growth is incremental:
/// the slowest single insertion rearranges a few thousand slots.
///
/// A miss of the cache costs more than everything else here, so work on groups of sixteen ids, stage by stage:
///
/// ```swift
/// for row in run { hashes[row] = table.hash(id(row)); searches[row] = table.search(hashes[row]) }
/// table.finish(searches)
/// for row in run {
///     ordinals[row] = table.find(hashes[row], id(row), after: searches[row]) ?? table.insert(hashes[row], id(row))
/// }
/// ```
///
/// A handle: copies share one storage. The owner calls `deallocate()` once.
public struct IdTable: @unchecked Sendable {
    // Sendable by ownership: one writer at a time, phases of different threads are separated by barriers.
    private let header: UnsafeMutablePointer<Header>

    /// The longest id, in bytes.
    public static let byteLimit = BitHash.byteLimit

    // A record of the arena, on a multiple of 8: ordinal (4 bytes), count (1 byte), the id. Its number in units of 8
    // bytes is what the index and the column of records hold, so ids can fill 32 GiB.
    private static let countOffset = 4
    private static let bytesOffset = 5
    private static let unitShift = 3

    private struct Header {
        var index: TagIndex
        var arena: ByteArena
        var records: Column<UInt32>
        var hash: BitHash
    }

    /// Makes an empty table.
    ///
    /// - Parameters:
    ///   - seed: the secret of the hash; ordinals do not depend on it.
    ///   - pool: where the columns get their blocks from; it must outlive the table.
    public init(seed: BitHash.Seed, pool: BlockPool? = nil) {
        header = .allocate(capacity: 1)
        header.initialize(
            to: Header(
                index: TagIndex(), arena: ByteArena(), records: Column(default: 0, pool: pool),
                hash: BitHash(seed: seed)))
    }

    /// The number of ids; ordinals are below it.
    @inline(__always)
    public var count: Int { header.pointee.records.count }

    /// The hash of an id that the other operations expect.
    @inline(__always)
    public func hash(_ id: UnsafeRawBufferPointer) -> UInt64 { header.pointee.hash.hash64(id) }

    /// Stage 1: begins to search for an id.
    @inline(__always)
    public func search(_ hash: UInt64) -> IdSearch { header.pointee.index.search(hash) }

    /// Stage 2: ends searches, and starts loading the bytes of the ids that may be the ones.
    @inline(__always)
    public func finish(_ searches: UnsafeMutableBufferPointer<IdSearch>) {
        header.pointee.index.finish(searches)
        for search in searches { if let unit = search.candidate { prefetchLine(record(unit)) } }
    }

    /// The ordinal of the id, or nil if it is unknown.
    ///
    /// - Complexity: O(1).
    @inline(__always)
    public func find(_ hash: UInt64, _ id: UnsafeRawBufferPointer) -> UInt32? {
        guard id.count > 0, let unit = header.pointee.index.find(hash, { Self.isRecord(record($0), of: id) })
        else { return nil }
        return Self.ordinal(record(unit))
    }

    /// Stage 3: the same after a search; ids may have been added since.
    @inline(__always)
    public func find(_ hash: UInt64, _ id: UnsafeRawBufferPointer, after search: IdSearch) -> UInt32? {
        // Records stay where they are.
        if let unit = search.candidate, id.count > 0 {
            let record = record(unit)
            if Self.isRecord(record, of: id) { return Self.ordinal(record) }
        }
        return find(hash, id)
    }

    @inline(__always)
    private static func isRecord(_ record: UnsafeRawPointer, of id: UnsafeRawBufferPointer) -> Bool {
        Int(record.load(fromByteOffset: countOffset, as: UInt8.self)) == id.count
            && equalBytes(record + bytesOffset, id.baseAddress.unsafelyUnwrapped, id.count)
    }

    @inline(__always)
    private static func ordinal(_ record: UnsafeRawPointer) -> UInt32 { record.load(as: UInt32.self) }

    /// Adds an id that `find` did not find, and gives its ordinal.
    ///
    /// - Complexity: O(1) amortised; at most one segment of the index is rearranged, tens of microseconds.
    public func insert(_ hash: UInt64, _ id: UnsafeRawBufferPointer) -> UInt32 {
        let ordinal = append(id)
        header.pointee.index.insert(hash, header.pointee.records[Int(ordinal)])
        return ordinal
    }

    /// Adds an id that will not be found before ``indexAll()``: what loading a snapshot does with many, into an empty table.
    @discardableResult
    public func append(_ id: UnsafeRawBufferPointer) -> UInt32 {
        precondition(id.count >= 1 && id.count <= Self.byteLimit, "an id has 1 to 128 bytes")
        let ordinal = header.pointee.records.count
        precondition(ordinal < TagIndex.valueLimit, "the table is full")
        let offset = header.pointee.arena.reserve(Self.bytesOffset + id.count, alignment: 1 << Self.unitShift)
        let record = header.pointee.arena.writableAddress(of: offset)
        record.storeBytes(of: UInt32(ordinal), as: UInt32.self)
        record.storeBytes(of: UInt8(id.count), toByteOffset: Self.countOffset, as: UInt8.self)
        (record + Self.bytesOffset).copyMemory(from: id.baseAddress.unsafelyUnwrapped, byteCount: id.count)
        header.pointee.records.append(UInt32(offset >> Self.unitShift))
        return UInt32(ordinal)
    }

    /// The id with this ordinal. The bytes stay valid until `deallocate()`.
    @inline(__always)
    public func id(_ ordinal: UInt32) -> UnsafeRawBufferPointer { bytes(header.pointee.records[Int(ordinal)]) }

    /// The id of a record.
    @inline(__always)
    fileprivate func bytes(_ unit: UInt32) -> UnsafeRawBufferPointer {
        let record = record(unit)
        return UnsafeRawBufferPointer(
            start: record + Self.bytesOffset,
            count: Int(record.load(fromByteOffset: Self.countOffset, as: UInt8.self)))
    }

    /// Whether the first id comes before the second by their bytes; a prefix comes before what it begins.
    public func precedes(_ a: UInt32, _ b: UInt32) -> Bool {
        let (first, second) = (id(a), id(b))
        for index in 0..<min(first.count, second.count) where first[index] != second[index] {
            return first[index] < second[index]
        }
        return first.count < second.count
    }

    /// Frees everything. No copy of the handle, no id and no frozen view may be used afterwards.
    public func deallocate() {
        header.pointee.index.deallocate()
        header.pointee.arena.deallocate()
        header.pointee.records.deallocate()
        header.pointee.hash.deallocate()
        header.deinitialize(count: 1)
        header.deallocate()
    }

    @inline(__always)
    private func record(_ unit: UInt32) -> UnsafeRawPointer {
        header.pointee.arena.address(of: Int(unit) &<< Self.unitShift)
    }
}

extension IdTable {
    /// Has `find` know all ids that were appended; none may have been inserted.
    ///
    /// Meanwhile, ids may be read by their ordinals on other threads, and nothing else.
    ///
    /// - Parameter partLength: ids that are sorted by their place in the index at once, so that it is written piece by piece and
    ///   not at random; of no influence on results.
    /// - Returns: false if an id is there twice.
    /// - Complexity: O(count).
    public func indexAll(partLength: Int = 1 << 20) -> Bool {
        header.pointee.index.reserve(count, bytesEach: 11)
        let most = min(count, partLength)
        return withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 2 * most) { room in
            let words = UnsafeMutableBufferPointer(rebasing: room[..<most])
            let sorted = UnsafeMutableBufferPointer(rebasing: room[most...])
            for start in stride(from: 0, to: count, by: max(most, 1)) {
                let part = start..<min(start + most, count)
                for ordinal in part {
                    let unit = header.pointee.records[ordinal]
                    words[ordinal - start] = (hash(id(UInt32(ordinal))) & ~0xffff_ffff) | UInt64(unit)
                }
                Self.sortByLeadingBits(UnsafeMutableBufferPointer(rebasing: words[..<part.count]), into: sorted)
                for word in sorted[..<part.count] where !indexNew(word) { return false }
            }
            return true
        }
    }

    /// Adds the record of a word (tag, unit) to the index; false when there is an equal id already.
    @inline(__always)
    private func indexNew(_ word: UInt64) -> Bool {
        let unit = UInt32(truncatingIfNeeded: word)
        let known = header.pointee.index.find(word) { other in bytes(other).elementsEqual(bytes(unit)) }
        if known != nil { return false }
        header.pointee.index.insert(word, unit)
        return true
    }

    /// Sorts words by their twelve leading bits: one pass to count, one to place.
    private static func sortByLeadingBits(
        _ words: UnsafeMutableBufferPointer<UInt64>, into sorted: UnsafeMutableBufferPointer<UInt64>
    ) {
        let shift: UInt64 = 52
        withUnsafeTemporaryAllocation(of: Int.self, capacity: 1 << 12 + 1) { starts in
            starts.initialize(repeating: 0)
            for word in words { starts[Int(word &>> shift) + 1] += 1 }
            for digit in 1...1 << 12 { starts[digit] += starts[digit - 1] }
            for word in words {
                sorted[starts[Int(word &>> shift)]] = word
                starts[Int(word &>> shift)] += 1
            }
        }
    }

    /// A view of the ids known now, for any thread, until `thaw(_:)`; the table may grow meanwhile.
    ///
    /// - Complexity: O(count / 1000).
    public func freeze() -> FrozenIdTable {
        FrozenIdTable(arena: header.pointee.arena.freeze(), records: header.pointee.records.freeze())
    }

    /// Ends the view that `freeze()` gave. Called by the owner.
    public func thaw(_ frozen: FrozenIdTable) {
        header.pointee.records.thaw(frozen.records)
        frozen.arena.release()
    }

}

/// The ids of an `IdTable` as they were at `freeze()`: readable from any thread until the owner calls `thaw(_:)`.
public struct FrozenIdTable: Sendable {
    fileprivate let arena: FrozenByteArena
    fileprivate let records: FrozenColumn<UInt32>

    /// Calls `body` with all ids in the order of their ordinals. The bytes outlive the view.
    public func forEachId(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        try records.forEachChunk { chunk in
            for unit in chunk { try body(IdTable.id(in: arena, unit)) }
        }
    }
}

extension IdTable {
    fileprivate static func id(in arena: FrozenByteArena, _ unit: UInt32) -> UnsafeRawBufferPointer {
        let offset = UInt64(unit) << UInt64(unitShift)
        let count = arena.bytes(at: offset, count: bytesOffset)[countOffset]
        return arena.bytes(at: offset + UInt64(bytesOffset), count: Int(count))
    }
}
