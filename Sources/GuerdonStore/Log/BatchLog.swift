import Synchronization

/// The readable side of the log: every batch ever appended, oldest first, whether in plain segments or in archives.
///
/// Safe from any thread while the journal thread appends; it shows what was appended, synced or not.
public final class BatchLog: Sendable {
    struct State {
        /// Before all segments, in order of index, without gaps; may be empty.
        var archives: [ArchiveHeader]
        /// Neighbours in order of index, without gaps; never empty; the last is being appended to.
        var segments: [Segment]
        /// Files of archived segments, whose blocks the next segments may use.
        var spares: [Spare]
        /// Archives that were read last, newest use first.
        var opened: [Archive] = []
    }

    /// Spare files that are kept; the archiver falls no further behind than that in good times.
    static let sparesMost = 2
    /// Archives that are kept open for reading.
    private static let openedMost = 4

    let directory: DataDirectory
    let state: Mutex<State>

    init(directory: DataDirectory, archives: [ArchiveHeader], segments: [Segment], spares: [Spare]) {
        precondition(!segments.isEmpty)
        self.directory = directory
        state = Mutex(State(archives: archives, segments: segments, spares: spares))
    }

    /// First sequence number that the log still holds.
    public var firstSequence: UInt64 {
        state.withLock { ($0.archives.first?.segment ?? $0.segments[0].header).firstSequence }
    }
    /// Last sequence number appended, 0 if none.
    public var lastSequence: UInt64 { lastSegment.nextSequence - 1 }
    /// Chain value behind the last batch.
    public var chain: UInt64 { lastSegment.chain }

    var lastSegment: Segment { state.withLock { $0.segments[$0.segments.count - 1] } }

    func append(_ segment: Segment) { state.withLock { $0.segments.append(segment) } }

    /// Where to begin reading for `sequence`: the part that holds it, or whose end it would extend.
    func extent(for sequence: UInt64) throws(StoreError) -> LogExtent {
        enum Part {
            case segment(Segment)
            case opened(Archive)
            case closed(UInt64)
        }
        let part = state.withLock { state -> Part? in
            if let segment = state.segments.last(where: { $0.header.firstSequence <= sequence }) {
                return .segment(segment)
            }
            guard let header = state.archive(for: sequence) else { return nil }
            guard let place = state.opened.firstIndex(where: { $0.header == header }) else {
                return .closed(header.segment.index)
            }
            state.opened.insert(state.opened.remove(at: place), at: 0)
            return .opened(state.opened[0])
        }
        switch part {
        case .segment(let segment):
            let (entry, end) = segment.position(of: sequence)
            return LogExtent(bytes: segment.file, header: segment.header, entry: entry, end: end)
        case .opened(let archive): return extent(of: archive, for: sequence)
        case .closed(let index):
            let archive = try Archive(index, in: directory)
            state.withLock { state in
                if state.opened.count == BatchLog.openedMost { state.opened.removeLast() }
                state.opened.insert(archive, at: 0)
            }
            return extent(of: archive, for: sequence)
        case nil: throw unknown(sequence)
        }
    }

    private func extent(of archive: Archive, for sequence: UInt64) -> LogExtent {
        LogExtent(
            bytes: archive, header: archive.header.segment, entry: archive.entry(of: sequence),
            end: archive.header.rawLength)
    }

    var oldestClosedSegment: Segment? {
        state.withLock { $0.segments.count > 1 ? $0.segments[0] : nil }
    }

    var closedSegmentCount: Int { state.withLock { $0.segments.count - 1 } }

    func replace(_ segment: Segment, with archive: ArchiveHeader) {
        state.withLock { state in
            precondition(state.segments[0] === segment)
            state.segments.removeFirst()
            state.archives.append(archive)
        }
    }

    func unknown(_ sequence: UInt64) -> StoreError {
        StoreError(
            .sequenceUnknown, file: directory.walPath,
            detail: "the log holds \(firstSequence) to \(lastSequence), not \(sequence)",
            advice: "Restore the missing part of the log from a backup, or start from a snapshot that needs less")
    }

    /// A reader whose first batch is the one that begins with `sequence`.
    ///
    /// - Parameters:
    ///   - sequence: the first sequence number of a batch, or the one behind the last.
    ///   - chain: chain value that the log must have before that batch (from a snapshot), checked if given.
    public func reader(from sequence: UInt64 = 1, chain: UInt64? = nil) throws(StoreError) -> LogReader {
        try LogReader(log: self, from: sequence, chain: chain)
    }

    /// The batch that holds `sequence`, copied.
    ///
    /// - Complexity: one or two reads, about 64 KiB of the log on average.
    /// - Throws: `sequence_unknown` if the log does not reach from there to here, or damage found on the way.
    public func batch(containing sequence: UInt64) throws(StoreError) -> StoredBatch {
        let extent = try extent(for: sequence)
        var cursor = RecordCursor(extent, block: Int(StoreLimits.indexStride) * 2)
        if let (code, detail) = try cursor.skip(to: sequence) {
            throw StoreError(
                code, file: extent.bytes.path, offset: cursor.offset, detail: detail, advice: Advice.restore)
        }
        while true {
            let start = cursor.offset
            switch try cursor.next() {
            case .record(let header) where header.kind == .seal: continue
            case .record(let header):
                let info = BatchInfo(header, chain: cursor.chain)
                guard header.firstSequence <= sequence, sequence < header.nextSequence else { throw unknown(sequence) }
                return StoredBatch(info: info, payload: [UInt8](cursor.payload))
            case .end: throw unknown(sequence)
            case .damaged(let code, let detail):
                throw StoreError(code, file: extent.bytes.path, offset: start, detail: detail, advice: Advice.restore)
            }
        }
    }
}

extension BatchLog.State {
    /// The last archive that begins at or before `sequence`.
    fileprivate func archive(for sequence: UInt64) -> ArchiveHeader? {
        var low = 0
        var high = archives.count
        while low < high {
            let middle = (low + high) / 2
            if archives[middle].segment.firstSequence <= sequence { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? archives[low - 1] : nil
    }
}

/// What the log says about one batch.
public struct BatchInfo: Equatable, Sendable {
    /// Sequence number of the first command.
    public var firstSequence: UInt64
    /// Number of commands, at least 1.
    public var count: UInt32
    /// The batch's time, nanoseconds since 1970.
    public var time: Int64
    /// Chain value behind the batch.
    public var chain: UInt64

    init(_ header: RecordHeader, chain: UInt64) {
        firstSequence = header.firstSequence
        count = header.count
        time = header.time
        self.chain = chain
    }
}

/// A batch copied out of the log.
public struct StoredBatch: Equatable, Sendable {
    /// Sequence numbers, time and chain.
    public var info: BatchInfo
    /// The bytes as they were appended.
    public var payload: [UInt8]
}

/// A batch while a ``LogReader`` stands on it.
public struct LogRecord {
    /// Sequence numbers, time and chain.
    public let info: BatchInfo
    /// The bytes as they were appended, valid until the reader moves on.
    public let payload: UnsafeRawBufferPointer
    /// File that holds the record, for messages.
    public let file: String
    /// Offset of the record in the plain segment.
    public let offset: UInt64
}
