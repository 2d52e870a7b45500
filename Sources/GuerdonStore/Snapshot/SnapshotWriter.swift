import Glibc
public import GuerdonCore

/// Writes one snapshot: aside, chunk by chunk, read back and checked before it takes its name.
///
/// ```swift
/// let writer = try SnapshotWriter(in: directory, sequence: cut.sequence, chain: cut.chain, time: cut.time)
/// for chunk in cut.chunks { try writer.write(section: chunk.section, chunk.bytes) }
/// try writer.finish()
/// ```
///
/// For one background thread. The batch that ends at `sequence` must be durable in the log, and the history flushed
/// and synced through it, before ``finish()``. Dropped without ``finish()``, it leaves nothing behind.
public final class SnapshotWriter: StateSink {
    /// What the snapshot will cover.
    public let info: SnapshotInfo
    /// Bytes given to ``write(section:_:)`` so far.
    public private(set) var rawBytes: UInt64 = 0
    /// Bytes in the file so far.
    public var fileBytes: UInt64 { position }

    private let directory: DataDirectory
    private let file: File
    private let aside: String
    private let compressor: ZstdCompressor
    private var head = [UInt8](repeating: 0, count: SnapshotChunkHeader.size)
    private var pace = SteadyWriting()
    private var position: UInt64
    private var number: UInt64 = 0
    private var chain: UInt64
    private var isFinished = false

    /// Begins a snapshot that covers everything through `sequence`.
    ///
    /// - Parameters:
    ///   - chain: chain value of the log behind `sequence`.
    ///   - time: time of the batch that ends there.
    ///   - level: zstd's compression level; 1 is quickest.
    public init(
        in directory: DataDirectory, sequence: UInt64, chain: UInt64, time: Int64, level: Int32 = 1
    ) throws(StoreError) {
        precondition(directory.access == .readWrite)
        info = SnapshotInfo(sequence: sequence, chain: chain, time: time)
        self.directory = directory
        aside = Snapshots.path(sequence, in: directory) + ".tmp"
        try directory.system.remove(aside)
        file = try directory.system.open(aside, .create)
        compressor = ZstdCompressor(level: level)
        let header = SnapshotHeader(
            identity: directory.identity, info: info, seedTag: directory.superblock.seedTag)
        position = UInt64(SnapshotHeader.size)
        self.chain = SnapshotTrailer.start(header)
        try file.write(header.encoded(), at: 0)
    }

    deinit {
        if !isFinished { unlink(aside) }
    }

    /// Adds one chunk, which the reader gives back as it is.
    ///
    /// - Parameters:
    ///   - section: what the bytes are, by the caller's numbering.
    ///   - bytes: at most ``StoreLimits/snapshotChunk``; 64 KiB to 1 MiB compress best.
    public func write(section: UInt32, _ bytes: UnsafeRawBufferPointer) throws(StoreError) {
        precondition(!isFinished)
        guard bytes.count <= StoreLimits.snapshotChunk else {
            throw StoreError(
                .tooLarge, detail: "a snapshot chunk of \(bytes.count) bytes exceeds \(StoreLimits.snapshotChunk)")
        }
        let compressed = compressor.compress(bytes)
        let header = SnapshotChunkHeader(
            section: section, rawLength: UInt32(bytes.count), compressedLength: UInt32(compressed.count),
            compressedChecksum: Checksum.crc32c(compressed), number: number)
        head.withUnsafeMutableBytes { header.encode(to: $0) }
        try file.write(head, at: position)
        try file.write(compressed, at: position + UInt64(SnapshotChunkHeader.size))
        position += UInt64(SnapshotChunkHeader.size + compressed.count)
        pace.reached(position, of: file)
        rawBytes += UInt64(bytes.count)
        number += 1
        chain = header.chained(chain)
    }

    /// Makes the snapshot durable, reads it back from the disk and decodes it, gives it its name, and removes all but
    /// the newest ``StoreLimits/snapshotsKept``.
    public func finish() throws(StoreError) {
        precondition(!isFinished)
        let trailer = SnapshotTrailer(
            chunks: number, rawBytes: rawBytes, chain: chain, sequence: info.sequence,
            ledgerTag: directory.identity.tag)
        try file.write(trailer.encoded(), at: position)
        try file.sync(metadata: true)
        let reader = try SnapshotReader(path: aside, in: directory, sequence: info.sequence, mode: .readDevice)
        while try reader.next() != nil {}
        try directory.system.rename(aside, to: Snapshots.path(info.sequence, in: directory))
        isFinished = true
        try directory.system.syncDirectory(directory.snapshotPath)
        try Snapshots.prune(directory)
    }
}
