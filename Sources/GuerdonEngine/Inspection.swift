public import GuerdonCore
import GuerdonStore

/// Reads a data directory that no server uses, without changing it.
public enum Inspection {
    /// What a replay of the whole log found.
    public struct Verdict: Sendable {
        /// SHA-256 of the logical state, in hexadecimal.
        public var hash: String
        /// Log position.
        public var sequence: UInt64
        public var members: Int
        public var actions: UInt64
        public var invariants: [World.Invariant]
        /// Commands replayed, and how long that took.
        public var replayed: UInt64
        public var replaySeconds: Double
    }

    /// Replays the log from its beginning (or the oldest snapshot that it needs), checks the invariants, and compares the
    /// newest snapshot and the history with what the log says.
    ///
    /// - Throws: `StoreError` or ``EngineError`` when something is damaged: file, offset and what to do.
    public static func verify(
        directory path: String, shards: Int = 1, progress: @escaping (Double) -> Void = { _ in }
    ) throws -> Verdict {
        let directory = try DataDirectory.open(at: path, .readOnly)
        let (log, _) = try WriteAheadLog.inspect(directory)
        let history = try History.open(in: directory)
        var options = EngineOptions()
        options.shards = shards
        var recovery = Recovery(
            directory: directory, log: log, history: history, ids: try SealedIds(in: directory), sealer: nil,
            options: options)
        recovery.fromLogAlone = true
        recovery.fillsHistory = false
        recovery.progress = progress
        let clock = SystemClock()
        let started = clock.now()
        let result = try recovery.run()
        let seconds = Double(clock.now() - started) / 1e9
        let hash = result.world.stateHash()
        var invariants = result.world.checkInvariants()
        invariants.append(try snapshotInvariant(recovery, hash: hash))
        invariants.append(
            World.Invariant(name: "sealed_ids_match_log", violation: sealedViolation(directory, result.world)))
        invariants.append(World.Invariant(name: "history_is_whole", violation: historyViolation(history)))
        return Verdict(
            hash: hash, sequence: result.world.sequence, members: result.world.memberCount,
            actions: result.world.actionCount, invariants: invariants, replayed: result.replayed,
            replaySeconds: seconds)
    }

    /// Whether the newest snapshot and the log behind it lead to the same state as the log alone.
    private static func snapshotInvariant(_ recovery: Recovery, hash: String) throws -> World.Invariant {
        // Without one, that would be the replay that was just done once more.
        guard try !Snapshots.list(in: recovery.directory).isEmpty else {
            return World.Invariant(name: "snapshot_matches_log", violation: "")
        }
        var fromSnapshot = recovery
        fromSnapshot.fromLogAlone = false
        fromSnapshot.ids = try SealedIds(in: recovery.directory)
        fromSnapshot.progress = { _ in }
        let result = try fromSnapshot.run()
        guard result.snapshotSequence > 0 else { return World.Invariant(name: "snapshot_matches_log", violation: "") }
        return World.Invariant(
            name: "snapshot_matches_log",
            violation: result.world.stateHash() == hash
                ? "" : "the snapshot at position \(result.snapshotSequence) leads to another state than the log")
    }

    /// Whether the files of sealed external ids that snapshots count on are whole, and say what the log says.
    private static func sealedViolation(_ directory: DataDirectory, _ world: World) -> String {
        do {
            for named in try Snapshots.sealedRuns(in: directory) {
                let file = try SealedIdFile(named, in: directory)
                var strange: RememberedId?
                try file.verify { key, id in
                    if world.idInMemory(key, in: file.workspace) != id { strange = id }
                }
                if let strange {
                    return "file \(file.path): an id of log position \(strange.sequence) is not what the log says"
                }
            }
            return ""
        } catch {
            return "\(error)"
        }
    }

    private static func historyViolation(_ history: History) -> String {
        do {
            _ = try history.verify()
            return ""
        } catch {
            return "\(error)"
        }
    }

    /// Hands out every command of the log in order, with the time of its batch.
    ///
    /// - Throws: what `body` throws, and errors of the log.
    public static func readLog(
        directory path: String, from first: UInt64 = 1,
        _ body: (_ sequence: UInt64, _ time: Int64, _ command: Command) throws -> Void
    ) throws {
        let directory = try DataDirectory.open(at: path, .readOnly)
        let (log, _) = try WriteAheadLog.inspect(directory)
        guard first <= log.lastSequence else { return }
        var from = log.firstSequence
        if first > from { from = try log.batch(containing: first).info.firstSequence }
        var reader = try log.reader(from: from)
        while let record = try reader.next() {
            var source = ByteSource(record.payload)
            var shape = ActionShape()
            for sequence in record.info.firstSequence..<(record.info.firstSequence + UInt64(record.info.count)) {
                let command = try CommandCoding.decode(&source, shape: &shape)
                if sequence >= first { try body(sequence, record.info.time, command) }
            }
        }
    }

    /// Opens a stopped directory, takes a snapshot and closes it again.
    ///
    /// - Returns: the log position that the snapshot covers.
    public static func snapshot(directory path: String) throws -> UInt64 {
        final class Nothing: BatchSource {
            func take(timeoutNanoseconds: Int64) -> (any EngineBatch)? { nil }
            func failed(_ error: any Error) {}
        }
        let engine = try Engine(directory: path, options: EngineOptions())
        engine.start(source: Nothing())
        defer { try? engine.stop() }
        return try engine.takeSnapshot()
    }
}
