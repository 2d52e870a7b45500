import Synchronization

/// One plain segment file, shared between the journal thread that appends and readers on other threads.
///
/// Readers see only what was published; what lies behind is being written.
final class Segment: Sendable {
    /// Where a record begins, about every ``StoreLimits/indexStride`` bytes.
    struct Entry {
        var sequence: UInt64
        var offset: UInt64
        /// Chain value before the record.
        var chain: UInt64
    }

    struct Published {
        /// Offset behind the last record.
        var end: UInt64
        var nextSequence: UInt64
        /// Chain value behind the last record.
        var chain: UInt64
        var index: [Entry]
    }

    let file: File
    let header: SegmentHeader
    let published: Mutex<Published>

    init(file: File, header: SegmentHeader) {
        self.file = file
        self.header = header
        let start = UInt64(SegmentHeader.size)
        var index: [Entry] = []
        // Enough for a segment of the usual size, so that appending does not allocate.
        index.reserveCapacity(StoreLimits.segment / Int(StoreLimits.indexStride) + 2)
        index.append(Entry(sequence: header.firstSequence, offset: start, chain: header.chain))
        published = Mutex(
            Published(end: start, nextSequence: header.firstSequence, chain: header.chain, index: index))
    }

    static func path(_ index: UInt64, in directory: String) -> String { "\(directory)/\(decimalName(index)).wal" }

    var nextSequence: UInt64 { published.withLock { $0.nextSequence } }
    var chain: UInt64 { published.withLock { $0.chain } }
    var end: UInt64 { published.withLock { $0.end } }

    /// Shows readers one record more, which begins at the present end.
    func publish(_ record: RecordHeader) {
        published.withLock { state in
            if state.end >= state.index[state.index.count - 1].offset + StoreLimits.indexStride {
                state.index.append(Entry(sequence: record.firstSequence, offset: state.end, chain: state.chain))
            }
            state.end += UInt64(record.recordLength)
            state.nextSequence = record.nextSequence
            state.chain = Chain.next(state.chain, record)
        }
    }

    /// The last indexed record that begins at or before `sequence`, and the present end.
    func position(of sequence: UInt64) -> (entry: Entry, end: UInt64) {
        published.withLock { state in
            var low = 0
            var high = state.index.count
            while high - low > 1 {
                let middle = (low + high) / 2
                if state.index[middle].sequence <= sequence { low = middle } else { high = middle }
            }
            return (state.index[low], state.end)
        }
    }

    /// Name of a file that held segment `index` and waits for its blocks to be used again.
    static func sparePath(_ index: UInt64, in directory: String) -> String {
        "\(directory)/\(decimalName(index)).spare"
    }

    /// Makes a new segment under its final name, header durable, `reserving` bytes of blocks where possible.
    ///
    /// It is made aside and renamed, so that a segment under its name always has a whole header. Blocks that were
    /// written before sync in half the time: a `spare` is used again where there is one. Out of space, nothing remains.
    static func create(
        _ header: SegmentHeader, in directory: String, reserving: UInt64, spare: File? = nil, system: FileSystem
    ) throws(StoreError) -> Segment {
        var header = header
        header.isRecycled = spare != nil
        let path = path(header.index, in: directory)
        let aside = spare?.path ?? path + ".tmp"
        if spare == nil { try system.remove(aside) }
        let file = if let spare { spare } else { try system.open(aside, .create) }
        do throws(StoreError) {
            if reserving > 0 { try file.reserve(reserving) }
            try file.write(header.encoded(), at: 0)
        } catch {
            try system.remove(aside)
            throw error
        }
        try file.sync(metadata: true)
        try system.rename(aside, to: path)
        try system.syncDirectory(directory)
        // Opened under the name that errors should show.
        return Segment(file: try system.open(path, .update), header: header)
    }
}
