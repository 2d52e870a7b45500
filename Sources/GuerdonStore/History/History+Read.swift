public import GuerdonCore
import Synchronization

/// The blocks decoded last, newest use first.
struct BlockCache {
    private static let blocksMost = 8
    /// Blocks with more postings (of one command that had very many) are not kept.
    private static let postingsMost = 1 << 16

    /// A closed block is named by its number; the open one also by how much of it was there.
    struct Key: Equatable {
        var block: Int
        var length: Int
    }

    private var blocks: [(key: Key, postings: [Posting])] = []

    mutating func postings(_ key: Key) -> [Posting]? {
        guard let place = blocks.firstIndex(where: { $0.key == key }) else { return nil }
        if place > 0 { blocks.insert(blocks.remove(at: place), at: 0) }
        return blocks[0].postings
    }

    mutating func insert(_ key: Key, _ postings: [Posting]) {
        guard postings.count <= BlockCache.postingsMost else { return }
        blocks.removeAll { $0.key.block == key.block }
        if blocks.count == BlockCache.blocksMost { blocks.removeLast() }
        blocks.insert((key, postings), at: 0)
    }
}

extension History {
    /// Where a sequence number's postings are.
    private enum Place {
        case nowhere
        case closed(Entry, block: Int, File)
        case open(bytes: [UInt8], first: UInt64, count: UInt32, block: Int)
        case openCached([Posting])
    }

    /// All postings of the command at `sequence`, in the order in which they were made; none if it had none.
    ///
    /// A statement is walked by filtering for the wallet and going on at `previous`; neighbouring lines come from the
    /// few blocks that are kept decoded.
    /// - Complexity: at most one read and the decoding of one block of about 64 KiB.
    /// - Throws: `history_damaged`; rebuild by ``reset()`` and a full replay.
    public func postings(at sequence: UInt64) throws(StoreError) -> [Posting] {
        // First what waits: it leaves the queue only when it is in a block.
        if let waiting = waitingPostings(at: sequence) { return waiting }
        switch place(of: sequence) {
        case .nowhere: return []
        case .openCached(let postings): return History.postings(postings, at: sequence)
        case .closed(let entry, let block, let file):
            let key = BlockCache.Key(block: block, length: Int(entry.length))
            if let cached = cache.withLock({ $0.postings(key) }) { return History.postings(cached, at: sequence) }
            guard let postings = try History.decode(entry, file) else { throw History.damaged(file, entry) }
            cache.withLock { $0.insert(key, postings) }
            return History.postings(postings, at: sequence)
        case .open(let bytes, let first, let count, let block):
            let postings = bytes.withUnsafeBytes { PostingBlock.decode($0, first: first, count: count) }
            guard let postings else { preconditionFailure("the open block was encoded here") }
            cache.withLock { $0.insert(BlockCache.Key(block: block, length: bytes.count), postings) }
            return History.postings(postings, at: sequence)
        }
    }

    /// Reads every block of every file.
    ///
    /// - Returns: how many postings there are.
    /// - Throws: `history_damaged` with file and offset of the first damaged block.
    public func verify() throws(StoreError) -> UInt64 {
        var sum: UInt64 = 0
        var block = 0
        while true {
            let next = state.withLock { state -> (Entry, File)? in
                guard block < state.blocks.count else { return nil }
                return (state.blocks[block], state.files[state.blocks[block].file])
            }
            guard let (entry, file) = next else { break }
            guard let postings = try History.decode(entry, file) else { throw History.damaged(file, entry) }
            sum += UInt64(postings.count)
            block += 1
        }
        return sum + state.withLock { UInt64($0.open.count) }
    }

    private static func damaged(_ file: File, _ entry: Entry) -> StoreError {
        StoreError(
            .historyDamaged, file: file.path, offset: entry.offset,
            detail: "the postings of \(entry.first) to \(entry.last) do not match their checksum",
            advice: "Balances are not affected; rebuild the history from the log")
    }

    private func place(of sequence: UInt64) -> Place {
        state.withLock { state in
            if state.open.count > 0, sequence >= state.open.first {
                guard sequence <= state.open.last else { return .nowhere }
                let key = BlockCache.Key(block: state.blocks.count, length: state.open.length)
                if let cached = cache.withLock({ $0.postings(key) }) { return .openCached(cached) }
                return .open(
                    bytes: [UInt8](state.open.contents), first: state.open.first, count: state.open.count,
                    block: key.block)
            }
            var low = 0
            var high = state.blocks.count
            while low < high {
                let middle = (low + high) / 2
                if state.blocks[middle].last < sequence { low = middle + 1 } else { high = middle }
            }
            guard low < state.blocks.count, state.blocks[low].first <= sequence else { return .nowhere }
            return .closed(state.blocks[low], block: low, state.files[state.blocks[low].file])
        }
    }

    /// The run with this sequence number in postings that are in order of it.
    static func postings(_ postings: [Posting], at sequence: UInt64) -> [Posting] {
        postings.withUnsafeBufferPointer { History.postings($0, at: sequence) }
    }

    /// The same in borrowed memory.
    static func postings(_ postings: UnsafeBufferPointer<Posting>, at sequence: UInt64) -> [Posting] {
        var low = 0
        var high = postings.count
        while low < high {
            let middle = (low + high) / 2
            if postings[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        var end = low
        while end < postings.count, postings[end].sequence == sequence { end += 1 }
        return Array(postings[low..<end])
    }
}
