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
    static let magic: UInt64 = 0x3150_414E_5344_5547  // "GUDSNAP1"
    static let version: UInt16 = 1

    var identity: LedgerIdentity
    var info: SnapshotInfo
    /// Checksum of the hash seed that the keys of external ids were made with; 0 in snapshots that do not say.
    var seedTag: UInt32

    func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: SnapshotHeader.size)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(SnapshotHeader.magic, at: 0)
            buffer.write(SnapshotHeader.version, at: 8)
            buffer.write(identity.low, at: 16)
            buffer.write(identity.high, at: 24)
            buffer.write(info.sequence, at: 32)
            buffer.write(info.chain, at: 40)
            buffer.write(info.time, at: 48)
            buffer.write(seedTag, at: 56)
            // Bytes 10–15 are reserved and zero.
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, 60)), at: 60)
        }
        return bytes
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, superblock: Superblock, sequence: UInt64
    ) throws(StoreError) -> SnapshotHeader {
        guard bytes.count >= size, bytes.read(0, as: UInt64.self) == magic,
            bytes.read(60, as: UInt32.self) == Checksum.crc32c(bytes.slice(0, 60))
        else { throw .snapshot(path, 0, "the snapshot's header is damaged") }
        let version: UInt16 = bytes.read(8)
        guard version == SnapshotHeader.version else {
            throw StoreError(
                .unsupportedVersion, file: path, offset: 8,
                detail: "the snapshot has format \(version), this program reads \(SnapshotHeader.version)",
                advice: "Use the release that wrote it or a newer one")
        }
        let header = SnapshotHeader(
            identity: LedgerIdentity(low: bytes.read(16), high: bytes.read(24)),
            info: SnapshotInfo(sequence: bytes.read(32), chain: bytes.read(40), time: bytes.read(48)),
            seedTag: bytes.read(56))
        guard header.identity == superblock.identity else {
            throw StoreError(
                .foreignFile, file: path, offset: 16,
                detail: "the snapshot belongs to ledger \(header.identity), not \(superblock.identity)",
                advice: "Move it to where it belongs")
        }
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
    static let magic: UInt32 = 0x4353_4447  // "GDSC"

    var section: UInt32
    var rawLength: UInt32
    var compressedLength: UInt32
    var compressedChecksum: UInt32
    /// From 0, so that no chunk can be missing, repeated or out of place.
    var number: UInt64

    func encode(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.write(SnapshotChunkHeader.magic, at: 0)
        bytes.write(section, at: 8)
        bytes.write(rawLength, at: 12)
        bytes.write(compressedLength, at: 16)
        bytes.write(compressedChecksum, at: 20)
        bytes.write(number, at: 24)
        bytes.write(Checksum.crc32c(UnsafeRawBufferPointer(bytes).slice(8, 24)), at: 4)
    }

    init(section: UInt32, rawLength: UInt32, compressedLength: UInt32, compressedChecksum: UInt32, number: UInt64) {
        self.section = section
        self.rawLength = rawLength
        self.compressedLength = compressedLength
        self.compressedChecksum = compressedChecksum
        self.number = number
    }

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= SnapshotChunkHeader.size, bytes.read(0, as: UInt32.self) == SnapshotChunkHeader.magic,
            bytes.read(4, as: UInt32.self) == Checksum.crc32c(bytes.slice(8, 24))
        else { return nil }
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
    static let magic: UInt32 = 0x4553_4447  // "GDSE"

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
            buffer.write(SnapshotTrailer.magic, at: 0)
            buffer.write(chunks, at: 8)
            buffer.write(rawBytes, at: 16)
            buffer.write(chain, at: 24)
            buffer.write(sequence, at: 32)
            buffer.write(ledgerTag, at: 40)
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(8, 40)), at: 4)
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
