/// Looks through what lies behind the last valid record of the last segment.
///
/// Blocks that were never synced reach the disk in any order, so whole records may lie behind a torn one: they were
/// not acknowledged either and go with it. But any of them may also say that what is now unreadable *had* been
/// durable, and then it is damage and no torn write.
struct TailScan {
    /// Highest sequence number that a record header in the tail calls durable.
    private(set) var provenThrough: UInt64 = 0
    /// Whole batches behind the first invalid record, by their headers.
    private(set) var batches = 0
    /// Offset behind the last byte that was written for this segment; ``start`` if none was. In fresh blocks that is
    /// the last that is not zero; in recycled ones only records with this segment's tag are known to be its own.
    private(set) var end: UInt64
    let start: UInt64

    init(_ segment: Segment, from start: UInt64) throws(StoreError) {
        self.start = start
        end = start
        let size = try segment.file.size
        let ledgerTag = segment.header.identity.tag
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: StoreLimits.readBlock, alignment: 64)
        defer { buffer.deallocate() }
        var offset = start
        while offset < size {
            let filled = try segment.file.read(into: buffer, at: offset)
            if filled == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<filled])
            let used = bytes.endOfNonZero
            if used > 0, !segment.header.isRecycled { end = offset + UInt64(used) }
            var position = 0
            while position + RecordHeader.size <= used + RecordHeader.size, position + RecordHeader.size <= filled {
                if bytes.read(position, as: UInt32.self) == RecordHeader.frame.magic,
                    case .header(let header) = RecordHeader.decode(bytes.slice(position, RecordHeader.size)),
                    header.ledgerTag == ledgerTag, header.segmentTag == segment.header.segmentTag
                {
                    provenThrough = max(provenThrough, header.syncedThrough)
                    if header.kind == .batch { batches += 1 }
                    end = max(end, min(size, offset + UInt64(position + header.recordLength)))
                }
                position += 8
            }
            if offset + UInt64(filled) >= size { break }
            // The next block overlaps by a header less one step, so that none is cut in two or counted twice.
            offset += UInt64(filled - (RecordHeader.size - 8))
        }
    }
}
