/// What a data directory is: format version, identity and hash seed, in 80 bytes that never change in place.
struct Superblock: Equatable {
    static let size = 80
    static let magic: UInt64 = 0x3130_4544_5245_5547  // "GUERDE01"
    static let version: UInt32 = 1

    var identity: LedgerIdentity
    /// Four words of seed for hash tables on untrusted keys.
    var seed: [UInt64]

    /// What snapshots carry of the seed: its checksum, never 0.
    var seedTag: UInt32 {
        withUnsafeTemporaryAllocation(byteCount: 32, alignment: 8) { bytes in
            for (index, word) in seed.enumerated() { bytes.write(word, at: 8 * index) }
            return max(1, Checksum.crc32c(UnsafeRawBufferPointer(bytes)))
        }
    }

    func encoded() -> [UInt8] {
        precondition(seed.count == 4)
        var bytes = [UInt8](repeating: 0, count: Superblock.size)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(Superblock.magic, at: 0)
            buffer.write(Superblock.version, at: 8)
            buffer.write(identity.low, at: 16)
            buffer.write(identity.high, at: 24)
            for (index, word) in seed.enumerated() { buffer.write(word, at: 32 + 8 * index) }
            // Bytes 12–15 and 64–75 are reserved and zero; the checksum covers everything before it.
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, 76)), at: 76)
        }
        return bytes
    }

    init(identity: LedgerIdentity, seed: [UInt64]) {
        self.identity = identity
        self.seed = seed
    }

    init(_ bytes: [UInt8], path: String) throws(StoreError) {
        func damaged(_ detail: String) -> StoreError {
            StoreError(
                .superblockDamaged, file: path, offset: 0, detail: detail,
                advice: "Restore the file from a backup of this directory; no other file can replace it")
        }
        guard bytes.count == Superblock.size else { throw damaged("the superblock has \(bytes.count) bytes, not 80") }
        var fields: (magic: UInt64, version: UInt32, sum: UInt32, words: [UInt64]) = (0, 0, 0, [])
        var computed: UInt32 = 0
        bytes.withUnsafeBytes { buffer in
            fields = (
                buffer.read(0), buffer.read(8), buffer.read(76),
                stride(from: 16, through: 56, by: 8).map { buffer.read($0, as: UInt64.self) }
            )
            computed = Checksum.crc32c(buffer.slice(0, 76))
        }
        guard fields.magic == Superblock.magic else { throw damaged("the superblock does not begin with its mark") }
        guard fields.sum == computed else { throw damaged("the superblock does not match its checksum") }
        guard fields.version == Superblock.version else {
            throw StoreError(
                .unsupportedVersion, file: path, offset: 8,
                detail: "the data directory has format \(fields.version), this program reads \(Superblock.version)",
                advice: "Use the release that wrote it or a newer one")
        }
        identity = LedgerIdentity(low: fields.words[0], high: fields.words[1])
        seed = Array(fields.words[2..<6])
    }
}
