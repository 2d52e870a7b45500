/// External ids that came one after the other: all in memory, in order of insertion, found by key.
///
/// 28 bytes an id in three columns, and 10 in the index. Immutable once the table has turned to the next generation; then any
/// thread may turn it into a sorted run.
public struct IdGeneration: @unchecked Sendable {
    // Sendable by ownership: the table writes the current generation only, and frees a former one when told so.
    private let header: UnsafeMutablePointer<Header>

    private struct Header {
        var index: TagIndex
        var tags: Column<UInt32>
        var lows: Column<UInt64>
        /// The content hash, above it 48 bits of sequence, above those the last 16 bits of `high`.
        var values: Column<UInt128>
    }

    /// - Parameter former: the generation that was the current one before; this one expects to become as large.
    init(pool: BlockPool?, after former: IdGeneration? = nil) {
        header = .allocate(capacity: 1)
        // Searches in the former one must not pass for searches in this.
        let version = former.map { $0.searchVersion &+ 1 } ?? 0
        header.initialize(
            to: Header(
                index: TagIndex(version: version), tags: Column(default: 0, pool: pool),
                lows: Column(default: 0, pool: pool),
                values: Column(default: 0, pool: pool)))
        if let former { header.pointee.index.reserve(former.count, bytesEach: 10) }
    }

    /// The number of ids.
    @inline(__always)
    public var count: Int { header.pointee.lows.count }

    var storageBytes: Int {
        header.pointee.index.storageBytes + header.pointee.tags.storageBytes + header.pointee.lows.storageBytes
            + header.pointee.values.storageBytes
    }

    func isSame(as other: IdGeneration) -> Bool { header == other.header }

    /// Changes whenever searches that have ended are of no use for insertions any more.
    @inline(__always)
    var searchVersion: UInt32 { header.pointee.index.version }

    /// Begins to search for a key.
    @inline(__always)
    func search(_ key: ExternalIdKey) -> IdSearch { header.pointee.index.search(key.indexHash) }

    /// Ends searches, and starts loading the entries that may be the ones.
    @inline(__always)
    func finish(_ searches: UnsafeMutableBufferPointer<IdSearch>) {
        header.pointee.index.finish(searches)
        for search in searches { prefetchCandidate(search) }
    }

    @inline(__always)
    private func prefetchCandidate(_ search: IdSearch) {
        guard let entry = search.candidate else { return }
        header.pointee.lows.prefetch(Int(entry))
        header.pointee.values.prefetch(Int(entry))
    }

    @inline(__always)
    func find(_ key: ExternalIdKey) -> RememberedId? {
        let entry = header.pointee.index.find(key.indexHash) { entry in
            header.pointee.lows[Int(entry)] == key.low
                && UInt64(truncatingIfNeeded: header.pointee.values[Int(entry)] &>> 112) == key.high & 0xffff
        }
        guard let entry else { return nil }
        return Self.id(header.pointee.values[Int(entry)])
    }

    @inline(__always)
    func insert(_ key: ExternalIdKey, _ id: RememberedId) {
        header.pointee.index.insert(key.indexHash, append(key, id))
    }

    /// The same for a key that was searched for, while ``searchVersion`` is what it was then.
    @inline(__always)
    func insert(_ key: ExternalIdKey, _ id: RememberedId, after search: IdSearch) {
        header.pointee.index.insert(key.indexHash, append(key, id), after: search)
    }

    @inline(__always)
    private func append(_ key: ExternalIdKey, _ id: RememberedId) -> UInt32 {
        precondition(id.sequence < SealedIdRun.emptySequence, "a sequence has 48 bits")
        let entry = header.pointee.lows.count
        precondition(entry < TagIndex.valueLimit, "the generation is full")
        header.pointee.tags.append(UInt32(truncatingIfNeeded: key.high &>> 16))
        header.pointee.lows.append(key.low)
        header.pointee.values.append(
            UInt128(key.high & 0xffff) &<< 112 | UInt128(id.sequence) &<< 64 | UInt128(id.content))
        return UInt32(truncatingIfNeeded: entry)
    }

    /// Log positions of the first and the last id; `nil` when there is none.
    public var sequences: ClosedRange<UInt64>? {
        guard count > 0 else { return nil }
        return Self.id(header.pointee.values[0]).sequence...Self.id(header.pointee.values[count - 1]).sequence
    }

    /// Frees the memory; for a generation that the table has given away, on any thread.
    public func deallocate() {
        header.pointee.index.deallocate()
        header.pointee.tags.deallocate()
        header.pointee.lows.deallocate()
        header.pointee.values.deallocate()
        header.deinitialize(count: 1)
        header.deallocate()
    }

