import Glibc
public import GuerdonCore

/// A file of sealed ids that is open for look-ups; its filter is in memory.
///
/// Immutable, so any thread may ask. The memory goes with the last reference.
public final class SealedIdFile: Sendable {
    /// What stays in memory.
    public let run: SealedIdRun
    /// What snapshots call it.
    public let name: SealedRunName
    /// Number of the workspace.
    public var workspace: Int { Int(header.workspace) }
    /// Sum of the ids' digest terms.
    public var digest: UInt64 { header.digest }
    /// Bytes of the file.
    public var byteCount: UInt64 { header.length }

    /// Path of the file.
    public var path: String { file.path }

    let header: SealedIdHeader
    let file: File
    private let seed: UInt32

    init(run: SealedIdRun, header: SealedIdHeader, checksum: UInt32, file: File) {
        self.run = run
        self.header = header
        self.file = file
        seed = SealedIdBlock.seed(header.identity, file: header.number)
        name = SealedRunName(
            number: header.number, count: header.count, lastSequence: header.lastSequence, checksum: checksum)
    }

    deinit { run.deallocate() }

    /// Opens the file that a snapshot named; header and filter are verified, blocks when they are read.
    ///
    /// - Throws: `ids_missing`, `ids_damaged`, `foreign_file` or `unsupported_version`.
    public convenience init(_ named: NamedRun, in directory: DataDirectory) throws(StoreError) {
        let path = SealedIds.path(named.run.number, in: directory)
        let file: File
        do throws(StoreError) { file = try directory.system.open(path, .read) } catch {
            guard error.errorNumber == ENOENT else { throw error }
            throw StoreError(
                .idsMissing, file: path, detail: "a snapshot counts on this file of sealed ids",
                advice: "Restore it from a backup, or let it be made anew from an older snapshot or the log")
        }
        guard let page = try file.bytes(at: 0, count: SealedIdHeader.size) else {
            throw .ids(path, 0, "the file is shorter than its header")
        }
        let (header, checksum) = try page.span.withUnsafeBytes { buffer throws(StoreError) in
            (
                try SealedIdHeader.decode(
                    buffer, path: path, superblock: directory.superblock, number: named.run.number),
                SealedIdHeader.checksum(buffer)
            )
        }
        let size = try file.size
        // The header is whole, so its lengths can be believed; the file's own length bounds what is read.
        guard header.count <= 1 << 40, header.filterLength <= size, size == header.length else {
            throw .ids(path, min(size, header.length), "the file has \(size) bytes, its header says \(header.length)")
        }
        guard let bytes = try file.bytes(at: header.filterStart, count: Int(header.filterLength)) else {
            throw .ids(path, header.filterStart, "the filter ends early")
        }
        let run = bytes.withUnsafeBytes { buffer in
            Checksum.crc32c(buffer) == header.filterChecksum ? SealedIdRun(decoding: buffer) : nil
        }
        guard let run else { throw .ids(path, header.filterStart, "the filter does not match its checksum") }
        self.init(run: run, header: header, checksum: checksum, file: file)
        guard UInt64(run.count) == header.count, UInt64(run.blockCount) == header.blocks else {
            throw .ids(path, header.filterStart, "the filter is not that of the ids")
        }
        // A file that was made anew under an old number holds something else than the snapshot counts on.
        guard name == named.run, workspace == named.workspace else {
            throw .ids(path, 0, "the file is not the one that the snapshot counts on")
        }
    }

    /// What the file remembers of a key, by reading one block, or two at a boundary.
    public func find(_ key: ExternalIdKey) throws(StoreError) -> RememberedId? {
        for number in run.blocks(of: key) {
            if let found = try find(key, inBlock: number) { return found }
        }
        return nil
    }

    func find(_ key: ExternalIdKey, inBlock number: Int) throws(StoreError) -> RememberedId? {
        try withBlock(number) { SealedIdRun.find(key, inBlock: $0) }
    }

