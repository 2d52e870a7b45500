import Glibc
public import GuerdonClient

/// Runs the scoring job against a server and measures it from outside, as a producer sees it.
public struct Bench {
    private let options: BenchOptions
    private let progress: (BenchStage) -> Void

    /// Connections and window that make the members; one connection, since each member comes behind its referrer.
    private static let memberWindow = 8_192
    /// The load goes on so long around the snapshot.
    private static let snapshotSeconds = 1.0
    private static let snapshotSecondsMax = 120.0

    /// Prepares a measurement.
    ///
    /// - Precondition: the options have no complaint.
    public init(_ options: BenchOptions, progress: @escaping (BenchStage) -> Void = { _ in }) {
        precondition(options.complaint == nil)
        self.options = options
        self.progress = progress
    }

    /// Measures; takes at least the time that the options ask for.
    ///
    /// - Throws: ``ClientError`` when the server does not start, ends, or refuses the preparation.
    public func run() throws(ClientError) -> BenchReport {
        if let endpoint = options.endpoint { return try measure(at: endpoint, subject: nil) }
        let subject = try Subject(options)
        progress(.starting)
        try subject.start()
        var report = try measure(at: subject.endpoint, subject: subject)
        progress(.replay)
        try subject.stopAndReplay(into: &report)
        return report
    }

    private func measure(at endpoint: Endpoint, subject: Subject?) throws(ClientError) -> BenchReport {
        let job = ScoringJob(
            seed: options.seed, members: options.members, duplicates: options.duplicates, fanout: options.fanout)
        let control = try Connection(to: endpoint)
        try refuseUsedSeed(job, control)
        for line in ScoringJob.setupLines(levels: options.levels, plans: options.plans) {
            _ = try control.request(line)
        }
        let emptyBytes = subject?.meter?.residentBytes
        try makeMembers(job, at: endpoint)
        let fullBytes = subject?.meter?.residentBytes

        let loop = try LoadLoop(
            to: endpoint, connections: options.connections, window: options.window,
            acknowledgement: options.acknowledgement)
        let logBefore = try logBytes(control)
        let cpuBefore = subject?.meter?.cpuSeconds
        var source = ActionLines(
            job, from: 0, limit: UInt64(options.actions ?? .max), readRatio: options.readRatio)
        let run = try measured(loop, &source)
        var report = BenchReport(run, options: options)
        report.residentBytes = subject?.meter?.residentBytes
        let count = Double(max(1, report.acknowledged))
        if let cpuBefore, let cpuAfter = subject?.meter?.cpuSeconds {
            report.serverCPUMicrosPerAction = (cpuAfter - cpuBefore) * 1e6 / count
        }
        if let emptyBytes, let fullBytes {
            report.bytesPerMember = Double(fullBytes - emptyBytes) / Double(job.members)
        }
        if let logBefore, let logAfter = try logBytes(control) {
            report.logBytesPerAction = Double(logAfter - logBefore) / count
        }
        if subject != nil {
            progress(.snapshot)
            report.snapshotPauseMilliseconds = try snapshotPause(loop, job, from: source.position, at: endpoint)
        }
        return report
    }

