/// The first frame of an archive: which segment it holds and what it continues.
///
/// An archive is a sequence of zstd frames. The first and the last are skippable ones that hold our header and index,
/// so that the plain `zstd` tool gives back the segment as it was.
struct ArchiveHeader: Equatable {
    static let size = 88
    /// In front of it is the head of the skippable frame.
    static let frame = FileHeader(
        noun: "archive", magic: 0x3148_4352_4144_5547,  // "GUDARCH1"
        version: 1, size: size, start: 8,
        foreignAdvice: Advice.restore, damaged: StoreError.archive)
    /// zstd's mark of a skippable frame.
    static let skippable: UInt32 = 0x184D_2A5E

    var segment: SegmentHeader
    /// Sequence number and chain value behind the segment's last batch.
    var nextSequence: UInt64
    var chainOut: UInt64
    /// Bytes of the plain segment.
    var rawLength: UInt64

    func encoded() -> [UInt8] {
        // Bytes 18–23 are reserved and zero.
        ArchiveHeader.frame.encoded(segment.identity) { buffer in
            buffer.write(ArchiveHeader.skippable, at: 0)
            buffer.write(UInt32(ArchiveHeader.size - 8), at: 4)
            buffer.write(segment.index, at: 40)
            buffer.write(segment.firstSequence, at: 48)
            buffer.write(segment.chain, at: 56)
            buffer.write(nextSequence, at: 64)
            buffer.write(chainOut, at: 72)
            // A segment is smaller than 4 GiB.
            buffer.write(UInt32(rawLength), at: 80)
        }
    }

    static func decode(
        _ bytes: UnsafeRawBufferPointer, path: String, identity: LedgerIdentity, index: UInt64
    ) throws(StoreError) -> ArchiveHeader {
        guard bytes.count >= 4, bytes.read(0, as: UInt32.self) == skippable else {
            throw .archive(path, 0, "the archive does not begin with zstd's mark of a frame to skip")
        }
        try frame.check(bytes, path: path, identity: identity)
        let segment = SegmentHeader(
            identity: identity, index: bytes.read(40), firstSequence: bytes.read(48), chain: bytes.read(56))
        guard segment.index == index else {
            throw .archive(path, 40, "the file holds segment \(segment.index), its name says \(index)")
        }
        return ArchiveHeader(
            segment: segment, nextSequence: bytes.read(64), chainOut: bytes.read(72),
            rawLength: UInt64(bytes.read(80, as: UInt32.self)))
    }
}

/// Where one compressed frame of whole records lies and how the log stands at its beginning.
struct ArchiveFrame: Equatable {
    static let size = 48

    /// Offset of the frame in the archive.
    var offset: UInt64
    /// Offset of its contents in the plain segment.
    var rawOffset: UInt64
    /// Sequence number and chain value before the frame's first record.
    var sequence: UInt64
    var chain: UInt64
    var length: UInt32
    var rawLength: UInt32
    /// CRC32C of the compressed bytes.
    var checksum: UInt32

    /// Offset behind the frame in the archive.
    var end: UInt64 { offset + UInt64(length) }
}

/// The last frame of an archive: where all the others are.
enum ArchiveIndex {
    /// Behind the entries: their number and the checksum over the whole frame before it.
    static let footerSize = 16
    static let magic: UInt32 = 0x4941_4447  // "GDAI"

    static func encoded(_ frames: [ArchiveFrame]) -> [UInt8] {
        let length = 8 + frames.count * ArchiveFrame.size + footerSize
        var bytes = [UInt8](repeating: 0, count: length)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(ArchiveHeader.skippable, at: 0)
            buffer.write(UInt32(length - 8), at: 4)
            var place = 8
            for frame in frames {
                buffer.write(frame.offset, at: place)
                buffer.write(frame.rawOffset, at: place + 8)
                buffer.write(frame.sequence, at: place + 16)
                buffer.write(frame.chain, at: place + 24)
                buffer.write(frame.length, at: place + 32)
                buffer.write(frame.rawLength, at: place + 36)
                buffer.write(frame.checksum, at: place + 40)
                place += ArchiveFrame.size
            }
            buffer.write(magic, at: place)
            buffer.write(UInt32(frames.count), at: place + 4)
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, place + 8)), at: place + 12)
        }
        return bytes
    }

    /// The frames, if `bytes` are an index of a segment of `rawLength` bytes whose frames end at `end`.
    static func decode(_ bytes: UnsafeRawBufferPointer, header: ArchiveHeader, end: UInt64) -> [ArchiveFrame]? {
        let entries = bytes.count - 8 - footerSize
        guard entries > 0, entries.isMultiple(of: ArchiveFrame.size) else { return nil }
        var frames: [ArchiveFrame] = []
        var offset = UInt64(ArchiveHeader.size)
        var rawOffset: UInt64 = 0
        for place in stride(from: 8, to: 8 + entries, by: ArchiveFrame.size) {
            let frame = ArchiveFrame(
                offset: bytes.read(place), rawOffset: bytes.read(place + 8), sequence: bytes.read(place + 16),
                chain: bytes.read(place + 24), length: bytes.read(place + 32), rawLength: bytes.read(place + 36),
                checksum: bytes.read(place + 40))
            guard frame.offset == offset, frame.rawOffset == rawOffset,
                Int(frame.rawLength) <= StoreLimits.archiveFrameLargest, frame.rawLength > 0
            else { return nil }
            offset += UInt64(frame.length)
            rawOffset += UInt64(frame.rawLength)
            frames.append(frame)
        }
        guard offset == end, rawOffset == header.rawLength else { return nil }
        // Encoding what was read must give the same bytes: checks marks, checksum and reserved bytes in one.
        return encoded(frames).elementsEqual(bytes) ? frames : nil
    }
}

extension StoreError {
    static func archive(_ path: String, _ offset: UInt64, _ detail: String) -> StoreError {
        StoreError(.archiveDamaged, file: path, offset: offset, detail: detail, advice: Advice.restore)
    }
}
