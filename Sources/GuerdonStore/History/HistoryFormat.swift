/// The first 64 bytes of a history file.
struct HistoryFileHeader {
    static let size = 64
    static let frame = FileHeader(
        noun: "history", magic: 0x3154_5349_4844_5547,  // "GUDHIST1"
        version: 1, size: size,
        foreignAdvice: "Move it to where it belongs"
    ) { StoreError(.historyDamaged, file: $0, offset: $1, detail: $2) }

    var identity: LedgerIdentity
    var index: UInt64

    func encoded() -> [UInt8] {
        // Bytes 10–15 and 40–59 are reserved and zero.
        HistoryFileHeader.frame.encoded(identity) { $0.write(index, at: 32) }
    }
}

/// What stands before each block of postings.
struct HistoryBlockHeader: Equatable {
    static let size = 64
    static let frame = PartHeader(magic: 0x4248_4447, size: size)  // "GDHB"

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
        HistoryBlockHeader.frame.seal(bytes)
    }

    static func decode(_ bytes: UnsafeRawBufferPointer) -> HistoryBlockHeader? {
        guard frame.isWhole(bytes) else { return nil }
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
