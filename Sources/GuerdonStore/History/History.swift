import Glibc
public import GuerdonCore
import Synchronization

/// Every posting ever made, on disk, for statements: what memory need not hold.
///
/// ```swift
/// let history = try History.open(in: directory)
/// try history.enqueue(world.postings)                           // once per batch, by the thread that evaluates
/// try history.packNext()                                        // by a thread that may wait for the disk
/// let line = try history.postings(at: wallet.lastPosting)       // from any thread
/// try history.flush(through: cut.sequence, sync: true)          // before a snapshot is finished
/// ```
///
/// The history is derived from the log. What a crash takes from it is cut quietly at opening, and postings that are
/// given again while the log is replayed are skipped up to ``lastSequence``, so that replay from a snapshot fills
/// exactly the gap. Only ``coveredThrough`` has to reach the snapshot from which replay begins; if it does not, begin at
/// an older snapshot, or ``reset()`` and replay the whole log.
public final class History: Sendable {
    struct Entry {
        var first: UInt64
        var last: UInt64
        var offset: UInt64
        var file: Int
        var length: UInt32
        var count: UInt32
        var checksum: UInt32
    }

    struct State: ~Copyable {
        var files: [File] = []
        /// First of the files that were written since the last sync.
        var unsynced = 0
        var blocks: [Entry] = []
        /// Where the next block goes, in the last file.
        var position: UInt64 = 0
        var open = OpenBlock()
        var lastSequence: UInt64 = 0
        var covered: UInt64 = 0
        var failure: StoreError?
        var pace = SteadyWriting(keepsPages: true)
    }

    /// What was cut off at opening.
    public struct Cut: Equatable, Sendable {
        /// First file concerned.
        public var file: String
        /// Offset in it.
        public var offset: UInt64
        /// Bytes in it and in the files behind it.
        public var bytes: UInt64
    }

    let directory: DataDirectory
    let state: Mutex<State>
    let cache = Mutex(BlockCache())
    let queue = Mutex(PostingQueue())
    let packing = Mutex(())
    /// What opening cut off, `nil` if everything was whole; a crash is the usual cause.
    public let cut: Cut?

    init(directory: DataDirectory, state: consuming sending State, cut: Cut?) {
        self.directory = directory
        self.state = Mutex(state)
        self.cut = cut
    }

    /// Sequence number of the last posting held; postings up to here are skipped by ``append(_:)``.
    public var lastSequence: UInt64 { state.withLock { $0.lastSequence } }

    /// The history is complete through here on disk, as far as files tell.
    public var coveredThrough: UInt64 { state.withLock { $0.covered } }

    /// Bytes of all files.
    public var fileBytes: UInt64 {
        get throws(StoreError) {
            var sum: UInt64 = 0
            for file in state.withLock({ $0.files }) { sum += try file.size }
            return sum
        }
    }

    /// Adds the postings of one batch, all of every command in it, in order of sequence.
    ///
    /// Postings up to ``lastSequence`` are skipped. A write happens only when a block is full.
    /// - Complexity: O(postings), some nanoseconds each.
    public func append(_ postings: UnsafeBufferPointer<Posting>) throws(StoreError) {
        guard let newest = postings.last else { return }
        let postings = PostingRun(postings)
        let failure = state.withLock { state -> StoreError? in
            if let failure = state.failure { return failure }
            guard newest.sequence > state.lastSequence else { return nil }
            var index = 0
            // At the latest the newest posting stops this.
            while postings[index].sequence <= state.lastSequence { index += 1 }
            do throws(StoreError) {
                while true {
                    index = state.open.append(postings, from: index)
                    if index == postings.count { break }
                    try closeBlock(&state, coveredThrough: state.open.last)
                }
            } catch {
                state.failure = error
                return error
            }
            state.lastSequence = newest.sequence
            return nil
        }
        if let failure { throw failure }
    }

