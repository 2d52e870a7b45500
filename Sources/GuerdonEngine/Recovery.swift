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
        let limit = log.lastSequence
        var rejected: [StoreError] = []
        // What a crash left in the history beyond the log, or a gap before the snapshot, is made good by a full replay.
        var mustRebuild = fillsHistory && history.lastSequence > limit
        if mustRebuild { try history.reset() }
        if !fromLogAlone, !mustRebuild {
            let choice = try Snapshots.newestValid(in: directory, atMost: limit)
            rejected = choice.rejected
            for error in rejected { options.report("snapshot skipped: \(error)") }
            if let reader = choice.reader {
                if history.coveredThrough >= reader.info.sequence || !fillsHistory {
                    return try replay(try load(reader), from: reader.info)
                }
                mustRebuild = true
                options.report("the history ends before the snapshot; rebuilding it from the whole log")
                try history.reset()
            }
        }
        return try replay(makeWorld(), from: nil)
    }

    private func makeWorld() -> World {
        let seed = directory.hashSeed
        return World(
            shards: options.shards, seed: BitHash.Seed(seed[0], seed[1], seed[2], seed[3]),
            runner: options.shards == 1 ? SerialRunner() : ShardActors(count: options.shards),
            log: LogArchive(log: log, history: history))
    }

    private func load(_ reader: SnapshotReader) throws -> World {
        let world = makeWorld()
        var loader = WorldLoader(into: world)
        reader.rewind()
        while let chunk = try reader.next() { try loader.read(section: chunk.section, chunk.bytes) }
        try loader.finish()
        return world
    }

    private func replay(_ world: World, from snapshot: SnapshotInfo?) throws -> Result {
        let first = (snapshot?.sequence ?? 0) + 1
        guard first >= log.firstSequence else {
            throw EngineError(
                "log_incomplete",
                "The log begins at position \(log.firstSequence), and no snapshot covers what is before; restore the missing archives or a snapshot.")
        }
        var reader = try log.reader(from: first, chain: snapshot?.chain)
        var batches = [CommandBatch(), CommandBatch()]
        var replayed: UInt64 = 0
        var told = world.sequence
        while let record = try reader.next() {
            // The world may look back into the last batch, so two take turns.
            batches.swapAt(0, 1)
            let batch = batches[0]
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
                    "\(record.file), offset \(record.offset + UInt64(error.offset)): a command of this batch cannot be read; it was written by a newer version, or the checksums missed damage.")
            }
            if fillsHistory { try history.append(world.postings.elements) }
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
