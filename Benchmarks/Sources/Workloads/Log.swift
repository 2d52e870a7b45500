import GuerdonCore
import GuerdonStore
import GuerdonWire

extension Workload {
    /// The log and the history on disk; nothing waits for a sync.
    static let log = [
        Workload("log-append", unit: "batch", operations: 1) { try AppendSession() },
        Workload("log-read", unit: "batch", operations: 100, warmUp: 1, calls: 2) { try ReadSession() },
        Workload("log-history", unit: "action", operations: ScoringWorld.batch) { try HistorySession() },
    ]
}

/// Batches of actions, and a directory with a log to put them into.
private class LogSession {
    let scratch: Scratch
    let scoring: ScoringWorld
    let directory: DataDirectory
    let log: WriteAheadLog

    init() throws {
        scratch = try Scratch()
        scoring = try ScoringWorld()
        directory = try scratch.dataDirectory()
        log = try WriteAheadLog.open(in: directory)
    }

    func append(_ batch: CommandBatch) throws {
        try log.append(
            firstSequence: log.lastSequence + 1, count: UInt32(batch.count), time: ScoringWorld.time, batch.body.bytes)
    }
}

/// Appends a batch of 1,000 actions: header, checksums and one system call.
private final class AppendSession: LogSession, Session {
    private var next: CommandBatch?

    func prepare() { next = scoring.decode(scoring.nextLines()).commands }

    func run() throws {
        guard let next else { return expect(false, "nothing was prepared") }
        try append(next)
    }
}

/// Reads 100 batches of 1,000 actions back and checks them.
private final class ReadSession: LogSession, Session {
    override init() throws {
        try super.init()
        for _ in 0..<100 { try append(scoring.decode(scoring.nextLines()).commands) }
        try log.sync()
    }

    func run() throws {
        var reader = try log.log.reader()
        var (batches, commands) = (0, 0)
        while let record = try reader.next() {
            batches += 1
            commands += Int(record.info.count)
        }
        expect(batches == 100 && commands == 100 * ScoringWorld.batch, "\(batches) batches, \(commands) commands")
    }
}

/// Keeps what batches of actions paid.
private final class HistorySession: Session {
    private let scratch: Scratch
    private let scoring: ScoringWorld
    private let history: History

    init() throws {
        scratch = try Scratch()
        scoring = try ScoringWorld()
        history = try History.open(in: scratch.dataDirectory())
    }

    func prepare() throws { try scoring.applyActions() }

    func run() throws {
        try history.append(scoring.world.postings.elements)
        expect(history.lastSequence + 100 > scoring.world.sequence, "the history does not grow")
    }
}
