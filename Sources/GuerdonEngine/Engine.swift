import GuerdonCore
package import GuerdonStore
import Synchronization

/// Where the engine takes its batches from.
public protocol BatchSource: AnyObject, Sendable {
    /// The next batch, not empty; waits for one.
    ///
    /// Called on the evaluating thread, when everything before is durable.
    ///
    /// - Returns: `nil` when none came in time, or none will come any more.
    func take(timeoutNanoseconds: Int64) -> (any EngineBatch)?

    /// The engine starts to take batches. While ``take(timeoutNanoseconds:)`` waits, the source may give a small batch to
    /// `runner` instead, on a thread of its own; the two must not overlap.
    func begin(_ runner: any BatchRunner)

    /// The engine cannot go on: nothing more is acknowledged. Stop serving and exit with a failure.
    func failed(_ error: any Error)
}

/// Does small batches on the thread of whoever has them: to wake the evaluating thread takes longer than the work.
public protocol BatchRunner: AnyObject, Sendable {
    /// Whether a batch may be done on the calling thread: it is small, and nothing else is due.
    func takesHere(_ batch: any EngineBatch) -> Bool
    /// Makes a batch durable, applies it and releases it, all on the calling thread.
    func runHere(_ batch: any EngineBatch)
}

extension BatchSource {
    public func begin(_ runner: any BatchRunner) {}
}

/// The ledger of one data directory: takes batches, makes them durable and applies them, and lets their answers go.
///
/// Two threads: one evaluates, the other writes and syncs the log; a batch's answers leave when both are done with it.
/// Nothing that leaves shows what a power cut could take back.
public final class Engine: @unchecked Sendable {
    // Sendable: the world belongs to the evaluating thread once `start` was called; while that waits for a batch, it
    // belongs to whoever calls `runHere`.
    private let directory: DataDirectory
    private let log: WriteAheadLog
    private let history: History
    private let world: World
    private let options: EngineOptions
    private let control = Monitor(Control())
    private var journal: Journal?
    private var evaluator: DedicatedThread?
    private weak var source: (any BatchSource)?
    private let snapshots: SnapshotTaker
    let sealer: IdSealer
    private var memory: MemoryKeeper?
    private var historian: HistoryKeeper?
    private var archiver: DedicatedThread?

    /// Bytes of commands and record headers logged since the engine was opened.
    public var logBytes: Int64 { Int64(loggedBytes.load(ordering: .relaxed)) }
    private let loggedBytes = Atomic<Int>(0)

    /// What opening found, for the operator.
    public let recovery: RecoverySummary

    /// Batches of so many commands are made durable by the evaluating thread itself.
    private static let smallBatch = 32

    /// What the log writes in front of every batch.
    private static let recordHeaderBytes = 64

    private struct Control {
        var isStopping = false
        var isDone = false
        var failure: (any Error)?
        var wantsSnapshot = false
        var snapshotsDone: UInt64 = 0
    }

    /// Opens a data directory and recovers its state.
    ///
    /// - Throws: `StoreError` or ``EngineError``, with what is wrong and what to do.
    public convenience init(directory path: String, options: EngineOptions) throws {
        try self.init(directory: path, options: options, faults: nil)
    }

    /// The same, with every file operation subject to `faults`.
    package init(directory path: String, options: EngineOptions, faults: FaultPlan?) throws {
        self.options = options
        directory = try Engine.openDirectory(path, create: options.createIfMissing, faults)
        log = try WriteAheadLog.open(in: directory)
        history = try History.open(in: directory)
        let started = options.clock.now()
        let sealed = try SealedIds(in: directory)
        sealer = IdSealer(sealed, options: options)
        let result = try Recovery(
            directory: directory, log: log.log, history: history, ids: sealed, sealer: sealer, options: options
        ).run()
        world = result.world
        let torn = log.recovery.tornTail
        recovery = RecoverySummary(
            sequence: world.sequence, replayed: result.replayed, snapshotSequence: result.snapshotSequence,
            nanoseconds: options.clock.now() - started, droppedBytes: torn?.bytes ?? 0, droppedFile: torn?.copy)
        snapshots = SnapshotTaker(directory: directory, history: history, sealer: sealer, options: options)
        try sealed.removeUnused()
    }

    deinit { sealer.close() }

    /// Opens a directory; makes it first when it is missing or empty and that was asked for.
    private static func openDirectory(
        _ path: String, create: Bool, _ faults: FaultPlan?
    ) throws(StoreError) -> DataDirectory {
        do throws(StoreError) {
            return try DataDirectory.open(at: path, .readWrite, faults: faults)
        } catch {
            guard create, error.code == .directoryMissing || error.code == .notInitialized else { throw error }
            try DataDirectory.create(at: path)
            return try DataDirectory.open(at: path, .readWrite, faults: faults)
        }
    }

