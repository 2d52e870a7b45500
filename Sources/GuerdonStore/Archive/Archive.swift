import Synchronization

/// An open archive: reads as the plain segment did, decompressing the frames that are asked for.
final class Archive: LogBytes {
    /// The frame decompressed last, for readers that go on from where they were.
    private struct Cached {
        var frame = -1
        var bytes: [UInt8] = []
    }

    let header: ArchiveHeader
    let frames: [ArchiveFrame]
    private let file: File
    private let cached = Mutex(Cached())
    /// Making one takes as long as decompressing a frame; one that is in use is not there.
    private let idleDecompressor = Mutex<ZstdDecompressor?>(nil)

    var path: String { file.path }

    static func path(_ index: UInt64, in directory: DataDirectory) -> String {
        "\(directory.archivePath)/\(decimalName(index)).wal.zst"
    }

    /// Reads the header alone, which is what opening a ledger needs of each archive.
    static func header(_ index: UInt64, in directory: DataDirectory) throws(StoreError) -> ArchiveHeader {
        try header(of: directory.system.open(path(index, in: directory), .read), index, directory)
    }

    private static func header(
        of file: File, _ index: UInt64, _ directory: DataDirectory
    ) throws(StoreError) -> ArchiveHeader {
        let bytes = try file.bytes(at: 0, count: Int(min(try file.size, UInt64(ArchiveHeader.size)))) ?? []
        return try bytes.span.withUnsafeBytes { buffer throws(StoreError) in
            try ArchiveHeader.decode(buffer, path: file.path, identity: directory.identity, index: index)
        }
    }

    convenience init(_ index: UInt64, in directory: DataDirectory) throws(StoreError) {
        try self.init(path: Archive.path(index, in: directory), index: index, in: directory)
    }

    init(
        path: String, index: UInt64, in directory: DataDirectory, mode: File.Mode = .read
    ) throws(StoreError) {
        file = try directory.system.open(path, mode)
        let header = try Archive.header(of: file, index, directory)
        let size = try file.size
        let footer =
            try file.bytes(
                at: size - UInt64(ArchiveIndex.footerSize), count: ArchiveIndex.footerSize) ?? []
        let count = footer.withUnsafeBytes { UInt64($0.read(4, as: UInt32.self)) }
        let length = 8 + count * UInt64(ArchiveFrame.size) + UInt64(ArchiveIndex.footerSize)
        guard length <= size - UInt64(ArchiveHeader.size),
            let bytes = try file.bytes(at: size - length, count: Int(length)),
            let frames = bytes.withUnsafeBytes({ ArchiveIndex.decode($0, header: header, end: size - length) })
        else { throw .archive(path, size, "the archive's index is damaged or missing") }
        self.header = header
        self.frames = frames
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StoreError) -> Int {
        var filled = 0
        while filled < buffer.count, offset + UInt64(filled) < header.rawLength {
            let place = offset + UInt64(filled)
            let number = frame(holding: place)
            let bytes = try contents(of: number)
            let start = Int(place - frames[number].rawOffset)
            let count = min(buffer.count - filled, bytes.count - start)
            bytes.withUnsafeBytes { source in
                (buffer.baseAddress! + filled).copyMemory(from: source.baseAddress! + start, byteCount: count)
            }
            filled += count
        }
        return filled
    }

    /// The last frame whose records begin at or before `sequence`, as an entry of the log's index.
    func entry(of sequence: UInt64) -> Segment.Entry {
        var low = 0
        var high = frames.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if frames[middle].sequence <= sequence { low = middle } else { high = middle }
        }
        // The first frame holds the segment's header too.
        let offset = low == 0 ? UInt64(SegmentHeader.size) : frames[low].rawOffset
        return Segment.Entry(sequence: frames[low].sequence, offset: offset, chain: frames[low].chain)
    }

    private func frame(holding rawOffset: UInt64) -> Int {
        var low = 0
        var high = frames.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if frames[middle].rawOffset <= rawOffset { low = middle } else { high = middle }
        }
        return low
    }

    private func contents(of number: Int) throws(StoreError) -> [UInt8] {
        if let bytes = cached.withLock({ $0.frame == number ? $0.bytes : nil }) { return bytes }
        let frame = frames[number]
        let compressed = try compressed(frame)
        let decompressor = idleDecompressor.withLock { idle -> ZstdDecompressor in
            defer { idle = nil }
            return idle ?? ZstdDecompressor()
        }
        var isWhole = false
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(frame.rawLength)) { buffer, count in
            let output = UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(buffer)[..<Int(frame.rawLength)])
            isWhole = compressed.withUnsafeBytes { decompressor.decompress($0, into: output) }
            count = isWhole ? output.count : 0
        }
        idleDecompressor.withLock { $0 = decompressor }
        guard isWhole else { throw .archive(path, frame.offset, "a frame does not decompress to its length") }
        cached.withLock { $0 = Cached(frame: number, bytes: bytes) }
        return bytes
    }

    /// A frame as it is on disk, by its checksum.
    private func compressed(_ frame: ArchiveFrame) throws(StoreError) -> [UInt8] {
        guard let bytes = try file.bytes(at: frame.offset, count: Int(frame.length)),
            bytes.withUnsafeBytes({ Checksum.crc32c($0) }) == frame.checksum
        else { throw .archive(path, frame.offset, "a frame does not match its checksum") }
        return bytes
    }

    /// Reads every frame and compares it with its checksum, without decompressing.
    func verify() throws(StoreError) {
        for frame in frames { _ = try compressed(frame) }
    }
}
