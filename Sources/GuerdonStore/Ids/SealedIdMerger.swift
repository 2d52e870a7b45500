import GuerdonCore

/// Reads several files of sealed ids in the order of their keys.
struct SealedIdMerger {
    /// Reads one file from its beginning to its end, some blocks at a time.
    private final class Cursor {
        private static let blocksAtOnce = 64
        private let source: SealedIdFile
        private let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: blocksAtOnce * SealedIdRun.blockBytes, alignment: 4096)
        private var read = 0
        private var loaded = 0
        private var given = 0

        init(_ source: SealedIdFile) { self.source = source }

        deinit { buffer.deallocate() }

        var path: String { source.file.path }

        /// The next block, valid until the one behind it is asked for; `nil` at the end.
        func nextBlock() throws(StoreError) -> UnsafeRawBufferPointer? {
            if given == loaded {
                loaded = min(Self.blocksAtOnce, source.run.blockCount - read)
                given = 0
                guard loaded > 0 else { return nil }
                try source.read(
                    read, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<(loaded * SealedIdRun.blockBytes)]))
                read += loaded
            }
            defer { given += 1 }
            return UnsafeRawBufferPointer(buffer).slice(given * SealedIdRun.blockBytes, SealedIdRun.blockBytes)
        }
    }

    private let cursors: [Cursor]
    private let count: Int

    init(_ files: [SealedIdFile]) {
        cursors = files.map(Cursor.init)
        count = files.reduce(0) { $0 + $1.run.count }
    }

    /// Writes all ids; what stays in memory of them.
    func merge(into writer: SealedIdWriter, pause: () -> Void) throws(StoreError) -> SealedIdRun {
        let merge = SealedIdMerge(sources: cursors.count, count: count)
        var blocks = 0
        while !writer.hasFailed, let source = merge.advance({ writer.add(block: $0) }) {
            guard merge.refill(source, with: try cursors[source].nextBlock()) else {
                throw .ids(cursors[source].path, 0, "the ids are not in order, or more than the header says")
            }
            blocks += 1
            if blocks & 0x7f == 0 { pause() }
        }
        if writer.hasFailed { return SealedIdRunBuilder(count: 0).finish { _ in } }
        guard let run = merge.finish({ writer.add(block: $0) }) else {
            throw .ids(cursors[0].path, 0, "ids of the files are missing, or there twice")
        }
        return run
    }
}
