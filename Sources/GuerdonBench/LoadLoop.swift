import CPoll
import Glibc
import GuerdonClient

/// Keeps connections full of lines in flight, on the calling thread.
///
/// The loop is closed: a connection sends as many lines as were answered. One wake-up handles every connection that
/// has answers, with one read and one write each. Or it is open: lines are due at fixed times, and those that are due
/// go out together, the connections taking turns; a line that finds every window full waits, and its wait counts.
final class LoadLoop {
    private let connections: [LoadConnection]
    private let sockets: ReadySockets

    /// The results of one run.
    struct Run: Sendable {
        var counts = LoadCounts()
        var latencies = Histogram()
        var nanoseconds: Int64 = 0
        /// Lines that were due and could not even be sent; their waits so far are among the latencies.
        var unsent = 0
        /// In an open loop: from when the last line was due to the last answer.
        var behind: Int64 = 0
    }

    /// How long lines that are due may still be sent after an open loop was told to stop.
    private static let graceNanoseconds: Int64 = 1_000_000_000
    /// An open loop writes at most so often; below 20,000 lines a second every line has a write of its own.
    private static let pauseNanoseconds: Int64 = 50_000
    /// So often at least is asked whether to stop.
    private static let longestWait: Int64 = 100_000_000

    /// Opens the connections.
    init(
        to endpoint: Endpoint, connections count: Int, window: Int, acknowledgement: Acknowledgement
    ) throws(ClientError) {
        var connections: [LoadConnection] = []
        _ = cpoll_raise_descriptor_limit()
        for _ in 0..<count {
            connections.append(try LoadConnection(to: endpoint, window: window, acknowledgement: acknowledgement))
        }
        self.connections = connections
        sockets = try ReadySockets(connections.map { $0.socket.descriptor })
    }

    /// Sends the lines of a source until it is empty or told to stop, and waits for the last answer.
    ///
    /// - Parameters:
    ///   - rate: how many lines are due a second; nil for as many as are answered.
    ///   - shouldStop: asked at every wake-up with the time since the start in nanoseconds and the counts so far.
    /// - Throws: ``ClientError`` when a connection ends.
    func run<Source: LineSource>(
        _ source: inout Source, rate: Double? = nil, shouldStop: (Int64, LoadCounts) -> Bool
    ) throws(ClientError) -> Run {
        var run = Run()
        let start = monotonicNanoseconds()
        if let rate {
            try runOpen(&source, Schedule(start: start, rate: rate), &run, shouldStop)
        } else {
            try runClosed(&source, from: start, &run, shouldStop)
        }
        run.nanoseconds = monotonicNanoseconds() - start
        return run
    }

    private var isIdle: Bool { connections.allSatisfy { $0.isIdle } }

    private func runClosed<Source: LineSource>(
        _ source: inout Source, from start: Int64, _ run: inout Run, _ shouldStop: (Int64, LoadCounts) -> Bool
    ) throws(ClientError) {
        var hasMore = true
        for index in connections.indices {
            hasMore = try refill(index, &source, hasMore: hasMore, since: .now(start), counts: &run.counts)
        }
        while !isIdle {
            try sockets.wait(nanoseconds: Self.longestWait) { ready throws(ClientError) in
                if ready.hasInput {
                    try connections[ready.index].receive(latencies: &run.latencies, counts: &run.counts)
                }
                let now = monotonicNanoseconds()
                hasMore = try refill(ready.index, &source, hasMore: hasMore, since: .now(now), counts: &run.counts)
            }
            if hasMore, shouldStop(monotonicNanoseconds() - start, run.counts) { hasMore = false }
        }
    }

    private func runOpen<Source: LineSource>(
        _ source: inout Source, _ schedule: Schedule, _ run: inout Run, _ shouldStop: (Int64, LoadCounts) -> Bool
    ) throws(ClientError) {
        cpoll_be_punctual()
        var sent = 0
        var turn = 0
        var hasMore = true
        /// How many lines there are, once the loop was told to stop; and until when they may be sent.
        var end = Int.max
        var giveUpAt = Int64.max
        while hasMore || !isIdle {
            let now = monotonicNanoseconds()
            let due = min(schedule.count(by: now), end)
            let stuck = try send(&source, schedule, &sent, due: due, &turn, &hasMore, &run.counts)
            if hasMore, end == .max, shouldStop(now - schedule.start, run.counts) {
                end = due
                giveUpAt = now + Self.graceNanoseconds
            }
            if sent >= end || now > giveUpAt { hasMore = false }
            // With every window full only answers help; else until the next line is due.
            let next = max(schedule.due(sent), now + Self.pauseNanoseconds)
            let wait = stuck || !hasMore ? Self.longestWait : min(Self.longestWait, next - monotonicNanoseconds())
            try sockets.wait(nanoseconds: wait) { ready throws(ClientError) in
                if ready.hasInput {
                    try connections[ready.index].receive(latencies: &run.latencies, counts: &run.counts)
                }
                try flush(ready.index)
            }
        }
        let now = monotonicNanoseconds()
        run.behind = sent == 0 ? 0 : now - schedule.due(sent - 1)
        guard end < .max, sent < end else { return }
        run.unsent = end - sent
        for number in sent..<end { run.latencies.record(now - schedule.due(number)) }
    }

    /// Sends what is due, as far as the windows allow; returns whether some of it has to wait.
    private func send<Source: LineSource>(
        _ source: inout Source, _ schedule: Schedule, _ sent: inout Int, due: Int, _ turn: inout Int,
        _ hasMore: inout Bool, _ counts: inout LoadCounts
    ) throws(ClientError) -> Bool {
        var tried = 0
        while hasMore, sent < due, tried < connections.count {
            let made = connections[turn].refill(
                from: &source, atMost: due - sent, since: .due(schedule, first: sent), counts: &counts)
            sent += made.lines
            hasMore = made.hasMore
            if made.lines > 0 { try flush(turn) }
            turn = turn + 1 == connections.count ? 0 : turn + 1
            tried += 1
        }
        return hasMore && sent < due
    }

    /// Fills a connection's window and writes; returns whether the source has more.
    private func refill<Source: LineSource>(
        _ index: Int, _ source: inout Source, hasMore: Bool, since start: LoadConnection.Start,
        counts: inout LoadCounts
    ) throws(ClientError) -> Bool {
        var hasMore = hasMore
        if hasMore { hasMore = connections[index].refill(from: &source, since: start, counts: &counts).hasMore }
        try flush(index)
        return hasMore
    }

    /// Writes what the kernel takes, and asks to be told when it takes the rest.
    private func flush(_ index: Int) throws(ClientError) {
        let connection = connections[index]
        if case .ended(let reason) = connection.flush() { throw connection.failure(reason) }
        sockets.setWaitsForOutput(connection.hasUnwritten, at: index)
    }
}
