/// The first 64 bytes of a history file.
struct HistoryFileHeader {
    static let size = 64
    static let magic: UInt64 = 0x3154_5349_4844_5547  // "GUDHIST1"
    static let version: UInt16 = 1

    var identity: LedgerIdentity
    var index: UInt64

    func encoded() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: HistoryFileHeader.size)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(HistoryFileHeader.magic, at: 0)
            buffer.write(HistoryFileHeader.version, at: 8)
            buffer.write(identity.low, at: 16)
            buffer.write(identity.high, at: 24)
            buffer.write(index, at: 32)
            // Bytes 10–15 and 40–59 are reserved and zero.
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, 60)), at: 60)
        }
        return bytes
    }
}

/// What stands before each block of postings.
struct HistoryBlockHeader: Equatable {
    static let size = 64
    static let magic: UInt32 = 0x4248_4447  // "GDHB"

    /// Sequence numbers of the first and last posting; both 0 in a block without postings.
    var first: UInt64
    var last: UInt64
    /// With this block the history is complete through here.
    var coveredThrough: UInt64
    /// The same of the block before: no block can be missing unnoticed.
    var coveredBefore: UInt64
    var count: UInt32
    /// Bytes of encoded postings, which are followed by zeros to a multiple of 8.
    var length: UInt32
    var checksum: UInt32
    var ledgerTag: UInt32
    var fileTag: UInt32

    var blockLength: UInt64 { UInt64(HistoryBlockHeader.size + RecordHeader.padded(Int(length))) }

    func encode(to bytes: UnsafeMutableRawBufferPointer) {
        bytes.write(HistoryBlockHeader.magic, at: 0)
        bytes.write(first, at: 8)
        bytes.write(last, at: 16)
        bytes.write(coveredThrough, at: 24)
        bytes.write(coveredBefore, at: 32)
        bytes.write(count, at: 40)
        bytes.write(length, at: 44)
        bytes.write(checksum, at: 48)
        bytes.write(ledgerTag, at: 52)
        bytes.write(fileTag, at: 56)
        bytes.write(UInt32(0), at: 60)
        bytes.write(Checksum.crc32c(UnsafeRawBufferPointer(bytes).slice(8, 56)), at: 4)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer) -> HistoryBlockHeader? {
        guard bytes.count >= size, bytes.read(0, as: UInt32.self) == magic,
            bytes.read(4, as: UInt32.self) == Checksum.crc32c(bytes.slice(8, 56))
        else { return nil }
        let header = HistoryBlockHeader(
            first: bytes.read(8), last: bytes.read(16), coveredThrough: bytes.read(24), coveredBefore: bytes.read(32),
            count: bytes.read(40), length: bytes.read(44), checksum: bytes.read(48), ledgerTag: bytes.read(52),
            fileTag: bytes.read(56))
        let isPlausible =
            header.first <= header.last && header.last <= header.coveredThrough
            && header.coveredBefore <= header.coveredThrough && Int(header.length) <= StoreLimits.historyBlockLargest
            && (header.count == 0) == (header.length == 0)
        return isPlausible ? header : nil
    }
}
