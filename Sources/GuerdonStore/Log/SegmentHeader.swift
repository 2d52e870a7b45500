/// The first 64 bytes of a log segment: whose it is, which one, and what it continues.
struct SegmentHeader: Equatable {
    static let size = 64
    static let frame = FileHeader(
        noun: "segment", magic: 0x3130_474F_4C44_5547,  // "GUDLOG01"
        version: 1, size: size,
        foreignAdvice: Advice.restore
    ) { StoreError(.segmentDamaged, file: $0, offset: $1, detail: $2, advice: Advice.restore) }

    /// Whether the blocks held an older segment: what lies behind the last record is then not zeros.
    var isRecycled = false
    var identity: LedgerIdentity
    /// From 1, without gaps.
    var index: UInt64
    var firstSequence: UInt64
    /// Chain value before the first batch.
    var chain: UInt64

    var segmentTag: UInt32 { UInt32(truncatingIfNeeded: index) }

    func encoded() -> [UInt8] {
        // Bytes 12–15 and 56–59 are reserved and zero.
        SegmentHeader.frame.encoded(identity) { buffer in
            buffer.write(UInt16(isRecycled ? 1 : 0), at: 10)
            buffer.write(index, at: 32)
            buffer.write(firstSequence, at: 40)
            buffer.write(chain, at: 48)
        }
    }

    /// Reads a header and checks it against itself and against the ledger and index that the file's place says.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, identity: LedgerIdentity, index: UInt64
    ) throws(StoreError) -> SegmentHeader {
        try frame.check(bytes, path: path, identity: identity)
        let header = SegmentHeader(
            isRecycled: bytes.read(10, as: UInt16.self) & 1 != 0, identity: identity, index: bytes.read(32),
            firstSequence: bytes.read(40), chain: bytes.read(48))
        guard header.index == index else {
            throw frame.damaged(path, 32, "the file holds segment \(header.index), its name says \(index)")
        }
        return header
    }
}

/// Sentences that several errors share.
enum Advice {
    static let restore =
        "Do not delete anything; restore the named file from a backup or a standby, then run verify"
}
