import GuerdonCore

/// Reads several files of sealed ids in the order of their keys.
struct SealedIdMerger {
    /// Reads one file from its beginning to its end, some blocks at a time.
    private final class Cursor {
        private static let blocksAtOnce = 64
        private let source: SealedIdFile
        private let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: blocksAtOnce * SealedIdRun.blockBytes, alignment: 4096)
        private var nextBlock = 0
        private var loaded = 0
        private var block = 0
        private var record = 0
        /// Where it stands; `nil` behind the last id.
        private(set) var current: (key: ExternalIdKey, id: RememberedId)?

        init(_ source: SealedIdFile) throws(StoreError) {
            self.source = source
            try advance()
        }

        deinit { buffer.deallocate() }

        var path: String { source.file.path }

        func advance() throws(StoreError) {
            while true {
                if block < loaded {
                    let bytes = UnsafeRawBufferPointer(buffer).slice(
                        block * SealedIdRun.blockBytes, SealedIdRun.blockBytes)
                    if record < SealedIdRun.recordsPerBlock, let found = SealedIdRun.record(record, inBlock: bytes) {
                        record += 1
                        current = found
                        return
                    }
                    block += 1
                    record = 0
                    continue
                }
                let count = min(Self.blocksAtOnce, source.run.blockCount - nextBlock)
                guard count > 0 else {
                    current = nil
                    return
                }
                try source.read(
                    nextBlock,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * SealedIdRun.blockBytes)]))
                nextBlock += count
                loaded = count
                block = 0
            }
        }
    }

    private let cursors: [Cursor]
    private let count: Int

    init(_ files: [SealedIdFile]) throws(StoreError) {
        var cursors: [Cursor] = []
        for file in files { cursors.append(try Cursor(file)) }
        self.cursors = cursors
        count = files.reduce(0) { $0 + $1.run.count }
    }

    /// Writes all ids; what stays in memory of them.
    func merge(into writer: SealedIdWriter, pause: () -> Void) throws(StoreError) -> SealedIdRun {
        var builder = SealedIdRunBuilder(count: count)
        var last: ExternalIdKey?
        var added = 0
        while !writer.hasFailed {
            var best = -1
            for (number, cursor) in cursors.enumerated() {
                guard let current = cursor.current else { continue }
                if best < 0 || current.key < cursors[best].current!.key { best = number }
            }
            guard best >= 0, let (key, id) = cursors[best].current else { break }
            if let last, last >= key { throw .ids(cursors[best].path, 0, "the ids are not in order, or twice") }
            guard added < count else { throw .ids(cursors[best].path, 0, "there are more ids than the header says") }
            last = key
            builder.append(key, id) { writer.add(block: $0) }
            added += 1
            if added & 0x3fff == 0 { pause() }
            try cursors[best].advance()
        }
        guard added == count else {
            if writer.hasFailed { return SealedIdRunBuilder(count: 0).finish { _ in } }
            throw .ids(cursors[0].path, 0, "there are fewer ids than the headers say")
        }
        return builder.finish { writer.add(block: $0) }
    }
}