    /// Writes what is still in memory and notes that the history is complete through `sequence`.
    ///
    /// - Parameters:
    ///   - sequence: every command up to here has been given to ``append(_:)`` or ``enqueue(_:)``, if it had postings.
    ///   - sync: whether to wait until all of it is durable.
    public func flush(through sequence: UInt64, sync: Bool) throws(StoreError) {
        try pack(through: sequence)
        var files: [File] = []
        var mark = 0
        let failure = state.withLock { state -> StoreError? in
            if let failure = state.failure { return failure }
            let covered = max(sequence, state.lastSequence)
            do throws(StoreError) {
                if state.open.count > 0 || covered > state.covered { try closeBlock(&state, coveredThrough: covered) }
            } catch {
                state.failure = error
                return error
            }
            if sync {
                files = Array(state.files[state.unsynced...])
                mark = state.files.count - 1
            }
            return nil
        }
        if let failure { throw failure }
        guard sync else { return }
        do throws(StoreError) {
            for file in files { try file.sync(metadata: true) }
            try directory.system.syncDirectory(directory.historyPath)
        } catch {
            state.withLock { $0.failure = error }
            throw error
        }
        state.withLock { $0.unsynced = max($0.unsynced, mark) }
    }

    /// Forgets everything, so that a replay of the whole log can write it anew.
    public func reset() throws(StoreError) {
        precondition(directory.access == .readWrite)
        let failure = state.withLock { state -> StoreError? in
            do throws(StoreError) {
                for file in state.files.reversed() { try directory.system.remove(file.path) }
                try directory.system.syncDirectory(directory.historyPath)
                state = State()
                try addFile(&state)
            } catch {
                state.failure = error
                return error
            }
            return nil
        }
        cache.withLock { $0 = BlockCache() }
        if let failure { throw failure }
    }

    static func path(_ index: Int, in directory: DataDirectory) -> String {
        "\(directory.historyPath)/\(decimalName(UInt64(index))).hist"
    }

    /// Begins the next file; its entry becomes durable with the next synced flush.
    func addFile(_ state: inout State) throws(StoreError) {
        let index = state.files.count + 1
        let file = try directory.system.open(History.path(index, in: directory), .create)
        let header = HistoryFileHeader(identity: directory.identity, index: UInt64(index))
        try file.write(header.encoded(), at: 0)
        state.files.append(file)
        state.position = UInt64(HistoryFileHeader.size)
        state.pace = SteadyWriting(keepsPages: true)
    }

    private func closeBlock(_ state: inout State, coveredThrough: UInt64) throws(StoreError) {
        precondition(directory.access == .readWrite)
        if state.position >= StoreLimits.historyFile { try addFile(&state) }
        let contents = state.open.contents
        precondition(contents.count <= StoreLimits.historyBlockLargest)
        let hasPostings = state.open.count > 0
        let header = HistoryBlockHeader(
            first: hasPostings ? state.open.first : 0, last: hasPostings ? state.open.last : 0,
            coveredThrough: coveredThrough, coveredBefore: state.covered, count: state.open.count,
            length: UInt32(contents.count), checksum: Checksum.crc32c(contents), ledgerTag: directory.identity.tag,
            fileTag: UInt32(truncatingIfNeeded: state.files.count))
        let file = state.files[state.files.count - 1]
        state.open.frame(header)
        try file.write(state.open.framed, at: state.position)
        let end = state.position + header.blockLength
        state.pace.reached(end, of: file)
        if hasPostings {
            state.blocks.append(Entry(header, offset: state.position, file: state.files.count - 1))
        }
        state.position = end
        state.covered = coveredThrough
        state.open.removeAll()
    }
}

extension History.Entry {
    init(_ header: HistoryBlockHeader, offset: UInt64, file: Int) {
        first = header.first
        last = header.last
        self.offset = offset
        self.file = file
        length = header.length
        count = header.count
        checksum = header.checksum
    }
}
