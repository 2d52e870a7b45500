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
    var ids: SealedIds
    /// Moves ids to files while the log is replayed; `nil` for read-only openings, which keep them in memory.
    let sealer: IdSealer?
    let options: EngineOptions
    /// Ignores snapshots, so that all of the log is replayed: `verify` does.
    var fromLogAlone = false
    /// Whether the history is filled while the log is replayed; read-only openings leave it alone.
    var fillsHistory = true
    /// Told the share of the log that is replayed, 0 to 1.
    var progress: (Double) -> Void = { _ in }

    /// Bytes that lie ready at most while a snapshot is loaded: a large one needs a gigabyte in seconds.
    private static let memoryAhead = 64 << 20
    /// Bytes of the state for each byte of a snapshot's chunks, about.
    private static let memoryPerByte = 4

    func run() throws -> Result {
        // As for a running engine: touching memory and packing postings have threads of their own.
        let memory = MemoryKeeper()
        defer {
            memory.close()
            StateReserve.trim()
        }
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
            var most = fillsHistory ? min(limit, history.coveredThrough) : limit
            var unusable: StoreError?
            while true {
                let choice = try Snapshots.newestValid(in: directory, atMost: most)
                for error in choice.rejected { options.report("snapshot skipped: \(error)") }
                guard let reader = choice.reader else { break }
                let files: [SealedIdFile]
                do throws(StoreError) {
                    files = try ids.open(Snapshots.sealedRuns(of: reader))
                } catch {
                    // Of no use without its ids. But the snapshot before it may be, and the log has everything.
                    guard error.code == .idsMissing || error.code == .idsDamaged else { throw error }
                    options.report("snapshot skipped: \(error)")
                    unusable = error
                    most = reader.info.sequence - 1
                    continue
                }
                return try replay(try load(reader, files, memory), from: reader.info, memory, historian)
            }
            if let unusable, log.firstSequence > 1 { throw unusable }
        }
        return try replay(makeWorld(), from: nil, memory, historian)
    }

    private func makeWorld() -> World {
        let seed = directory.hashSeed
        return World(
            shards: options.shards, seed: BitHash.Seed(seed[0], seed[1], seed[2], seed[3]),
            runner: options.shards == 1 ? SerialRunner() : ShardActors(count: options.shards),
            side: options.shards == 1 ? SideThread(name: "boards") : nil,
            log: LogArchive(log: log, history: history, ids: ids),
            idsPerGeneration: sealer == nil ? EngineOptions.unlimitedIds : options.idsPerGeneration)
    }

    private func load(_ reader: SnapshotReader, _ files: [SealedIdFile], _ memory: MemoryKeeper) throws -> World {
        let world = makeWorld()
        var loader = WorldLoader(into: world)
        reader.rewind()
        var left = Int(reader.rawBytes)
        while let chunk = try reader.next() {
            // Not more than what is still to come needs: the end waits for memory that is being made ready.
            left -= chunk.bytes.count
            memory.prepare(byteCount: min(Recovery.memoryAhead, left * Recovery.memoryPerByte))
            try loader.read(section: chunk.section, chunk.bytes)
        }
        try loader.finish()
        var digests: [Int: UInt64] = [:]
        for file in files {
            guard file.workspace < world.workspaceCount else { throw Recovery.incomplete(reader) }
            ids.add(file)
            world.addSealed(file.run, named: file.name, in: file.workspace)
            digests[file.workspace, default: 0] &+= file.digest
        }
        for (workspace, digest) in digests where digest != loader.sealedDigest(of: workspace) {
            throw Recovery.incomplete(reader)
        }
        return world
    }

    private static func incomplete(_ reader: SnapshotReader) -> EngineError {
        EngineError(
            "ids_incomplete",
            "The external ids in \(reader.path) and in the files of sealed ones that it names are not all that its state remembers; move the snapshot away and start again."
        )
    }

    private func replay(
        _ world: World, from snapshot: SnapshotInfo?, _ memory: MemoryKeeper, _ historian: HistoryKeeper?
    ) throws -> Result {
        do { return try replayLog(world, from: snapshot, memory, historian) } catch {
            // The sealer reads memory of the world, which goes with this error.
            sealer?.close()
            withExtendedLifetime(world) {}
            throw error
        }
    }

    private func replayLog(
        _ world: World, from snapshot: SnapshotInfo?, _ memory: MemoryKeeper, _ historian: HistoryKeeper?
    ) throws -> Result {
        let first = (snapshot?.sequence ?? 0) + 1
        guard first >= log.firstSequence else {
            throw EngineError(
                "log_incomplete",
                "The log begins at position \(log.firstSequence), and no snapshot covers what is before; restore the missing archives or a snapshot."
            )
        }
        if options.shards == 1 { world.beginReplay(SideThread(name: "bookings", gathered: 16)) }
        let ahead = ReadAhead(try log.reader(from: first, chain: snapshot?.chain))
        defer { ahead.close() }
        var replayed: UInt64 = 0
        var told = world.sequence
        while let load = try ahead.next() {
            for piece in load.pieces {
                let last = piece.batch.firstSequence + UInt64(piece.batch.count) - 1
                piece.batch.wantsPostings = fillsHistory && last > history.lastSequence
                try apply(piece, to: world)
                try historian?.take(from: world)
                world.forgetBatch()
                memory.check()
                sealer?.exchangeInReplay(with: world)
                replayed += UInt64(piece.batch.count)
                if world.sequence - told > 50_000 {
                    told = world.sequence
                    progress(Double(told) / Double(max(1, log.lastSequence)))
                }
            }
            ahead.giveBack(load)
        }
        world.endReplay()
        progress(1)
        return Result(world: world, replayed: replayed, snapshotSequence: snapshot?.sequence ?? 0)
    }

    private func apply(_ piece: ReadAhead.Piece, to world: World) throws {
        do {
            try world.apply(piece.batch)
        } catch let error as MalformedBytes {
            throw EngineError(
                "record_malformed",
                "\(piece.file), offset \(piece.offset + UInt64(error.offset)): a command of this batch cannot be read; it was written by a newer version, or the checksums missed damage."
            )
        }
    }
}
