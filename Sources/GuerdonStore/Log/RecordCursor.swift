/// What holds the bytes of a segment: the plain file, or an archive of it that decompresses on the way.
protocol LogBytes: Sendable {
    var path: String { get }
    /// Fills `buffer` from `offset` of the plain segment on; fewer bytes only at its end.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) -> Int
}

extension File: LogBytes {}

/// A part of the log to read: from `entry` to `end` of one segment.
struct LogExtent {
    var bytes: any LogBytes
    var header: SegmentHeader
    var entry: Segment.Entry
    var end: UInt64
}

/// Reads the records of one segment, or of one decompressed archive frame, in order and checks each completely.
///
/// It owns one buffer, which grows only for a record whose header has been verified.
struct RecordCursor: ~Copyable {
    /// What ``next()`` came upon.
    enum Outcome {
        /// A whole record; its payload is ``RecordCursor/payload`` until the next call.
        case record(RecordHeader)
        /// The limit was reached exactly at the end of a record.
        case end
        /// No valid record begins at ``RecordCursor/offset``.
        case damaged(StoreError.Code, String)
    }

    /// Ledger and segment that records must name.
    private let ledgerTag: UInt32
    private let segmentTag: UInt32
    private let bytes: any LogBytes
    /// Records end here.
    private(set) var limit: UInt64
    /// Where the next record begins.
    private(set) var offset: UInt64
    /// Sequence number that the next batch must have.
    private(set) var nextSequence: UInt64
    /// Chain value that the next record must carry.
    private(set) var chain: UInt64

    /// What stays in the buffer begins here, if that is before ``offset``.
    private var held: UInt64

    private var buffer: UnsafeMutableRawBufferPointer
    /// File offset of the buffer's first byte, and how many bytes it holds.
    private var base: UInt64
    private var filled = 0
    private(set) var payload = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ extent: LogExtent, block: Int = StoreLimits.readBlock) {
        bytes = extent.bytes
        ledgerTag = extent.header.identity.tag
        segmentTag = extent.header.segmentTag
        limit = extent.end
        offset = extent.entry.offset
        nextSequence = extent.entry.sequence
        chain = extent.entry.chain
        held = .max
        base = extent.entry.offset
        buffer = .allocate(byteCount: block, alignment: 64)
    }

    deinit { buffer.deallocate() }

    /// Lets the cursor go on to a later end of a segment that is being appended to.
    mutating func extend(to limit: UInt64) {
        precondition(limit >= self.limit)
        self.limit = limit
    }

    /// Keeps what begins at `start`, so that ``heldBytes()`` gives it in one piece.
    ///
    /// - Parameter start: at or before ``offset``; anything before the first record, later the present offset.
    mutating func hold(from start: UInt64) {
        precondition(start == offset || (start < offset && filled == 0))
        held = start
        if filled == 0 { base = start }
    }

    /// The bytes from where they are held on to ``offset``; valid until the next call.
    mutating func heldBytes() throws(StoreError) -> UnsafeRawBufferPointer {
        precondition(held <= offset, "nothing is held")
        guard try load(0) else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        return UnsafeRawBufferPointer(buffer).slice(Int(held - base), Int(offset - held))
    }

    /// Checks and steps over the record at ``offset``.
    mutating func next() throws(StoreError) -> Outcome {
        if offset == limit { return .end }
        switch try peek() {
        case .header(let header):
            guard header.ledgerTag == ledgerTag, header.segmentTag == segmentTag else {
                return .damaged(.recordDamaged, "a record belongs to another segment or ledger")
            }
            guard try load(header.recordLength) else {
                return .damaged(.recordDamaged, "the log ends inside a record")
            }
            let start = Int(offset - base)
            let body = UnsafeRawBufferPointer(buffer).slice(
                start + RecordHeader.size, header.recordLength - RecordHeader.size)
            guard Checksum.crc32c(body) == header.payloadChecksum else {
                return .damaged(.recordDamaged, "a batch does not match its checksum")
            }
            guard header.firstSequence == nextSequence, header.chain == chain else {
                return .damaged(
                    .chainBroken,
                    "a whole record with sequence \(header.firstSequence) does not continue the log, "
                        + "which is at \(nextSequence)")
            }
            payload = body.slice(0, Int(header.payloadLength))
            offset += UInt64(header.recordLength)
            nextSequence = header.nextSequence
            chain = Chain.next(chain, header)
            return .record(header)
        case .invalid(let detail): return .damaged(.recordDamaged, detail)
        case .newer(let version):
            return .damaged(.unsupportedVersion, "a record has format \(version), unknown to this program")
        }
    }

    /// Steps over records by their headers alone until the one that ends at or behind `sequence` is next.
    ///
    /// - Returns: `nil`, or why that failed.
    mutating func skip(to sequence: UInt64) throws(StoreError) -> (StoreError.Code, String)? {
        while nextSequence <= sequence, offset < limit {
            switch try peek() {
            case .header(let header):
                guard header.firstSequence == nextSequence, header.chain == chain, header.ledgerTag == ledgerTag,
                    header.segmentTag == segmentTag
                else { return (.recordDamaged, "a record does not continue the log") }
                if header.nextSequence > sequence { return nil }
                offset += UInt64(header.recordLength)
                nextSequence = header.nextSequence
                chain = Chain.next(chain, header)
            case .invalid(let detail): return (.recordDamaged, detail)
            case .newer(let version): return (.unsupportedVersion, "a record has format \(version)")
            }
        }
        return nil
    }

    private mutating func peek() throws(StoreError) -> RecordHeader.Decoded {
        guard try load(RecordHeader.size) else { return .invalid("the log ends inside a record header") }
        return RecordHeader.decode(UnsafeRawBufferPointer(buffer).slice(Int(offset - base), RecordHeader.size))
    }

    /// Has `count` bytes from ``offset`` in the buffer; `false` if the limit or the file ends before.
    private mutating func load(_ count: Int) throws(StoreError) -> Bool {
        guard limit >= offset, UInt64(count) <= limit - offset else { return false }
        let end = offset + UInt64(count)
        // After a skip the offset may lie behind what is in the buffer.
        if end - base <= UInt64(filled) { return true }
        let first = min(held, offset)
        let start = first - base
        let kept = start < UInt64(filled) ? filled - Int(start) : 0
        let old = buffer
        let needed = Int(end - first)
        if needed > buffer.count { buffer = .allocate(byteCount: needed, alignment: 64) }
        if kept > 0 { buffer.baseAddress!.copyMemory(from: old.baseAddress! + Int(start), byteCount: kept) }
        if buffer.baseAddress != old.baseAddress { old.deallocate() }
        base = first
        filled = kept
        let wanted = Int(min(UInt64(buffer.count), limit - first)) - kept
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[kept..<kept + wanted])
        filled += try bytes.read(into: room, at: first + UInt64(kept))
        return filled >= needed
    }
}
