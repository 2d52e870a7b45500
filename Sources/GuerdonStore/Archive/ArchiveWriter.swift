import Glibc

/// Compresses one closed segment into an archive and proves that the archive gives the segment back.
///
/// The segment is read once. Every frame is decompressed and compared while it is in the processor's cache, and read
/// back from the disk by its checksum once all of them are durable.
final class ArchiveWriter {
    private let directory: DataDirectory
    private let pause: () -> Void
    private let compressor = ZstdCompressor.forLog()
    private let decompressor = ZstdDecompressor()
    private var decompressed = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// - Parameter pause: called between frames.
    init(in directory: DataDirectory, pause: @escaping () -> Void) {
        self.directory = directory
        self.pause = pause
    }

    deinit { decompressed.deallocate() }

    /// The archive, durable under its name.
    func write(_ segment: Segment) throws(StoreError) -> ArchiveHeader {
        let target = Archive.path(segment.header.index, in: directory)
        let aside = target + ".tmp"
        try directory.system.remove(aside)
        do throws(StoreError) {
            let header = try compress(segment, into: aside)
            try Archive(path: aside, index: segment.header.index, in: directory, mode: .readDevice).verify()
            try directory.system.rename(aside, to: target)
            try directory.system.syncDirectory(directory.archivePath)
            return header
        } catch {
            try? directory.system.remove(aside)
            throw error
        }
    }

    /// Checks every record once more, cuts the segment into frames of whole records, and writes them.
    private func compress(_ segment: Segment, into path: String) throws(StoreError) -> ArchiveHeader {
        let file = try directory.system.open(path, .create)
        var segmentHeader = segment.header
        segmentHeader.isRecycled = false
        let header = ArchiveHeader(
            segment: segmentHeader, nextSequence: segment.nextSequence, chainOut: segment.chain,
            rawLength: segment.end)
        try file.write(header.encoded(), at: 0)
        var pace = SteadyWriting()
        let start = segment.position(of: 0).entry
        var cursor = RecordCursor(
            LogExtent(bytes: segment.file, header: segment.header, entry: start, end: header.rawLength))
        // The first frame holds the segment's header too.
        cursor.hold(from: 0)
        var frames: [ArchiveFrame] = []
        var frame = ArchiveFrame(
            offset: UInt64(ArchiveHeader.size), rawOffset: 0, sequence: start.sequence, chain: start.chain, length: 0,
            rawLength: 0, checksum: 0)
        while true {
            let offset = cursor.offset
            let isEnd: Bool
            switch try cursor.next() {
            case .damaged(_, let detail):
                throw StoreError(
                    .recordDamaged, file: segment.file.path, offset: offset, detail: detail, advice: Advice.restore)
            case .record: isEnd = false
            case .end: isEnd = true
            }
            frame.rawLength = UInt32(cursor.offset - frame.rawOffset)
            if isEnd ? frame.rawLength > 0 : Int(frame.rawLength) >= StoreLimits.archiveFrame {
                try write(&frame, try cursor.heldBytes(), to: file)
                frames.append(frame)
                pace.reached(frame.end, of: file)
                pause()
                frame = ArchiveFrame(
                    offset: frame.end, rawOffset: cursor.offset, sequence: cursor.nextSequence, chain: cursor.chain,
                    length: 0, rawLength: 0, checksum: 0)
                cursor.hold(from: cursor.offset)
            }
            if isEnd { break }
        }
        try file.write(ArchiveIndex.encoded(frames), at: frame.offset)
        try file.sync(metadata: true)
        return header
    }

    /// Compresses a frame, sees whether that gives it back, and writes it.
    private func write(
        _ frame: inout ArchiveFrame, _ raw: UnsafeRawBufferPointer, to file: File
    ) throws(StoreError) {
        let compressed = compressor.compress(raw)
        if raw.count > decompressed.count {
            decompressed.deallocate()
            decompressed = .allocate(byteCount: raw.count, alignment: 16)
        }
        let back = UnsafeMutableRawBufferPointer(rebasing: decompressed[..<raw.count])
        guard decompressor.decompress(compressed, into: back), let first = raw.baseAddress,
            let second = back.baseAddress, memcmp(first, second, raw.count) == 0
        else { throw .archive(file.path, frame.offset, "the new archive does not give back its segment") }
        frame.length = UInt32(compressed.count)
        frame.checksum = Checksum.crc32c(compressed)
        try file.write(compressed, at: frame.offset)
    }
}

extension BatchLog {
    /// Recompresses closed segments, oldest first, and sets the plain files aside for new segments. For a background thread.
    ///
    /// Each archive is durable and known to give back its segment before that goes; readers notice nothing. The
    /// segment being appended to stays.
    /// - Parameters:
    ///   - sequence: segments that hold this sequence number or later ones stay plain.
    ///   - limit: segments to archive at most in this call.
    ///   - pause: called some times a megabyte, with the number of closed segments that wait: somebody may want to rest.
    /// - Returns: how many were archived.
    @discardableResult
    public func archiveSealedSegments(
        keepingFrom sequence: UInt64 = .max, atMost limit: Int = .max, pause: @escaping (Int) -> Void = { _ in }
    ) throws(StoreError) -> Int {
        precondition(directory.access == .readWrite)
        var count = 0
        var writer: ArchiveWriter?
        while count < limit, let segment = oldestClosedSegment, segment.nextSequence <= sequence {
            let made = writer ?? ArchiveWriter(in: directory) { [self] in pause(closedSegmentCount) }
            writer = made
            let header = try made.write(segment)
            replace(segment, with: header)
            try retire(segment)
            count += 1
        }
        return count
    }
}