    /// Starts to take batches.
    public func start(source: any BatchSource) {
        let journal = Journal(log: log) { [control] error in
            control.change { if $0.failure == nil { $0.failure = error } }
            source.failed(error)
        }
        self.journal = journal
        let memory = MemoryKeeper()
        self.memory = memory
        let historian = HistoryKeeper(history)
        self.historian = historian
        self.source = source
        source.begin(self)
        archiver = DedicatedThread(name: "archiver", givesWay: true) { [self] in archive() }
        evaluator = DedicatedThread(name: "evaluator") { [self] in
            do {
                try evaluate(source, journal, memory, historian)
            } catch {
                fail(error)
            }
            control.change { $0.isDone = true }
        }
    }

    /// Tells the first failure; nothing is acknowledged any more.
    private func fail(_ error: any Error) {
        let isFirst = control.change { control in
            defer { if control.failure == nil { control.failure = error } }
            return control.failure == nil
        }
        if isFirst { source?.failed(error) }
    }

    /// Ends: what the source still gives is finished, the log is sealed, the history written.
    ///
    /// - Throws: what made the engine fail, if it did.
    public func stop() throws {
        control.change { $0.isStopping = true }
        evaluator?.join()
        evaluator = nil
        journal?.close()
        journal = nil
        snapshots.finish(world)
        historian?.close()
        historian = nil
        sealer.close()
        memory?.close()
        memory = nil
        archiver?.join()
        archiver = nil
        if let failure = control.wait({ .some($0.failure) }) ?? nil { throw failure }
        if world.sequence > 0 { try history.enqueue(world.postings) }
        try history.flush(through: world.sequence, sync: true)
    }

    /// Takes a snapshot now and waits for it.
    ///
    /// - Returns: the log position it covers.
    public func takeSnapshot() throws -> UInt64 {
        let before = control.change { control in
            control.wantsSnapshot = true
            return control.snapshotsDone
        }
        _ = control.wait { $0.snapshotsDone > before || $0.failure != nil ? true : nil }
        return try snapshots.result()
    }

    private func evaluate(
        _ source: any BatchSource, _ journal: Journal, _ memory: MemoryKeeper, _ historian: HistoryKeeper
    ) throws {
        let tickBatch = CommandBatch()
        var lastSnapshot = log.bytesAppended
        var rate = LogRate(bytes: lastSnapshot, at: now())
        var isSnapshotDue = false
        while true {
            guard journal.waitUntilIdle() else { return }
            try settleBatch(historian)
            snapshots.collect(world)
            sealer.exchange(with: world)
            // Asked before the source is: what came until then is still taken.
            let isLast = isStopping
            memory.check()
            let bytesPerSecond = rate.note(bytes: log.bytesAppended, at: now())
            if !isSnapshotDue, !snapshots.isRunning, wantsSnapshot(logBytes: log.bytesAppended - lastSnapshot) {
                isSnapshotDue = true
                lastSnapshot = log.bytesAppended
                let expected = Int(clamping: bytesPerSecond) * Engine.copiesPerLogByte
                memory.prepare(byteCount: min(expected, world.imageCopyBytes))
            }
            if isSnapshotDue, isLast || memory.isReady {
                isSnapshotDue = false
                snapshots.start(world, chain: log.chain) { [control] in control.change { $0.snapshotsDone += 1 } }
            }
            guard let batch = source.take(timeoutNanoseconds: timeout()) else {
                if isLast { return }
                try tickIfDue(tickBatch, journal)
                // What a snapshot had made ready is kept for the next one, as long as there are actions that would wait for it.
                if bytesPerSecond == 0, !isSnapshotDue, !snapshots.isRunning {
                    StateReserve.trim(atMost: Engine.piecesTrimmed)
                }
                continue
            }
            try run(batch, tickBatch, journal)
        }
    }

    /// Ends a batch that is durable.
    private func settleBatch(_ historian: HistoryKeeper) throws {
        try historian.take(from: world)
        world.forgetBatch()
    }

    /// Packs segments that are full, so that the log takes little space and their files can be written again.
    private func archive() {
        let second: Int64 = 1_000_000_000
        var hasFailed = false
        while control.wait(nanoseconds: second, { $0.isStopping || $0.failure != nil ? true : nil }) == nil {
            do {
                var start = ContinuousClock.now
                _ = try log.log.archiveSealedSegments { [self] waiting in
                    if waiting == 1 { restFromArchiving(start.duration(to: .now) * 3) }
                    start = .now
                }
            } catch {
                // The log itself is not in danger: tell once and try again later.
                if !hasFailed { options.report("segments are not archived: \(error)") }
                hasFailed = true
            }
        }
    }

