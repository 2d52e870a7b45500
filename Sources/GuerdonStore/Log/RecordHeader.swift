/// What stands in front of every batch in the log: 64 bytes with a checksum of their own, so that no length, count or
/// sequence number is believed by chance.
///
/// The layout is in <doc:WALFormat>. A seal holds no commands: it is written when the log falls idle and says that
/// everything before it had been durable, so that damage found there later is not mistaken for a torn write.
struct RecordHeader: Equatable {
    enum Kind: UInt8 {
        case batch = 1
        case seal = 2
    }

    static let size = 64
    static let frame = PartHeader(magic: 0x4352_4447, size: size)  // "GDRC"
    static let version: UInt8 = 1

    var kind: Kind
    var count: UInt32
    var firstSequence: UInt64
    var time: Int64
    /// Chain value before this record.
    var chain: UInt64
    /// Last sequence number known to be durable when this record was written.
    var syncedThrough: UInt64
    var payloadLength: UInt32
    /// CRC32C of payload and padding.
    var payloadChecksum: UInt32
    var ledgerTag: UInt32
    /// Low half of the segment's index: records of a block's earlier life carry another.
    var segmentTag: UInt32

    /// Sequence number behind the last of this batch.
    var nextSequence: UInt64 { firstSequence &+ UInt64(count) }
    /// Bytes from this header to the next.
    var recordLength: Int { RecordHeader.size + RecordHeader.padded(Int(payloadLength)) }

    /// Payloads are padded with zeros to a multiple of 8, so that headers are aligned and a search for one is quick.
    static func padded(_ length: Int) -> Int { (length + 7) & ~7 }

    /// Writes the 64 bytes.
    func encode(to bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= RecordHeader.size)
        bytes.write(RecordHeader.version, at: 8)
        bytes.write(kind.rawValue, at: 9)
        bytes.write(UInt16(0), at: 10)
        bytes.write(count, at: 12)
        bytes.write(firstSequence, at: 16)
        bytes.write(time, at: 24)
        bytes.write(chain, at: 32)
        bytes.write(syncedThrough, at: 40)
        bytes.write(payloadLength, at: 48)
        bytes.write(payloadChecksum, at: 52)
        bytes.write(ledgerTag, at: 56)
        bytes.write(segmentTag, at: 60)
        RecordHeader.frame.seal(bytes)
    }

    /// How 64 bytes turned out.
    enum Decoded {
        case header(RecordHeader)
        /// Not a header, or a damaged one.
        case invalid(String)
        /// A whole header that this release does not understand.
        case newer(UInt8)
    }

    /// Reads a header; checks mark, checksum, version and bounds, not the place in the log.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> Decoded {
        guard bytes.count >= size else { return .invalid("the file ends inside a record header") }
        guard frame.hasMark(bytes) else { return .invalid("no record begins here") }
        guard frame.matchesChecksum(bytes) else {
            return .invalid("a record header does not match its checksum")
        }
        let version: UInt8 = bytes.read(8)
        guard version == RecordHeader.version, let kind = Kind(rawValue: bytes.read(9)) else { return .newer(version) }
        let header = RecordHeader(
            kind: kind, count: bytes.read(12), firstSequence: bytes.read(16), time: bytes.read(24),
            chain: bytes.read(32), syncedThrough: bytes.read(40), payloadLength: bytes.read(48),
            payloadChecksum: bytes.read(52), ledgerTag: bytes.read(56), segmentTag: bytes.read(60))
        let isPlausible =
            header.payloadLength <= UInt32(StoreLimits.batchPayload)
            && (kind == .seal) == (header.count == 0)
            && (kind == .batch || header.payloadLength == 0)
            && !header.firstSequence.addingReportingOverflow(UInt64(header.count)).overflow
        return isPlausible ? .header(header) : .invalid("a record header is outside the bounds of the format")
    }
}

/// The running value that ties every batch to all before it.
///
/// It depends on what was logged and how it was cut into batches, not on segments, seals or machines. It finds
/// accidents (a record lost, repeated, moved, or from elsewhere), not a forger.
enum Chain {
    /// Before the first batch of a ledger.
    static func initial(_ identity: LedgerIdentity) -> UInt64 { mix(mix(identity.low) ^ identity.high) }

    /// Behind `header`; a seal leaves the value as it is.
    static func next(_ chain: UInt64, _ header: RecordHeader) -> UInt64 {
        guard header.kind == .batch else { return chain }
        var value = mix(chain ^ header.firstSequence)
        value = mix(value ^ (UInt64(header.count) << 32 | UInt64(header.payloadLength)))
        value = mix(value ^ UInt64(bitPattern: header.time))
        return mix(value ^ UInt64(header.payloadChecksum))
    }

    /// A bijection in which every input bit moves every output bit: two multiplications between shifts.
    static func mix(_ value: UInt64) -> UInt64 {
        var value = value &+ 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 32)) &* 0xD6E8_FEB8_6659_FD93
        value = (value ^ (value >> 29)) &* 0xCF1B_BCDC_BFA5_6351
        return value ^ (value >> 32)
    }
}
