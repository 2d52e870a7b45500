public import GuerdonCore
import Synchronization

/// Postings that were given to the history and are not packed yet; readers find them here.
struct PostingQueue: ~Copyable {
    /// One batch each, oldest first.
    var batches: [Buffer<Posting>] = []
    /// Empty buffers, whose memory the next batches use.
    var spares: [Buffer<Posting>] = []
    var failure: StoreError?

    deinit { for buffer in batches + spares { buffer.deallocate() } }
}

/// Packing apart from giving, so that the thread that evaluates need neither encode nor write.
extension History {
    /// How many batches wait to be packed; 0 when none ever will be, because that failed.
    public var waitingBatches: Int { queue.withLock { $0.failure == nil ? $0.batches.count : 0 } }

    /// Takes over the postings of one batch, as ``append(_:)`` would, and leaves the buffer empty, with other memory.
    ///
    /// They can be read at once. ``packNext()`` packs and writes them; ``flush(through:sync:)`` does too.
    ///
    /// - Complexity: O(1).
    /// - Throws: what packing threw before.
    public func enqueue(_ postings: Buffer<Posting>) throws(StoreError) {
        let failure = queue.withLock { queue -> StoreError? in
            guard queue.failure == nil, !postings.isEmpty else { return queue.failure }
            let buffer = queue.spares.popLast() ?? Buffer<Posting>()
            postings.exchange(with: buffer)
            queue.batches.append(buffer)
            return nil
        }
        if let failure { throw failure }
    }

    /// Packs the oldest batch that waits, and writes what blocks became full.
    ///
    /// For any thread, one at a time; others wait for it.
    ///
    /// - Returns: how many batches still wait.
    @discardableResult
    public func packNext() throws(StoreError) -> Int {
        try packNext(through: .max)
    }

    /// Packs every batch that begins at or before `sequence`.
    func pack(through sequence: UInt64) throws(StoreError) {
        while try packNext(through: sequence) > 0 {}
    }

    /// - Returns: how many batches still wait that begin at or before `sequence`.
    private func packNext(through sequence: UInt64) throws(StoreError) -> Int {
        // Held while packing, so that batches are packed in order whoever packs them.
        let result = packing.withLock { _ -> Result<Int, StoreError> in
            // It stays in the queue until all of it can be read from the blocks.
            let first = queue.withLock { $0.batches.first }
            guard let first, first[0].sequence <= sequence else { return .success(0) }
            do throws(StoreError) {
                try packInParts(first.elements)
            } catch {
                queue.withLock { $0.failure = error }
                return .failure(error)
            }
            return .success(
                queue.withLock { queue in
                    let done = queue.batches.removeFirst()
                    done.removeAll()
                    queue.spares.append(done)
                    return queue.batches.count { $0[0].sequence <= sequence }
                })
        }
        return try result.get()
    }

    /// Appends a part at a time, so that a reader never waits for the lock longer than one takes.
    private func packInParts(_ postings: UnsafeBufferPointer<Posting>) throws(StoreError) {
        let part = 2048
        var start = 0
        while start < postings.count {
            var end = min(start + part, postings.count)
            // A command's postings stay together.
            while end < postings.count, postings[end].sequence == postings[end - 1].sequence { end += 1 }
            try append(UnsafeBufferPointer(rebasing: postings[start..<end]))
            start = end
        }
    }

    /// The postings of a command whose batch waits to be packed; `nil` if it is not among them.
    func waitingPostings(at sequence: UInt64) -> [Posting]? {
        queue.withLock { queue in
            guard let batch = queue.batches.last(where: { $0[0].sequence <= sequence }) else { return nil }
            return History.postings(batch.elements, at: sequence)
        }
    }
}
