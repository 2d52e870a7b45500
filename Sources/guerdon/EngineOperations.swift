import Glibc
import GuerdonCore
import GuerdonEngine
import GuerdonServer
import GuerdonWire

/// What the commands do, done by the engine and the server.
let operations: any Operations = EngineOperations()

struct EngineOperations: Operations {
    func serve(_ settings: ServeSettings, ready: @escaping @Sendable (String, Int) -> Void) throws {
        guard ["127.0.0.1", "::1", "localhost"].contains(settings.host) else {
            throw EngineError(
                "not_loopback",
                "without tokens the server listens on loopback only, not on \(settings.host); use --host 127.0.0.1.")
        }
        let shards = settings.shards ?? 1
        guard shards & (shards - 1) == 0 else {
            throw EngineError("bad_shards", "--shards must be a power of two (1, 2, 4, 8 …), not \(shards).")
        }
        guard settings.createsData || access(settings.data, F_OK) == 0 else {
            throw EngineError(
                "directory_missing",
                "there is no data directory \(settings.data). Check the path, or make a new one with --init.")
        }
        let signals = SignalWaiter()
        var options = EngineOptions()
        options.shards = shards
        options.idsPerGeneration = settings.idsPerGeneration ?? options.idsPerGeneration
        options.createIfMissing = settings.createsData
        options.report = { Terminal.error.line("guerdon: \($0)") }
        let engine = try Engine(directory: settings.data, options: options)
        tell(engine.recovery)
        var limits = ServerLimits()
        limits.lineSeconds = Double(settings.lineTimeout)
        limits.replySeconds = Double(settings.replyTimeout)
        let server = Server(
            limits: limits,
            onFailure: { error in
                // Nothing more is acknowledged; clients see closed connections and send again elsewhere or later.
                Terminal.error.line("guerdon serve: \(error)")
                _exit(1)
            })
        server.snapshot = { try engine.takeSnapshot() }
        server.logBytes = { engine.logBytes }
        let port = try listening(server, settings)
        engine.start(source: server.source)
        ready(settings.host, port)
        signals.wait()
        try server.drain()
        try engine.stop()
        try server.stop()
    }

    /// Binds the port; returns the one that was bound.
    private func listening(_ server: Server, _ settings: ServeSettings) throws -> Int {
        do { return try server.start(host: settings.host, port: settings.port) } catch {
            let advice =
                (error as? ListenError)?.number == EACCES
                ? "Ports below 1024 are the system's; choose another --port."
                : "Choose another --port, or stop whoever uses this one."
            throw EngineError(
                "cannot_listen", "cannot listen on \(settings.host):\(settings.port): \(error). \(advice)")
        }
    }

    private func tell(_ recovery: RecoverySummary) {
        if recovery.droppedBytes > 0 {
            Terminal.error.line(
                "guerdon: the log ended in \(recovery.droppedBytes) unfinished bytes, never acknowledged; kept in \(recovery.droppedFile ?? "-")"
            )
        }
        guard recovery.sequence > 0 else { return }
        let from = recovery.snapshotSequence > 0 ? " behind the snapshot at \(recovery.snapshotSequence)" : ""
        let milliseconds = recovery.nanoseconds / 1_000_000
        Terminal.error.line(
            "guerdon: recovered to position \(recovery.sequence) in \(milliseconds) ms: \(recovery.replayed) commands replayed\(from)"
        )
    }

    func verify(directory: String, progress: @escaping (Double) -> Void) throws -> Verification {
        let verdict = try Inspection.verify(directory: directory, progress: progress)
        return Verification(
            hash: verdict.hash, sequence: verdict.sequence, members: verdict.members, actions: Int(verdict.actions),
            invariants: verdict.invariants.map {
                Verification.Invariant(name: $0.name, holds: $0.holds, detail: $0.holds ? nil : $0.violation)
            }, replayed: verdict.replayed, replaySeconds: verdict.replaySeconds)
    }

    func readLog(
        directory: String, from sequence: UInt64, line: (_ sequence: UInt64, _ json: String) throws -> Void
    ) throws {
        let text = ByteSink(capacity: 4096)
        defer { text.deallocate() }
        try Inspection.readLog(directory: directory, from: sequence) { sequence, time, command in
            text.removeAll()
            CommandJSON.write(command, sequence: sequence, time: time, into: text)
            // The line end is the printer's.
            try line(sequence, String(decoding: text.bytes.dropLast(), as: UTF8.self))
        }
    }

    func snapshot(directory: String) throws -> UInt64 { try Inspection.snapshot(directory: directory) }
}

/// Waits for SIGTERM or SIGINT on the calling thread; made before other threads start, so that they all leave them to it.
private struct SignalWaiter {
    private var set = sigset_t()

    init() {
        sigemptyset(&set)
        sigaddset(&set, SIGTERM)
        sigaddset(&set, SIGINT)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        // A client that goes away must not end the process.
        signal(SIGPIPE, SIG_IGN)
        // Reaching a file size limit is an error of the write, not a reason to die.
        signal(SIGXFSZ, SIG_IGN)
    }

    func wait() {
        var set = set
        var received: Int32 = 0
        sigwait(&set, &received)
    }
}