    /// Hands out a block that was read and verified.
    private func withBlock<Result>(
        _ number: Int, _ body: (UnsafeRawBufferPointer) -> Result
    ) throws(StoreError) -> Result {
        var outcome: Swift.Result<Result, StoreError>?
        withUnsafeTemporaryAllocation(byteCount: SealedIdRun.blockBytes, alignment: 16) { buffer in
            do throws(StoreError) {
                try read(number, into: buffer)
                outcome = .success(body(UnsafeRawBufferPointer(buffer)))
            } catch { outcome = .failure(error) }
        }
        guard let outcome else { preconditionFailure("the block was not handed out") }
        return try outcome.get()
    }

    /// Fills `buffer` with whole blocks from number `first` on, and verifies them.
    func read(_ first: Int, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) {
        let start = offset(of: first)
        guard try file.read(into: buffer, at: start) == buffer.count else {
            throw .ids(file.path, start, "the file ends inside its blocks")
        }
        for place in stride(from: 0, to: buffer.count, by: SealedIdRun.blockBytes) {
            let number = first + place / SealedIdRun.blockBytes
            let block = UnsafeRawBufferPointer(buffer).slice(place, SealedIdRun.blockBytes)
            guard SealedIdBlock.isWhole(block, number: UInt32(number), seed: seed) else {
                throw .ids(file.path, offset(of: number), "block \(number) does not match its checksum")
            }
        }
    }

    /// Asks the kernel to fetch a block, so that several are fetched at once. Only a hint.
    func willNeed(_ block: Int) {
        _ = posix_fadvise(
            file.descriptor, off_t(offset(of: block)), off_t(SealedIdRun.blockBytes), POSIX_FADV_WILLNEED)
    }

    func offset(of block: Int) -> UInt64 { UInt64(SealedIdHeader.size + block * SealedIdRun.blockBytes) }

    /// Reads everything and checks it against the header: every block, their order, number and sums.
    ///
    /// - Parameter body: told every id, in the order of the keys.
    /// - Throws: `ids_damaged` with the offset.
    public func verify(_ body: (ExternalIdKey, RememberedId) -> Void = { _, _ in }) throws(StoreError) {
        var sums = SealedIdSums()
        var last: ExternalIdKey?
        for number in 0..<run.blockCount {
            let isInOrder = try withBlock(number) { block in
                var isInOrder = true
                SealedIdRun.forEachRecord(inBlock: block) { key, id in
                    if let last, last >= key { isInOrder = false }
                    last = key
                    if !run.mayContain(key) || !run.blocks(of: key).contains(number) { isInOrder = false }
                    body(key, id)
                }
                sums.add(block)
                return isInOrder
            }
            guard isInOrder else { throw .ids(file.path, offset(of: number), "block \(number) is not in order") }
        }
        guard sums.matches(header) else {
            throw .ids(file.path, 0, "the ids are not those that the header sums up")
        }
    }
}

/// What a header sums up of the blocks.
struct SealedIdSums {
    private(set) var count: UInt64 = 0
    private(set) var digest: UInt64 = 0
    private(set) var firstSequence = UInt64.max
    private(set) var lastSequence: UInt64 = 0
    private(set) var blocksChecksum: UInt32 = 0

    /// Adds a block that has its checksum.
    mutating func add(_ block: UnsafeRawBufferPointer) {
        var (count, digest, first, last) = (count, digest, firstSequence, lastSequence)
        SealedIdRun.forEachRecord(inBlock: block) { _, id in
            count += 1
            digest &+= id.digestTerm
            first = min(first, id.sequence)
            last = max(last, id.sequence)
        }
        (self.count, self.digest, firstSequence, lastSequence) = (count, digest, first, last)
        blocksChecksum = Checksum.crc32c(block.slice(SealedIdBlock.payload + 4, 4), seed: blocksChecksum)
    }

    func matches(_ header: SealedIdHeader) -> Bool {
        count == header.count && digest == header.digest && firstSequence == header.firstSequence
            && lastSequence == header.lastSequence && blocksChecksum == header.blocksChecksum
    }
}
