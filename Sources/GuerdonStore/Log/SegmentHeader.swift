/// The first 64 bytes of a log segment: whose it is, which one, and what it continues.
struct SegmentHeader: Equatable {
    static let size = 64
    static let magic: UInt64 = 0x3130_474F_4C44_5547  // "GUDLOG01"
    static let version: UInt16 = 1

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
        var bytes = [UInt8](repeating: 0, count: SegmentHeader.size)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(SegmentHeader.magic, at: 0)
            buffer.write(SegmentHeader.version, at: 8)
            buffer.write(UInt16(isRecycled ? 1 : 0), at: 10)
            buffer.write(identity.low, at: 16)
            buffer.write(identity.high, at: 24)
            buffer.write(index, at: 32)
            buffer.write(firstSequence, at: 40)
            buffer.write(chain, at: 48)
            // Bytes 12–15 and 56–59 are reserved and zero.
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, 60)), at: 60)
        }
        return bytes
    }

    /// Reads a header and checks it against itself and against the ledger and index that the file's place says.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, identity: LedgerIdentity, index: UInt64
    ) throws(StoreError) -> SegmentHeader {
        func damaged(_ detail: String, _ code: StoreError.Code = .segmentDamaged) -> StoreError {
            StoreError(code, file: path, offset: 0, detail: detail, advice: Advice.restore)
        }
        guard bytes.count >= size else { throw damaged("the segment ends inside its header") }
        guard bytes.read(0, as: UInt64.self) == magic else { throw damaged("the file does not begin as a segment") }
        guard bytes.read(60, as: UInt32.self) == Checksum.crc32c(bytes.slice(0, 60)) else {
            throw damaged("the segment header does not match its checksum")
        }
        let version: UInt16 = bytes.read(8)
        guard version == SegmentHeader.version else {
            throw StoreError(
                .unsupportedVersion, file: path, offset: 8,
                detail: "the segment has format \(version), this program reads \(SegmentHeader.version)",
                advice: "Use the release that wrote it or a newer one")
        }
        let header = SegmentHeader(
            isRecycled: bytes.read(10, as: UInt16.self) & 1 != 0,
            identity: LedgerIdentity(low: bytes.read(16), high: bytes.read(24)), index: bytes.read(32),
            firstSequence: bytes.read(40), chain: bytes.read(48))
        guard header.identity == identity else {
            throw damaged("the segment belongs to ledger \(header.identity), not \(identity)", .foreignFile)
        }
        guard header.index == index else {
            throw damaged("the file holds segment \(header.index), its name says \(index)")
        }
        return header
    }
}

/// Sentences that several errors share.
enum Advice {
    static let restore =
        "Do not delete anything; restore the named file from a backup or a standby, then run verify"
}
