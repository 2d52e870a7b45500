import GuerdonCore
import GuerdonStore

/// Brings a world back: the newest snapshot that is whole, and the log behind it.
struct Recovery {
    /// What was found and done.
    struct Result {
        var world: World
        var replayed: UInt64
        var snapshotSequence: UInt64
    }

    let directory: DataDirectory
    let log: BatchLog
    let history: History
    let options: EngineOptions
    /// Ignores snapshots, so that all of the log is replayed: `verify` does.
    var fromLogAlone = false
    /// Whether the history is filled while the log is replayed; read-only openings leave it alone.
    var fillsHistory = true
    /// Told the share of the log that is replayed, 0 to 1.
    var progress: (Double) -> Void = { _ in }

    func run() throws -> Result {
        // As for a running engine: touching memory and packing postings have threads of their own.
        let memory = MemoryKeeper()
        defer { memory.close() }
        let historian = fillsHistory ? HistoryKeeper(history) : nil
        defer { historian?.close() }
        return try run(memory, historian)
    }

    private func run(_ memory: MemoryKeeper, _ historian: HistoryKeeper?) throws -> Result {
        let limit = log.lastSequence
        // A history that lost its end is filled by replay, from a snapshot that it reaches; one that is ahead of the log
        // (restored from elsewhere) is made anew.
        if fillsHistory, history.lastSequence > limit { try history.reset() }
        if !fromLogAlone {
            let choice = try Snapshots.newestValid(
                in: directory, atMost: fillsHistory ? min(limit, history.coveredThrough) : limit)
            for error in choice.rejected { options.report("snapshot skipped: \(error)") }
            if let reader = choice.reader {
                return try replay(try load(reader, memory), from: reader.info, memory, historian)
            }
        }
        return try replay(makeWorld(), from: nil, memory, historian)
    }

    private func makeWorld() -> World {
        let seed = directory.hashSeed
        return World(
            shards: options.shards, seed: BitHash.Seed(seed[0], seed[1], seed[2], seed[3]),
            runner: options.shards == 1 ? SerialRunner() : ShardActors(count: options.shards),
            side: options.shards == 1 ? SideThread(name: "boards") : nil,
            log: LogArchive(log: log, history: history))
    }

    private func load(_ reader: SnapshotReader, _ memory: MemoryKeeper) throws -> World {
        let world = makeWorld()
        var loader = WorldLoader(into: world)
        reader.rewind()
        while let chunk = try reader.next() {
            try loader.read(section: chunk.section, chunk.bytes)
            memory.check()
        }
        try loader.finish()
        return world
    }

    private func replay(
        _ world: World, from snapshot: SnapshotInfo?, _ memory: MemoryKeeper, _ historian: HistoryKeeper?
    ) throws -> Result {
        let first = (snapshot?.sequence ?? 0) + 1
        guard first >= log.firstSequence else {
            throw EngineError(
                "log_incomplete",
                "The log begins at position \(log.firstSequence), and no snapshot covers what is before; restore the missing archives or a snapshot."
            )
        }
        var reader = try log.reader(from: first, chain: snapshot?.chain)
        let batch = CommandBatch()
        var replayed: UInt64 = 0
        var told = world.sequence
        while let record = try reader.next() {
            batch.reset()
            batch.body.write(record.payload)
            batch.count = Int(record.info.count)
            batch.firstSequence = record.info.firstSequence
            batch.time = record.info.time
            do {
                try world.apply(batch)
            } catch let error as MalformedBytes {
                throw EngineError(
                    "record_malformed",
                    "\(record.file), offset \(record.offset + UInt64(error.offset)): a command of this batch cannot be read; it was written by a newer version, or the checksums missed damage."
                )
            }
            try historian?.take(from: world)
            world.forgetBatch()
            memory.check()
            replayed += UInt64(record.info.count)
            if world.sequence - told > 50_000 {
                told = world.sequence
                progress(Double(told) / Double(max(1, log.lastSequence)))
            }
        }
        progress(1)
        return Result(world: world, replayed: replayed, snapshotSequence: snapshot?.sequence ?? 0)
    }
}
