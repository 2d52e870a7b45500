import Glibc
import GuerdonCore

/// Writes one file of sealed ids aside, and gives it its name when it is durable.
///
/// For one background thread. What fails is thrown by ``finish(_:)``; the file is gone then.
final class SealedIdWriter {
    private let directory: DataDirectory
    private let number: UInt64
    private let workspace: Int
    private let file: File
    private let aside: String
    private let seed: UInt32
    private let isCancelled: () -> Bool
    private var buffer: UnsafeMutableRawBufferPointer
    private var filled = 0
    private var position = UInt64(SealedIdHeader.size)
    private var unsynced = 0
    private var blocks: UInt32 = 0
    private var sums = SealedIdSums()
    private var failure: StoreError?
    private var isFinished = false

    private static let bufferBytes = 1 << 20
    /// A sync of much at once would hold up the log's.
    private static let bytesPerSync = 8 << 20

    /// Begins a file.
    ///
    /// - Parameter isCancelled: asked now and then; after `true` nothing more is written, and the file is not finished.
    init(
        _ number: UInt64, workspace: Int, in directory: DataDirectory, isCancelled: @escaping () -> Bool
    ) throws(StoreError) {
        precondition(directory.access == .readWrite)
        self.directory = directory
        self.number = number
        self.workspace = workspace
        self.isCancelled = isCancelled
        seed = SealedIdBlock.seed(directory.identity, file: number)
        aside = SealedIds.path(number, in: directory) + ".tmp"
        try directory.system.remove(aside)
        file = try directory.system.open(aside, .create)
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 4096)
    }

    deinit {
        buffer.deallocate()
        if !isFinished { unlink(aside) }
    }

    /// Whether going on is of no use.
    var hasFailed: Bool { failure != nil }

    /// Takes the next block of ids.
    func add(block: UnsafeRawBufferPointer) {
        guard failure == nil else { return }
        let room = UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + SealedIdRun.blockBytes])
        room.copyMemory(from: block)
        _ = SealedIdBlock.finish(room, number: blocks, seed: seed)
        sums.add(UnsafeRawBufferPointer(room))
        blocks += 1
        filled += SealedIdRun.blockBytes
        if filled == buffer.count { flush() }
    }

    /// Makes the file durable under its name.
    ///
    /// - Parameter run: what was made of the blocks; it is the file's from now on, and freed when this throws.
    func finish(_ run: SealedIdRun) throws(StoreError) -> SealedIdFile {
        do throws(StoreError) { return try write(run) } catch {
            run.deallocate()
            throw error
        }
    }

    private func write(_ run: SealedIdRun) throws(StoreError) -> SealedIdFile {
        flush()
        var filterChecksum: UInt32 = 0
        var filterLength: UInt64 = 0
        run.encode { piece in
            filterChecksum = Checksum.crc32c(piece, seed: filterChecksum)
            filterLength += UInt64(piece.count)
            var rest = piece
            while !rest.isEmpty, failure == nil {
                let part = min(rest.count, buffer.count - filled)
                UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<filled + part])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<part]))
                filled += part
                rest = UnsafeRawBufferPointer(rebasing: rest[part...])
                if filled == buffer.count { flush() }
            }
        }
        flush()
        if let failure { throw failure }
        let header = SealedIdHeader(
            identity: directory.identity, seedTag: directory.superblock.seedTag, workspace: UInt32(workspace),
            number: number, firstSequence: sums.firstSequence, lastSequence: sums.lastSequence, count: sums.count,
            digest: sums.digest, filterLength: filterLength, filterChecksum: filterChecksum,
            blocksChecksum: sums.blocksChecksum)
        precondition(header.count == UInt64(run.count) && header.blocks == UInt64(blocks))
        let page = header.encoded()
        try file.write(page, at: 0)
        try file.sync(metadata: true)
        let path = SealedIds.path(number, in: directory)
        try directory.system.rename(aside, to: path)
        isFinished = true
        try directory.system.syncDirectory(directory.idsPath)
        // Opened again under its own name, which messages then show.
        return SealedIdFile(
            run: run, header: header, checksum: page.withUnsafeBytes { SealedIdHeader.checksum($0) },
            file: try directory.system.open(path, .read))
    }

    private func flush() {
        guard failure == nil, filled > 0 else { return }
        do throws(StoreError) {
            if isCancelled() { throw StoreError(.cancelled, file: aside, detail: "the sealing of ids was called off") }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<filled]), at: position)
            position += UInt64(filled)
            unsynced += filled
            filled = 0
            if unsynced >= Self.bytesPerSync {
                unsynced = 0
                try file.sync()
            }
        } catch { failure = error }
    }
}
