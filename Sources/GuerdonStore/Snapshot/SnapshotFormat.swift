/// What a snapshot covers.
public struct SnapshotInfo: Equatable, Sendable {
    /// Last sequence number whose effect the snapshot holds.
    public var sequence: UInt64
    /// Chain value of the log behind it.
    public var chain: UInt64
    /// Time of the batch that ended there, nanoseconds since 1970.
    public var time: Int64
}

/// The first 64 bytes of a snapshot.
struct SnapshotHeader {
    static let size = 64
    static let frame = FileHeader(
        noun: "snapshot", magic: 0x3150_414E_5344_5547,  // "GUDSNAP1"
        version: 1, size: size,
        foreignAdvice: "Move it to where it belongs", damaged: StoreError.snapshot)

    var identity: LedgerIdentity
    var info: SnapshotInfo
    /// Checksum of the hash seed that the keys of external ids were made with; 0 in snapshots that do not say.
    var seedTag: UInt32

    func encoded() -> [UInt8] {
        // Bytes 10–15 are reserved and zero.
        SnapshotHeader.frame.encoded(identity) { buffer in
            buffer.write(info.sequence, at: 32)
            buffer.write(info.chain, at: 40)
            buffer.write(info.time, at: 48)
            buffer.write(seedTag, at: 56)
        }
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, superblock: Superblock, sequence: UInt64
    ) throws(StoreError) -> SnapshotHeader {
        try frame.check(bytes, path: path, identity: superblock.identity)
        let header = SnapshotHeader(
            identity: superblock.identity,
            info: SnapshotInfo(sequence: bytes.read(32), chain: bytes.read(40), time: bytes.read(48)),
            seedTag: bytes.read(56))
        // With another seed no external id in it would ever be found again.
        guard header.seedTag == 0 || header.seedTag == superblock.seedTag else {
            throw StoreError(
                .foreignFile, file: path, offset: 56,
                detail: "the snapshot was made with another hash seed than the superblock's",
                advice: "Restore snapshot and superblock from the same backup")
        }
        guard header.info.sequence == sequence else {
            throw .snapshot(path, 32, "the snapshot covers \(header.info.sequence), its name says \(sequence)")
        }
        return header
    }
}

/// What stands before the compressed bytes of each chunk.
struct SnapshotChunkHeader {
    static let size = 32
    static let frame = PartHeader(magic: 0x4353_4447, size: size)  // "GDSC"

    var section: UInt32
    var rawLength: UInt32
    var compressedLength: UInt32
    var compressedChecksum: UInt32
    /// From 0, so that no chunk can be missing, repeated or out of place.
    var number: UInt64

    func encode(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.write(section, at: 8)
        bytes.write(rawLength, at: 12)
        bytes.write(compressedLength, at: 16)
        bytes.write(compressedChecksum, at: 20)
        bytes.write(number, at: 24)
        SnapshotChunkHeader.frame.seal(bytes)
    }

    init(section: UInt32, rawLength: UInt32, compressedLength: UInt32, compressedChecksum: UInt32, number: UInt64) {
        self.section = section
        self.rawLength = rawLength
        self.compressedLength = compressedLength
        self.compressedChecksum = compressedChecksum
        self.number = number
    }

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard SnapshotChunkHeader.frame.isWhole(bytes) else { return nil }
        self.init(
            section: bytes.read(8), rawLength: bytes.read(12), compressedLength: bytes.read(16),
            compressedChecksum: bytes.read(20), number: bytes.read(24))
    }

    /// The file's running checksum behind this chunk.
    func chained(_ chain: UInt64) -> UInt64 {
        let lengths = UInt64(section) << 32 | UInt64(rawLength)
        return Chain.mix(Chain.mix(chain ^ lengths) ^ (UInt64(compressedLength) << 32 | UInt64(compressedChecksum)))
    }
}

/// The last 48 bytes of a snapshot: without them it is not finished.
struct SnapshotTrailer: Equatable {
    static let size = 48
    static let frame = PartHeader(magic: 0x4553_4447, size: size)  // "GDSE"

    var chunks: UInt64
    var rawBytes: UInt64
    /// Running checksum over all chunks, which began with ``SnapshotTrailer/start(_:)``.
    var chain: UInt64
    var sequence: UInt64
    var ledgerTag: UInt32

    static func start(_ header: SnapshotHeader) -> UInt64 {
        Chain.mix(Chain.mix(header.info.sequence) ^ header.info.chain) ^ UInt64(header.identity.tag)
    }

    func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SnapshotTrailer.size)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(chunks, at: 8)
            buffer.write(rawBytes, at: 16)
            buffer.write(chain, at: 24)
            buffer.write(sequence, at: 32)
            buffer.write(ledgerTag, at: 40)
            SnapshotTrailer.frame.seal(buffer)
        }
        return bytes
    }
}

extension StoreError {
    static func snapshot(_ path: String, _ offset: UInt64, _ detail: String) -> StoreError {
        StoreError(
            .snapshotDamaged, file: path, offset: offset, detail: detail,
            advice: "The snapshot before it and the log still hold everything; check the disk")
    }
}