    /// A server that had these actions before would answer with duplicates or conflicts, and that is not what is measured.
    private func refuseUsedSeed(_ job: ScoringJob, _ control: Connection) throws(ClientError) {
        // Every run begins with action 0.
        let id = job.externalId(0)
        let known: Bool
        do throws(ClientError) {
            known = try control.request(#"{"op":"explain","externalId":"\#(id)"}"#)["command"] != nil
        } catch {
            guard error.code == .refused else { throw error }
            known = false
        }
        guard !known else {
            throw ClientError(
                .refused,
                "the server at \(options.endpoint ?? Endpoint()) has had the actions of --seed \(job.seed) before "
                    + "(\(id) is known); choose another --seed, or a server without data")
        }
    }

    /// What the server says that its log holds; segments are allocated ahead, so the files' sizes say little.
    private func logBytes(_ control: Connection) throws(ClientError) -> Int? {
        try control.request(#"{"op":"stats"}"#)["logBytes"]?.integer
    }

    private func makeMembers(_ job: ScoringJob, at endpoint: Endpoint) throws(ClientError) {
        let loop = try LoadLoop(to: endpoint, connections: 1, window: Self.memberWindow, acknowledgement: .each)
        var source = MemberLines(job)
        let run = try loop.run(&source) { _, counts in
            progress(.members(counts.acknowledged, of: options.members))
            return false
        }
        if let refusal = run.counts.firstRefusal {
            throw ClientError(
                .refused,
                "members were refused: \(refusal); members of another --fanout need a server without data")
        }
    }

    private func measured(_ loop: LoadLoop, _ source: inout ActionLines) throws(ClientError) -> LoadLoop.Run {
        let seconds = options.seconds ?? (options.actions == nil ? 10 : nil)
        let limit = seconds.map { Int64($0 * 1e9) } ?? .max
        return try loop.run(&source, rate: options.rate) { elapsed, counts in
            let byTime = Double(elapsed) / Double(limit)
            let byCount = options.actions.map { Double(counts.commandsSent) / Double($0) } ?? 0
            progress(.actions(counts.acknowledged, fraction: max(byTime, byCount)))
            return elapsed >= limit
        }
    }

    /// The longest wait for an acknowledgement while a snapshot is taken under the same load.
    private func snapshotPause(
        _ loop: LoadLoop, _ job: ScoringJob, from position: UInt64, at endpoint: Endpoint
    ) throws(ClientError) -> Double? {
        var source = ActionLines(job, from: position, limit: .max, readRatio: options.readRatio)
        let request = try PendingRequest(#"{"op":"snapshot"}"#, at: endpoint)
        var endsAt: Int64?
        let run = try loop.run(&source, rate: options.rate) { elapsed, _ in
            if endsAt == nil, request.isAnswered { endsAt = elapsed + Int64(Self.snapshotSeconds * 1e9) }
            return elapsed >= endsAt ?? Int64(Self.snapshotSecondsMax * 1e9)
        }
        guard request.isAnswered, request.isAccepted else { return nil }
        return Double(run.latencies.max) / 1e6
    }
}

extension BenchReport {
    init(_ run: LoadLoop.Run, options: BenchOptions) {
        let counts = run.counts
        // In `each` mode reads are acknowledged like commands; in cumulative mode refused commands are.
        let others = options.acknowledgement == .each ? counts.readsSent : counts.refused
        acknowledged = counts.acknowledged - others
        seconds = Double(run.nanoseconds) / 1e9
        duplicates = options.acknowledgement == .each ? counts.duplicates : counts.duplicatesSent
        refused = counts.refused
        firstRefusal = counts.firstRefusal
        reads = counts.readsSent
        latency = Latency(run.latencies)
        unsent = run.unsent
        secondsBehind = Double(run.behind) / 1e9
        self.options = options
    }
}

/// A request whose answer is looked for now and then, without waiting.
private final class PendingRequest {
    private let socket: TCPSocket
    private var incoming = LineBuffer(capacity: 4_096)
    private var answer: Reply?

    init(_ line: String, at endpoint: Endpoint) throws(ClientError) {
        socket = try TCPSocket(host: endpoint.host, port: endpoint.port, blocking: false)
        _ = Array((line + "\n").utf8).withUnsafeBytes { socket.write($0) }
    }

    /// Looks whether the answer is there; a connection that ended counts as answered.
    var isAnswered: Bool {
        guard answer == nil else { return true }
        if case .ended = incoming.fill({ socket.read(into: $0) }) {
            answer = .event
        } else if let line = incoming.nextLine({ line in Result { () throws(ClientError) in try Reply(line: line) } }) {
            answer = (try? line.get()) ?? .event
        }
        return answer != nil
    }

    var isAccepted: Bool { answer == .done }
}
