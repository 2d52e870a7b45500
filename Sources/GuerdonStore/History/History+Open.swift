import GuerdonCore
import Synchronization

extension History {
    /// Opens the history of a ledger, making an empty one if there is none, and cuts it at the first block that is not
    /// whole.
    ///
    /// Block headers are checked throughout, postings of the last file too; those of older files when they are read.
    /// - Complexity: one small read per 64 KiB of history.
    public static func open(in directory: DataDirectory) throws(StoreError) -> History {
        var state = State()
        var cut: Cut?
        let count = try fileCount(directory)
        for index in stride(from: 1, through: count, by: 1) {
            let path = path(index, in: directory)
            let file = try directory.system.open(path, directory.access == .readWrite ? .update : .read)
            let size = try file.size
            if cut == nil {
                let end = try scan(file, size: size, index: index, isLast: index == count, &state, directory)
                if end < size || end == 0 { cut = Cut(file: path, offset: end, bytes: 0) }
                if end > 0 {
                    state.files.append(file)
                    state.position = end
                }
            }
            if let found = cut {
                let whole = found.file == path ? found.offset : 0
                cut?.bytes += size - whole
                if directory.access == .readWrite {
                    if whole > 0 { try file.truncate(to: whole) } else { try directory.system.remove(path) }
                }
            }
        }
        state.unsynced = max(0, state.files.count - 1)
        state.pace = SteadyWriting(from: state.position, keepsPages: true)
        let history = History(directory: directory, state: state, cut: cut)
        guard directory.access == .readWrite else { return history }
        let failure = history.state.withLock { state -> StoreError? in
            guard state.files.isEmpty else { return nil }
            do throws(StoreError) { try history.addFile(&state) } catch { return error }
            return nil
        }
        if let failure { throw failure }
        return history
    }

    /// How many files follow one another from 1 on; a file behind a gap is of no use.
    private static func fileCount(_ directory: DataDirectory) throws(StoreError) -> Int {
        var count = 0
        for name in try directory.system.list(directory.historyPath) ?? [] {
            guard let index = number(inName: name, suffix: ".hist") else { continue }
            if index == UInt64(count + 1) {
                count += 1
            } else if directory.access == .readWrite {
                try directory.system.remove(directory.historyPath + "/" + name)
            }
        }
        return count
    }

    /// Takes the blocks of one file into `state`; the offset behind the last whole one, 0 if the header is damaged.
    private static func scan(
        _ file: File, size: UInt64, index: Int, isLast: Bool, _ state: inout State, _ directory: DataDirectory
    ) throws(StoreError) -> UInt64 {
        let wanted = HistoryFileHeader(identity: directory.identity, index: UInt64(index)).encoded()
        guard size >= UInt64(HistoryFileHeader.size), try file.bytes(at: 0, count: wanted.count) == wanted else {
            return 0
        }
        var offset = UInt64(HistoryFileHeader.size)
        while offset < size {
            guard size - offset >= UInt64(HistoryBlockHeader.size),
                let bytes = try file.bytes(at: offset, count: HistoryBlockHeader.size),
                let header = bytes.withUnsafeBytes({ HistoryBlockHeader.decode($0) }),
                header.ledgerTag == directory.identity.tag, header.fileTag == UInt32(truncatingIfNeeded: index),
                header.coveredBefore == state.covered, header.blockLength <= size - offset,
                header.count == 0 || header.first > state.lastSequence
            else { return offset }
            let entry = Entry(header, offset: offset, file: index - 1)
            if isLast, header.count > 0, try decode(entry, file) == nil { return offset }
            if header.count > 0 {
                state.blocks.append(entry)
                state.lastSequence = header.last
            }
            state.covered = header.coveredThrough
            offset += header.blockLength
        }
        return offset
    }

    /// The postings of a block on disk, `nil` if it is damaged.
    static func decode(_ entry: Entry, _ file: File) throws(StoreError) -> [Posting]? {
        let start = entry.offset + UInt64(HistoryBlockHeader.size)
        guard let bytes = try file.bytes(at: start, count: RecordHeader.padded(Int(entry.length))) else { return nil }
        return bytes.withUnsafeBytes { buffer in
            let contents = buffer.slice(0, Int(entry.length))
            guard Checksum.crc32c(contents) == entry.checksum, buffer[contents.count...].allSatisfy({ $0 == 0 }),
                let postings = PostingBlock.decode(contents, first: entry.first, count: entry.count),
                postings.last?.sequence == entry.last
            else { return nil }
            return postings
        }
    }
}
