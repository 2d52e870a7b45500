import GuerdonCore

/// The first page of a file of sealed ids: whose it is, and what it holds. Written last, so that it can sum the rest up.
struct SealedIdHeader: Equatable {
    static let size = 4096
    static let frame = FileHeader(
        noun: "file of sealed ids", magic: 0x3153_4449_5344_5547,  // "GUDSIDS1"
        version: 1, size: size,
        foreignAdvice: "Move the file to where it belongs", damaged: StoreError.ids)

    var identity: LedgerIdentity
    /// Checksum of the hash seed that the keys were made with.
    var seedTag: UInt32
    /// Number of the workspace.
    var workspace: UInt32
    /// Number of the file.
    var number: UInt64
    /// Earliest and latest log position among the ids.
    var firstSequence: UInt64
    var lastSequence: UInt64
    var count: UInt64
    /// Sum of the ids' digest terms.
    var digest: UInt64
    /// Bytes of fences and filter, behind the blocks.
    var filterLength: UInt64
    var filterChecksum: UInt32
    /// Checksum over the checksums of all blocks.
    var blocksChecksum: UInt32

    /// Blocks of ids.
    var blocks: UInt64 {
        let most = UInt64(SealedIdRun.recordsPerBlock)
        return count / most + (count % most == 0 ? 0 : 1)
    }
    var filterStart: UInt64 { UInt64(Self.size) + blocks * UInt64(SealedIdRun.blockBytes) }
    /// Bytes of the file.
    var length: UInt64 { filterStart + filterLength }

    func encoded() -> [UInt8] {
        // Bytes 10–15 and 96–4091 are reserved and zero.
        Self.frame.encoded(identity) { buffer in
            buffer.write(seedTag, at: 32)
            buffer.write(workspace, at: 36)
            buffer.write(number, at: 40)
            buffer.write(firstSequence, at: 48)
            buffer.write(lastSequence, at: 56)
            buffer.write(count, at: 64)
            buffer.write(digest, at: 72)
            buffer.write(filterLength, at: 80)
            buffer.write(filterChecksum, at: 88)
            buffer.write(blocksChecksum, at: 92)
        }
    }

    /// The page's own checksum, which stands for all that the file holds.
    static func checksum(_ page: UnsafeRawBufferPointer) -> UInt32 { frame.checksum(page) }

    static func decode(
        _ page: UnsafeRawBufferPointer, path: String, superblock: Superblock, number: UInt64
    ) throws(StoreError) -> SealedIdHeader {
        try frame.check(page, path: path, identity: superblock.identity)
        let header = SealedIdHeader(
            identity: superblock.identity, seedTag: page.read(32),
            workspace: page.read(36), number: page.read(40), firstSequence: page.read(48),
            lastSequence: page.read(56), count: page.read(64), digest: page.read(72), filterLength: page.read(80),
            filterChecksum: page.read(88), blocksChecksum: page.read(92))
        guard header.seedTag == superblock.seedTag else {
            throw StoreError(
                .foreignFile, file: path, offset: 32,
                detail: "the sealed ids were made with another hash seed than the superblock's",
                advice: "Restore the file and the superblock from the same backup")
        }
        guard header.number == number else {
            throw .ids(path, 40, "the file holds run \(header.number), its name says \(number)")
        }
        return header
    }
}

/// The last 8 bytes of a block of ids: its number and its checksum.
enum SealedIdBlock {
    static let payload = SealedIdRun.recordsPerBlock * SealedIdRun.recordBytes

    /// Where every block's checksum begins, so that a block of another file does not pass for one of this.
    static func seed(_ identity: LedgerIdentity, file number: UInt64) -> UInt32 {
        identity.tag ^ UInt32(truncatingIfNeeded: number) &* 0x9e37_79b1
    }

    /// Fills in number and checksum.
    ///
    /// - Returns: the checksum.
    static func finish(_ block: UnsafeMutableRawBufferPointer, number: UInt32, seed: UInt32) -> UInt32 {
        block.write(number, at: payload)
        let checksum = Checksum.crc32c(UnsafeRawBufferPointer(block).slice(0, payload + 4), seed: seed)
        block.write(checksum, at: payload + 4)
        return checksum
    }

    /// Whether the block is the one that it should be, as it was written.
    static func isWhole(_ block: UnsafeRawBufferPointer, number: UInt32, seed: UInt32) -> Bool {
        block.read(payload, as: UInt32.self) == number
            && block.read(payload + 4, as: UInt32.self)
                == Checksum.crc32c(block.slice(0, payload + 4), seed: seed)
    }
}

extension StoreError {
    static func ids(_ path: String, _ offset: UInt64, _ detail: String) -> StoreError {
        StoreError(
            .idsDamaged, file: path, offset: offset, detail: detail,
            advice:
                "The log still holds everything: move the file away and start again, and it is made anew; check the disk"
        )
    }
}