    @inline(__always)
    fileprivate static func id(_ value: UInt128) -> RememberedId {
        RememberedId(
            sequence: UInt64(truncatingIfNeeded: value &>> 64) & 0xffff_ffff_ffff,
            content: UInt64(truncatingIfNeeded: value))
    }

    @inline(__always)
    fileprivate static func key(_ tag: UInt32, _ low: UInt64, _ value: UInt128) -> ExternalIdKey {
        ExternalIdKey(high: UInt64(tag) &<< 16 | UInt64(truncatingIfNeeded: value &>> 112), low: low)
    }
}

extension IdGeneration {
    /// Writes all ids as a sorted run, block by block, and gives what stays in memory of it.
    ///
    /// For a generation that the table has closed, on any thread; it may be asked for ids meanwhile.
    ///
    /// - Complexity: O(count): the index is in the order of the keys but for equal leading bits.
    public func seal(_ emit: (UnsafeRawBufferPointer) -> Void) -> SealedIdRun {
        var builder = SealedIdRunBuilder(count: count)
        // What one run of the index refers to, and from the run before what has the tag that may go on.
        let capacity = TagIndex.runLength + TagIndex.sameTagLimit
        withUnsafeTemporaryAllocation(of: IdRecord.self, capacity: capacity) { room in
            var records = UnsafeMutableBufferPointer(rebasing: room[..<0])
            header.pointee.index.forEachInRuns { entries in
                let kept = records.count
                records = UnsafeMutableBufferPointer(rebasing: room[..<(kept + entries.count)])
                load(entries, into: records.baseAddress.unsafelyUnwrapped + kept)
                IdRecord.sort(records, from: kept)
                let rest = IdRecord.startOfLastTag(records)
                builder.append(UnsafeBufferPointer(rebasing: records[..<rest]), emit)
                for index in rest..<records.count { room[index - rest] = records[index] }
                records = UnsafeMutableBufferPointer(rebasing: room[..<(records.count - rest)])
            }
            builder.append(UnsafeBufferPointer(records), emit)
        }
        return builder.finish(emit)
    }

    /// Gathers what entries of the index refer to. They lie at random, so each is loaded while some dozens before it are dealt
    /// with; more at once would wait for each other.
    private func load(
        _ entries: UnsafeBufferPointer<(tag: UInt32, value: UInt32)>, into records: UnsafeMutablePointer<IdRecord>
    ) {
        let (lows, values) = (header.pointee.lows, header.pointee.values)
        let ahead = 24
        for number in entries.indices {
            let later = Int(entries[min(number &+ ahead, entries.count &- 1)].value)
            lows.prefetch(later)
            values.prefetch(later)
            let (tag, entry) = entries[number]
            let value = values[Int(entry)]
            records[number] = IdRecord(Self.key(tag, lows[Int(entry)], value), Self.id(value))
        }
    }

    func freeze() -> FrozenIdGeneration {
        FrozenIdGeneration(
            tags: header.pointee.tags.freeze(), lows: header.pointee.lows.freeze(),
            values: header.pointee.values.freeze())
    }

    /// A view of a closed generation: nothing is written, so another thread may be sealing it.
    func viewOfClosed() -> FrozenIdGeneration {
        FrozenIdGeneration(
            tags: header.pointee.tags.viewOfFinished(), lows: header.pointee.lows.viewOfFinished(),
            values: header.pointee.values.viewOfFinished())
    }

    func thaw(_ frozen: FrozenIdGeneration) {
        header.pointee.tags.thaw(frozen.tags)
        header.pointee.lows.thaw(frozen.lows)
        header.pointee.values.thaw(frozen.values)
    }
}

/// The ids of one generation as they were when the table was frozen.
public struct FrozenIdGeneration: Sendable {
    fileprivate let tags: FrozenColumn<UInt32>
    fileprivate let lows: FrozenColumn<UInt64>
    fileprivate let values: FrozenColumn<UInt128>

    /// The number of ids.
    public var count: Int { lows.count }

    /// Calls `body` with the ids in order of insertion.
    public func forEach(_ body: (ExternalIdKey, RememberedId) throws -> Void) rethrows {
        // Three columns have chunks of three lengths; that of the values is the shortest and divides the others.
        for number in 0..<values.chunkCount {
            let values = values.chunk(number)
            let first = number * Column<UInt128>.elementsPerChunk
            let lows = lows.chunk(first / Column<UInt64>.elementsPerChunk)
            let tags = tags.chunk(first / Column<UInt32>.elementsPerChunk)
            let lowsStart = first % Column<UInt64>.elementsPerChunk
            let tagsStart = first % Column<UInt32>.elementsPerChunk
            for index in values.indices {
                let value = values[index]
                try body(
                    IdGeneration.key(tags[tagsStart + index], lows[lowsStart + index], value), IdGeneration.id(value))
            }
        }
    }
}
