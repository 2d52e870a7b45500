/// One chunk of a snapshot while a ``SnapshotReader`` stands on it.
public struct SnapshotChunk {
    /// What the bytes are, by the writer's numbering.
    public let section: UInt32
    /// The bytes as they were written, valid until the reader moves on.
    public let bytes: UnsafeRawBufferPointer
}

/// Reads a snapshot's chunks in the order in which they were written.
///
/// Every checksum is verified before a byte is decompressed, every length against its bound before memory is taken.
/// For one thread.
public final class SnapshotReader {
    /// What the snapshot covers.
    public let info: SnapshotInfo
    /// The file.
    public var path: String { file.path }
    /// Chunks in the file.
    public let chunkCount: UInt64
    /// Bytes of all chunks, decompressed: what a progress bar counts to.
    public let rawBytes: UInt64
    /// Bytes of the file.
    public let fileBytes: UInt64

    private let file: File
    private let trailer: SnapshotTrailer
    private let startChain: UInt64
    private let decompressor = ZstdDecompressor()
    // Empty until a chunk asks for room: an initializer that throws does not run `deinit`.
    private var compressed = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var raw = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    private var position = UInt64(SnapshotHeader.size)
    private var number: UInt64 = 0
    private var rawSoFar: UInt64 = 0
    private var chain: UInt64

    /// Opens the snapshot at `sequence` and verifies its header and trailer; chunks are verified as they are read.
    public convenience init(sequence: UInt64, in directory: DataDirectory) throws(StoreError) {
        try self.init(path: Snapshots.path(sequence, in: directory), in: directory, sequence: sequence)
    }

    init(
        path: String, in directory: DataDirectory, sequence: UInt64, mode: File.Mode = .read
    ) throws(StoreError) {
        file = try directory.system.open(path, mode)
        let size = try file.size
        let least = UInt64(SnapshotHeader.size + SnapshotTrailer.size)
        guard size >= least, let head = try file.bytes(at: 0, count: SnapshotHeader.size),
            let tail = try file.bytes(at: size - UInt64(SnapshotTrailer.size), count: SnapshotTrailer.size)
        else { throw .snapshot(path, 0, "the snapshot has \(size) bytes, fewer than its header and end") }
        let header = try head.span.withUnsafeBytes { buffer throws(StoreError) in
            try SnapshotHeader.decode(buffer, path: path, superblock: directory.superblock, sequence: sequence)
        }
        let trailer = tail.withUnsafeBytes { buffer in
            SnapshotTrailer(
                chunks: buffer.read(8), rawBytes: buffer.read(16), chain: buffer.read(24), sequence: buffer.read(32),
                ledgerTag: buffer.read(40))
        }
        // Encoding what was read must give the same bytes: checks mark, checksum and reserved bytes in one.
        guard trailer.encoded() == tail, trailer.sequence == sequence, trailer.ledgerTag == directory.identity.tag
        else {
            throw .snapshot(path, size - UInt64(SnapshotTrailer.size), "the snapshot's end is damaged or missing")
        }
        info = header.info
        fileBytes = size
        chunkCount = trailer.chunks
        rawBytes = trailer.rawBytes
        self.trailer = trailer
        startChain = SnapshotTrailer.start(header)
        chain = startChain
    }

    deinit {
        compressed.deallocate()
        raw.deallocate()
    }

    /// The next chunk, or `nil` behind the last when the file as a whole is verified.
    public func next() throws(StoreError) -> SnapshotChunk? {
        guard let (header, frame) = try nextFrame() else { return nil }
        let length = Int(header.rawLength)
        if length > raw.count {
            raw.deallocate()
            raw = .allocate(byteCount: length, alignment: 16)
        }
        let output = UnsafeMutableRawBufferPointer(rebasing: raw[..<length])
        guard decompressor.decompress(frame, into: output) else {
            throw .snapshot(path, position - UInt64(frame.count), "a chunk does not decompress to its length")
        }
        return SnapshotChunk(section: header.section, bytes: UnsafeRawBufferPointer(output))
    }

    /// Verifies every checksum without decompressing, and goes back to the beginning.
    public func verify() throws(StoreError) {
        rewind()
        while try nextFrame() != nil {}
        rewind()
    }

    /// Goes back to the first chunk.
    public func rewind() {
        position = UInt64(SnapshotHeader.size)
        number = 0
        rawSoFar = 0
        chain = startChain
    }

    private func nextFrame() throws(StoreError) -> (SnapshotChunkHeader, UnsafeRawBufferPointer)? {
        let end = fileBytes - UInt64(SnapshotTrailer.size)
        if position == end {
            guard number == trailer.chunks, rawSoFar == trailer.rawBytes, chain == trailer.chain else {
                throw .snapshot(path, end, "the chunks are not those that the snapshot's end sums up")
            }
            return nil
        }
        let headerEnd = position + UInt64(SnapshotChunkHeader.size)
        guard headerEnd <= end, let bytes = try file.bytes(at: position, count: SnapshotChunkHeader.size),
            let header = bytes.withUnsafeBytes({ SnapshotChunkHeader($0) }), header.number == number,
            Int(header.rawLength) <= StoreLimits.snapshotChunk,
            UInt64(header.compressedLength) <= end - headerEnd
        else { throw .snapshot(path, position, "the header of chunk \(number) is damaged") }
        let length = Int(header.compressedLength)
        if length > compressed.count {
            compressed.deallocate()
            compressed = .allocate(byteCount: length, alignment: 16)
        }
        let room = UnsafeMutableRawBufferPointer(rebasing: compressed[..<length])
        let filled = try file.read(into: room, at: headerEnd)
        guard filled == length, Checksum.crc32c(UnsafeRawBufferPointer(room)) == header.compressedChecksum else {
            throw .snapshot(path, headerEnd, "chunk \(number) does not match its checksum")
        }
        position = headerEnd + UInt64(length)
        number += 1
        rawSoFar += UInt64(header.rawLength)
        chain = header.chained(chain)
        return (header, UnsafeRawBufferPointer(room))
    }
}
