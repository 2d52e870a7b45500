/// Compresses one closed segment into an archive and proves that the archive gives the segment back.
struct ArchiveWriter {
    /// zstd's level for the archives. On a log of the scoring job level 6 makes them 3 % smaller and takes five times as
    /// long, which on a busy machine is time that actions wait for.
    private static let level: Int32 = 1

    let directory: DataDirectory
    let segment: Segment

    /// The archive, durable under its name.
    func write() throws(StoreError) -> ArchiveHeader {
        let target = Archive.path(segment.header.index, in: directory)
        let aside = target + ".tmp"
        try directory.system.remove(aside)
        do throws(StoreError) {
            let header = try compress(into: aside)
            try compare(aside)
            try directory.system.rename(aside, to: target)
            try directory.system.syncDirectory(directory.archivePath)
            return header
        } catch {
            try? directory.system.remove(aside)
            throw error
        }
    }

    private func compress(into path: String) throws(StoreError) -> ArchiveHeader {
        let file = try directory.system.open(path, .create)
        let compressor = ZstdCompressor(level: ArchiveWriter.level)
        let frames = try cut()
        var segmentHeader = segment.header
        segmentHeader.isRecycled = false
        let header = ArchiveHeader(
            segment: segmentHeader, nextSequence: segment.nextSequence, chainOut: segment.chain,
            rawLength: segment.end)
        try file.write(header.encoded(), at: 0)
        var written: [ArchiveFrame] = []
        var offset = UInt64(ArchiveHeader.size)
        for var frame in frames {
            guard let raw = try segment.file.bytes(at: frame.rawOffset, count: Int(frame.rawLength)) else {
                throw damaged(frame.rawOffset, "the segment ends early")
            }
            let compressed = raw.withUnsafeBytes { compressor.compress($0) }
            frame.offset = offset
            frame.length = UInt32(compressed.count)
            frame.checksum = Checksum.crc32c(compressed)
            try file.write(compressed, at: offset)
            offset += UInt64(compressed.count)
            written.append(frame)
        }
        try file.write(ArchiveIndex.encoded(written), at: offset)
        try file.sync(metadata: true)
        file.dropCache()
        return header
    }

    /// Checks every record once more and cuts the segment into frames of whole records.
    private func cut() throws(StoreError) -> [ArchiveFrame] {
        let start = segment.position(of: 0).entry
        var cursor = RecordCursor(
            LogExtent(bytes: segment.file, header: segment.header, entry: start, end: segment.end))
        var frames: [ArchiveFrame] = []
        var frame = ArchiveFrame(
            offset: 0, rawOffset: 0, sequence: start.sequence, chain: start.chain, length: 0, rawLength: 0, checksum: 0)
        while true {
            let offset = cursor.offset
            switch try cursor.next() {
            case .damaged(_, let detail): throw damaged(offset, detail)
            case .record:
                frame.rawLength = UInt32(cursor.offset - frame.rawOffset)
                guard Int(frame.rawLength) >= StoreLimits.archiveFrame else { continue }
                frames.append(frame)
                frame.rawOffset = cursor.offset
                frame.sequence = cursor.nextSequence
                frame.chain = cursor.chain
                frame.rawLength = 0
            case .end:
                // The header alone is a frame too: an archive has at least one.
                if frames.isEmpty { frame.rawLength = UInt32(cursor.offset) }
                return frame.rawLength > 0 ? frames + [frame] : frames
            }
        }
    }

    /// Decompresses the whole archive and compares it with the segment, byte by byte.
    private func compare(_ path: String) throws(StoreError) {
        let archive = try Archive(path: path, index: segment.header.index, in: directory)
        for frame in archive.frames {
            let count = Int(frame.rawLength)
            var bytes = [UInt8](repeating: 0, count: count)
            var span = bytes.mutableSpan
            let filled = try span.withUnsafeMutableBytes { buffer throws(StoreError) in
                try archive.read(into: buffer, at: frame.rawOffset)
            }
            guard filled == count, try segment.file.bytes(at: frame.rawOffset, count: count) == bytes else {
                throw .archive(path, frame.offset, "the new archive does not give back its segment")
            }
        }
    }

    private func damaged(_ offset: UInt64, _ detail: String) -> StoreError {
        StoreError(
            .recordDamaged, file: segment.file.path, offset: offset, detail: detail, advice: Advice.restore)
    }
}

extension BatchLog {
    /// Recompresses closed segments, oldest first, and sets the plain files aside for new segments. For a background thread.
    ///
    /// Each archive is durable and was decoded and compared before its segment goes; readers notice nothing. The
    /// segment being appended to stays.
    /// - Parameters:
    ///   - sequence: segments that hold this sequence number or later ones stay plain.
    ///   - limit: segments to archive at most in this call.
    /// - Returns: how many were archived.
    @discardableResult
    public func archiveSealedSegments(
        keepingFrom sequence: UInt64 = .max, atMost limit: Int = .max
    ) throws(StoreError) -> Int {
        precondition(directory.access == .readWrite)
        var count = 0
        while count < limit, let segment = oldestClosedSegment, segment.nextSequence <= sequence {
            let header = try ArchiveWriter(directory: directory, segment: segment).write()
            replace(segment, with: header)
            try retire(segment)
            count += 1
        }
        return count
    }
}