    /// The disk and the processors are there for the log first: packing in small pieces keeps nobody waiting for long.
    private func restFromArchiving(_ duration: Duration) {
        let longest = Duration.milliseconds(50)
        let nanoseconds = Int64(min(duration, longest) / .nanoseconds(1))
        _ = control.wait(nanoseconds: nanoseconds) { $0.isStopping ? true : nil }
    }

    private var isStopping: Bool { control.wait { .some($0.isStopping) } ?? true }

    private func wantsSnapshot(logBytes: UInt64) -> Bool {
        control.changeQuietly { control in
            if control.wantsSnapshot {
                control.wantsSnapshot = false
                return true
            }
            return options.snapshotEveryLogBytes > 0 && logBytes >= options.snapshotEveryLogBytes
        }
    }

    /// Pieces of memory that an engine without work gives back at once, ten times a second.
    private static let piecesTrimmed = 8

    /// Bytes that writes put aside while a snapshot is under way, for each byte that is logged in a second: an action of some 30
    /// bytes touches half a dozen lines of 64 bytes, for ten seconds.
    private static let copiesPerLogByte = 128

    /// Until the next lot expires, and not longer than a tenth of a second, so that a stop or a snapshot is noticed.
    private func timeout() -> Int64 {
        let longest: Int64 = 100_000_000
        guard let next = world.nextExpiry() else { return longest }
        return min(longest, max(1_000_000, next &- now()))
    }

    private func now() -> Int64 { max(world.time, options.clock.now()) }

    private func tickIfDue(_ tick: CommandBatch, _ journal: Journal) throws {
        let time = now()
        guard let due = world.nextExpiry(), due <= time else { return }
        prepareTick(tick, time)
        journal.submit([tick]) {}
        try world.apply(tick)
    }

    private func prepareTick(_ tick: CommandBatch, _ time: Int64) {
        tick.reset()
        tick.append(.tick)
        tick.firstSequence = world.sequence + 1
        tick.time = time
    }

    private func stamp(_ commands: CommandBatch, first: UInt64, _ time: Int64) {
        commands.firstSequence = first
        commands.time = time
        loggedBytes.add(commands.body.count + Engine.recordHeaderBytes, ordering: .relaxed)
    }

    /// Does a small batch from end to end on the calling thread.
    private func runAlone(_ batch: any EngineBatch, _ journal: Journal) throws {
        let commands = batch.commands
        guard commands.count > 0 else {
            // Reads alone have nothing to log: all they can show is durable already.
            batch.applied(world)
            return batch.released()
        }
        stamp(commands, first: world.sequence + 1, now())
        let apply = { [world] in
            try world.apply(commands)
            batch.applied(world)
        }
        try journal.perform(commands, during: apply, release: batch.released)
    }

    /// Stamps a batch, hands it to the journal and applies it meanwhile.
    private func run(_ batch: any EngineBatch, _ tick: CommandBatch, _ journal: Journal) throws {
        let commands = batch.commands
        let time = now()
        let isTicking = commands.count > 0 && world.nextExpiry().map { $0 <= time } ?? false
        if !isTicking, commands.count <= Engine.smallBatch { return try runAlone(batch, journal) }
        if isTicking { prepareTick(tick, time) }
        stamp(commands, first: world.sequence + (isTicking ? 2 : 1), time)
        let pending = Monitor(2)
        let finish: @Sendable () -> Void = {
            if pending.change({ count in
                count -= 1
                return count == 0
            }) {
                batch.released()
            }
        }
        journal.submit(isTicking ? [tick, commands] : [commands], done: finish)
        if isTicking {
            try world.apply(tick)
            let expired = world.takePostings()
            try world.apply(commands)
            world.putBefore(expired)
        } else {
            try world.apply(commands)
        }
        batch.applied(world)
        finish()
    }
}

extension Engine: BatchRunner {
    public func takesHere(_ batch: any EngineBatch) -> Bool {
        batch.commands.count <= Engine.smallBatch && control.changeQuietly { $0.failure == nil && !$0.isDone }
            && world.nextExpiry().map { $0 > now() } ?? true
    }

    public func runHere(_ batch: any EngineBatch) {
        guard let journal, let memory, let historian else { return }
        do {
            try runAlone(batch, journal)
            try settleBatch(historian)
            memory.check()
        } catch {
            fail(error)
        }
    }
}

/// What opening a data directory found.
public struct RecoverySummary: Sendable {
    /// Log position of the state.
    public var sequence: UInt64
    /// Commands replayed from the log.
    public var replayed: UInt64
    /// Log position of the snapshot that was loaded; 0 for none.
    public var snapshotSequence: UInt64
    /// How long it took.
    public var nanoseconds: Int64
    /// Bytes of an unfinished tail that were cut off; none of it had been acknowledged.
    public var droppedBytes: UInt64
    /// Where they were copied to.
    public var droppedFile: String?
}
