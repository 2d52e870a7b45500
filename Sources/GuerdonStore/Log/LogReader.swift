/// Goes through the log batch by batch, in large reads, checking every checksum and the chain.
///
/// ```swift
/// var reader = try log.reader(from: snapshot.sequence + 1, chain: snapshot.chain)
/// while let record = try reader.next() { apply(record.info, record.payload) }
/// ```
///
/// At the end of the log ``next()`` gives `nil`; called again later it goes on with what was appended since.
public struct LogReader: ~Copyable {
    private let log: BatchLog
    private var cursor: RecordCursor
    private var extent: LogExtent

    init(log: BatchLog, from sequence: UInt64, chain: UInt64?) throws(StoreError) {
        precondition(sequence > 0)
        let extent = try log.extent(for: sequence)
        var cursor = RecordCursor(extent)
        if let (code, detail) = try cursor.skip(to: sequence) {
            throw StoreError(
                code, file: extent.bytes.path, offset: cursor.offset, detail: detail, advice: Advice.restore)
        }
        guard cursor.nextSequence == sequence else { throw log.unknown(sequence) }
        if let chain, chain != cursor.chain {
            throw StoreError(
                .chainBroken, file: extent.bytes.path, offset: cursor.offset,
                detail: "the log does not continue what the snapshot at \(sequence - 1) covers", advice: Advice.restore)
        }
        self.log = log
        self.extent = extent
        self.cursor = cursor
    }

    /// The next batch, or `nil` at the present end of the log.
    ///
    /// - Throws: what is damaged, with file and offset; nothing is ever skipped.
    public mutating func next() throws(StoreError) -> LogRecord? {
        while true {
            let start = cursor.offset
            switch try cursor.next() {
            case .record(let header) where header.kind == .seal: continue
            case .record(let header):
                return LogRecord(
                    info: BatchInfo(header, chain: cursor.chain), payload: cursor.payload, file: extent.bytes.path,
                    offset: start)
            case .end:
                guard try advance() else { return nil }
            case .damaged(let code, let detail):
                throw StoreError(code, file: extent.bytes.path, offset: start, detail: detail, advice: Advice.restore)
            }
        }
    }

    /// Moves to what follows the present extent; `false` if nothing does yet.
    private mutating func advance() throws(StoreError) -> Bool {
        let following = try log.extent(for: cursor.nextSequence)
        if following.header.index == extent.header.index {
            // An archive has exactly the length of its segment: a later end means that more was appended.
            guard following.end > extent.end else { return false }
            extent.end = following.end
            cursor.extend(to: following.end)
            return true
        }
        guard following.header.index > extent.header.index, following.header.chain == cursor.chain,
            following.header.firstSequence == cursor.nextSequence
        else {
            throw StoreError(
                .chainBroken, file: following.bytes.path, offset: 0,
                detail: "the segment does not continue the one before it", advice: Advice.restore)
        }
        extent = following
        cursor = RecordCursor(following)
        return true
    }
}
