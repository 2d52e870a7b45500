/// The first bytes of a file, in the shape that all formats share: a mark of 8 bytes, the version of the format (2 bytes) and
/// behind six bytes of its own the ledger's identity in front, at the end a checksum over everything before it.
///
/// What lies between is each format's own business.
struct FileHeader: Sendable {
    /// What errors call the file, such as "snapshot".
    let noun: String
    let magic: UInt64
    let version: UInt16
    /// Bytes of the header, with its checksum.
    let size: Int
    /// Where the mark stands, if there is something in front of it.
    var start = 0
    /// What to do with a file of another ledger.
    let foreignAdvice: String
    /// Makes an error of path, offset and finding.
    let damaged: @Sendable (String, UInt64, String) -> StoreError

    /// The header of a file of `identity`, with everything between as `fill` sets it; what is not set is zero.
    func encoded(_ identity: LedgerIdentity, _ fill: (UnsafeMutableRawBufferPointer) -> Void) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: size)
        bytes.withUnsafeMutableBytes { buffer in
            buffer.write(magic, at: start)
            buffer.write(version, at: start + 8)
            buffer.write(identity.low, at: start + 16)
            buffer.write(identity.high, at: start + 24)
            fill(buffer)
            buffer.write(Checksum.crc32c(UnsafeRawBufferPointer(buffer).slice(0, size - 4)), at: size - 4)
        }
        return bytes
    }

    /// Checks mark, checksum, version and whose the file is, in this order.
    ///
    /// - Parameter bytes: the beginning of the file.
    func check(_ bytes: UnsafeRawBufferPointer, path: String, identity: LedgerIdentity) throws(StoreError) {
        guard bytes.count >= size else { throw damaged(path, 0, "the \(noun) ends inside its header") }
        guard bytes.read(start, as: UInt64.self) == magic else {
            throw damaged(path, UInt64(start), "the \(noun) does not begin with its mark")
        }
        guard checksum(bytes) == Checksum.crc32c(bytes.slice(0, size - 4)) else {
            throw damaged(path, 0, "the header of the \(noun) does not match its checksum")
        }
        let found: UInt16 = bytes.read(start + 8)
        guard found == version else {
            throw StoreError(
                .unsupportedVersion, file: path, offset: UInt64(start + 8),
                detail: "the \(noun) has format \(found), this program reads \(version)",
                advice: "Use the release that wrote it or a newer one")
        }
        let owner = LedgerIdentity(low: bytes.read(start + 16), high: bytes.read(start + 24))
        guard owner == identity else {
            throw StoreError(
                .foreignFile, file: path, offset: UInt64(start + 16),
                detail: "the \(noun) belongs to ledger \(owner), not \(identity)", advice: foreignAdvice)
        }
    }

    /// The header's own checksum.
    func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 { bytes.read(size - 4) }
}

/// What stands in front of a part of a file, in the shape that all formats share: a mark of 4 bytes and the checksum of what
/// follows up to `size`.
struct PartHeader: Sendable {
    let magic: UInt32
    let size: Int

    /// Sets mark and checksum, when everything else is set.
    @inline(__always)
    func seal(_ bytes: UnsafeMutableRawBufferPointer) {
        bytes.write(magic, at: 0)
        bytes.write(Checksum.crc32c(UnsafeRawBufferPointer(bytes).slice(8, size - 8)), at: 4)
    }

    @inline(__always)
    func hasMark(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.count >= size && bytes.read(0, as: UInt32.self) == magic
    }

    @inline(__always)
    func matchesChecksum(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.read(4, as: UInt32.self) == Checksum.crc32c(bytes.slice(8, size - 8))
    }

    /// Whether this is such a header, as it was written.
    @inline(__always)
    func isWhole(_ bytes: UnsafeRawBufferPointer) -> Bool { hasMark(bytes) && matchesChecksum(bytes) }
}
