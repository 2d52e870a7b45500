// Looking back: into the batch at hand, or through the log source into older ones.

extension World {
    /// Whether what a log position did is in memory, and in log and history perhaps not yet.
    func isInMemory(_ sequence: UInt64) -> Bool {
        if batch.count > 0, sequence >= batch.firstSequence { return true }
        // What expired right before the batch belongs to the same group of the log.
        return postings.elements.first.map { sequence >= $0.sequence } ?? false
    }

    /// The command at a log position that was applied.
    func command(at sequence: UInt64) throws -> PastCommand {
        // A tick may stand right before the batch at hand, not yet in the log.
        if sequence == lastTick.sequence { return PastCommand(command: .tick, time: lastTick.time) }
        guard batch.count > 0, sequence >= batch.firstSequence else { return try log.command(at: sequence) }
        let index = try indexedBatch()
        let place = Int(sequence - batch.firstSequence)
        guard place < index.count else { throw MalformedBytes(offset: 0) }
        var source = ByteSource(batch.body.bytes, at: index[place].offset)
        var shape = index[place].shape
        return PastCommand(command: try CommandCoding.decode(&source, shape: &shape), time: batch.time)
    }

    /// All postings of the command at a log position that was applied, in order.
    func allPostings(at sequence: UInt64) throws -> [Posting] {
        guard batch.wantsPostings, isInMemory(sequence) else { return try log.postings(at: sequence) }
        let all = postings.elements
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle].sequence < sequence { low = middle + 1 } else { high = middle }
        }
        return Array(all[low...].prefix { $0.sequence == sequence })
    }

    /// Where the commands of the batch begin, and the shape in force before each.
    private func indexedBatch() throws(MalformedBytes) -> [(offset: Int, shape: ActionShape)] {
        if let batchIndex { return batchIndex }
        var index: [(offset: Int, shape: ActionShape)] = []
        index.reserveCapacity(batch.count)
        var source = ByteSource(batch.body.bytes)
        var shape = ActionShape()
        for _ in 0..<batch.count {
            index.append((source.position, shape))
            _ = try CommandCoding.decode(&source, shape: &shape)
        }
        batchIndex = index
        return index
    }
}

extension World {
    /// To be called once the last batch is in the log and its postings are in the history: the batch may be used again
    /// afterwards, and whoever looks back finds it there.
    public func forgetBatch() {
        postings.removeAll()
        batch = World.noBatch
        batchIndex = nil
    }

    /// The postings of the last batch, to be put before those of the next one.
    public func takePostings() -> [Posting] { Array(postings.elements) }

    /// Puts postings of the batch before this one in front: both belong to one group of the log.
    public func putBefore(_ earlier: [Posting]) {
        guard !earlier.isEmpty else { return }
        let later = Array(postings.elements)
        postings.removeAll()
        earlier.withUnsafeBufferPointer { postings.append(contentsOf: $0) }
        later.withUnsafeBufferPointer { postings.append(contentsOf: $0) }
    }
}
