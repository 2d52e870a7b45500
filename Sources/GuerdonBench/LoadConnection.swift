import Glibc
import GuerdonClient

/// How a connection's commands are acknowledged; the wire's own words.
public enum Acknowledgement: String, Sendable, CaseIterable {
    /// One reply a command.
    case each
    /// One reply for all commands up to a number.
    case cumulative
}

/// What a run of the load loop counts.
struct LoadCounts: Sendable {
    /// Commands sent, those of them that were sent before, and reads.
    var commandsSent = 0
    var duplicatesSent = 0
    var readsSent = 0
    /// Commands that are durable and applied, and reads that are answered.
    var acknowledged = 0
    var answered = 0
    /// Of the acknowledged ones, how many the server called duplicates (not told in cumulative mode).
    var duplicates = 0
    var refused = 0
    /// The first refusal, for people.
    var firstRefusal: String?
}

/// One connection under load: lines going out, answers coming in, and when each group of lines was written.
///
/// Times are taken once per system call, not once per line: all lines of one write share their start, unless each has a
/// time when it is due, and all answers of one read share their end.
final class LoadConnection {
    let socket: TCPSocket
    private var outgoing: LineWriter
    private var outgoingStart = 0
    private var incoming: LineBuffer
    private let acknowledgement: Acknowledgement
    /// How many more lines may be sent now.
    private(set) var credit: Int
    private let window: Int
    private var commands = SentGroups()
    private var reads = SentGroups()
    /// The number of the connection's last command that is acknowledged, in cumulative mode.
    private var acknowledgedNumber: Int
    /// What the server refused last.
    private var lastRefusal: String?

    /// Connects and chooses the acknowledgement; waits for both.
    init(to endpoint: Endpoint, window: Int, acknowledgement: Acknowledgement) throws(ClientError) {
        self.window = window
        self.acknowledgement = acknowledgement
        credit = window
        outgoing = LineWriter(capacity: window * ScoringJob.lineBytesMax)
        incoming = LineBuffer(capacity: 256 << 10)
        acknowledgedNumber = 0
        socket = try TCPSocket(host: endpoint.host, port: endpoint.port, blocking: false)
        if acknowledgement == .cumulative { acknowledgedNumber = try greet() }
    }

    /// Chooses cumulative acknowledgement; returns the number of the connection's last command.
    private func greet() throws(ClientError) -> Int {
        // A harmless command behind the greeting shows where this server begins to count.
        outgoing.text(
            """
            {"op":"hello","ack":"cumulative"}
            {"op":"currency.put","currency":"PTS"}

            """)
        while true {
            if case .ended(let reason) = flush() { throw ClientError(.disconnected, reason) }
            while let line = incoming.nextLine({ Array($0) }) {
                let reply = try JSONValue.parse(bytes: line)
                if let refusal = RefusalText(reply["error"]) { throw ClientError(.refused, refusal.message) }
                if let number = reply["ack"]?.integer { return number }
            }
            var polled = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&polled, 1, -1)
            if case .ended(let reason) = incoming.fill({ socket.read(into: $0) }) {
                throw ClientError(.disconnected, reason)
            }
        }
    }

    /// Whether every line is answered.
    var isIdle: Bool { credit == window }

    /// Whether lines wait for the kernel to take them.
    var hasUnwritten: Bool { outgoingStart < outgoing.count }

    /// From when on the lines of one write wait for their answers.
    enum Start {
        /// All of them since this time.
        case now(Int64)
        /// Each since it was due; the first of them has this number.
        case due(Schedule, first: Int)
    }

    /// Makes lines, as many as may be in flight and at most `limit`; ``flush()`` writes them.
    ///
    /// - Returns: how many lines were made, and whether the source may have more.
    @inline(__always)
    func refill<Source: LineSource>(
        from source: inout Source, atMost limit: Int = .max, since start: Start, counts: inout LoadCounts
    ) -> (lines: Int, hasMore: Bool) {
        // Lines that the kernel did not take yet are written first, so that the buffer is empty here.
        guard credit > 0, !hasUnwritten else { return (0, true) }
        let room = min(credit, limit)
        var commandCount = 0
        var readCount = 0
        var hasMore = true
        while commandCount + readCount < room {
            guard let kind = source.writeNext(into: &outgoing) else {
                hasMore = false
                break
            }
            let isRead = kind == .read
            if kind == .duplicate { counts.duplicatesSent += 1 }
            if case .due(let schedule, let first) = start {
                note(1, isRead: isRead, at: schedule.due(first + commandCount + readCount))
            }
            if isRead { readCount += 1 } else { commandCount += 1 }
        }
        credit -= commandCount + readCount
        counts.commandsSent += commandCount
        counts.readsSent += readCount
        if case .now(let time) = start {
            note(commandCount, isRead: false, at: time)
            note(readCount, isRead: true, at: time)
        }
        return (commandCount + readCount, hasMore)
    }

    /// Notes since when some lines wait.
    @inline(__always)
    private func note(_ count: Int, isRead: Bool, at time: Int64) {
        // In `each` mode everything is answered in one order.
        if isRead, acknowledgement == .cumulative {
            reads.append(count: count, at: time)
        } else {
            commands.append(count: count, at: time)
        }
    }

    /// Writes what the kernel takes.
    func flush() -> TCPSocket.Outcome {
        while hasUnwritten {
            let outcome = outgoing.withBytes(from: outgoingStart) { socket.write($0) }
            guard case .moved(let count) = outcome else { return outcome }
            outgoingStart += count
        }
        outgoing.removeAll()
        outgoingStart = 0
        return .moved(0)
    }

    /// Why there is no going on with the connection, with what the server said of it.
    func failure(_ reason: String) -> ClientError {
        _ = incoming.fill { socket.read(into: $0) }
        let said = (takeAnswers().firstRefusal ?? lastRefusal).map { "; it said \($0)" } ?? ""
        return ClientError(.disconnected, "the server ended a connection under load: \(reason)\(said)")
    }

    /// Why there are more answers than lines: what answers none is about the connection itself.
    private var unaskedAnswer: ClientError {
        guard let lastRefusal else {
            return ClientError(.malformedReply, "the server answered more lines than it was sent")
        }
        return ClientError(.refused, "the server refuses a connection: \(lastRefusal)")
    }

    /// The answers that were read and not yet taken.
    @inline(__always)
    private func takeAnswers() -> Answers {
        var answers = Answers()
        while incoming.nextLine({ answers.take($0) }) != nil {}
        return answers
    }

    /// Reads what is there and counts the answers.
    func receive(latencies: inout Histogram, counts: inout LoadCounts) throws(ClientError) {
        switch incoming.fill({ socket.read(into: $0) }) {
        case .wouldBlock: return
        case .ended(let reason): throw failure(reason)
        case .moved: break
        }
        let answers = takeAnswers()
        if let failure = answers.failure { throw failure }
        if let refusal = answers.firstRefusal { lastRefusal = refusal }
        let now = monotonicNanoseconds()
        counts.refused += answers.refused
        counts.duplicates += answers.duplicates
        if counts.firstRefusal == nil { counts.firstRefusal = answers.firstRefusal }
        switch acknowledgement {
        case .each:
            let answered = answers.plain + answers.refused
            guard answered <= window - credit else { throw unaskedAnswer }
            commands.removeFirst(answered, at: now, into: &latencies)
            counts.acknowledged += answers.plain
            credit += answered
        case .cumulative:
            reads.removeFirst(answers.plain, at: now, into: &latencies)
            counts.answered += answers.plain
            credit += answers.plain
            if let number = answers.acknowledgedNumber, number > acknowledgedNumber {
                let count = number - acknowledgedNumber
                acknowledgedNumber = number
                commands.removeFirst(count, at: now, into: &latencies)
                // A refused command is done as well, and counted as such by the server.
                counts.acknowledged += count
                credit += count
            }
        }
    }
}

/// Lines in flight, as groups that were written together.
private struct SentGroups {
    private var groups: [(count: Int, at: Int64)] = []
    private var first = 0

    mutating func append(count: Int, at time: Int64) {
        if count > 0 { groups.append((count, time)) }
    }

    /// The oldest `count` lines are answered: their waiting time goes into the histogram.
    mutating func removeFirst(_ count: Int, at now: Int64, into latencies: inout Histogram) {
        var rest = count
        while rest > 0 {
            precondition(first < groups.count, "more answers than lines")
            let taken = min(rest, groups[first].count)
            latencies.record(now - groups[first].at, times: Int64(taken))
            groups[first].count -= taken
            rest -= taken
            if groups[first].count == 0 { first += 1 }
        }
        if first > 256, first > groups.count / 2 {
            groups.removeFirst(first)
            first = 0
        }
    }
}

/// What one read from the socket says.
private struct Answers {
    var plain = 0
    var duplicates = 0
    var refused = 0
    var firstRefusal: String?
    var acknowledgedNumber: Int?
    var failure: ClientError?

    @inline(__always)
    mutating func take(_ line: UnsafeRawBufferPointer) {
        if line.starts(with: "{\"ok\":true") {
            plain += 1
            if line.ends(with: "\"duplicate\":true}") { duplicates += 1 }
        } else {
            takeOther(line)
        }
    }

    private mutating func takeOther(_ line: UnsafeRawBufferPointer) {
        do throws(ClientError) {
            let value = try JSONValue.parse(bytes: Array(line))
            if let number = value["ack"]?.integer {
                acknowledgedNumber = number
            } else if let refusal = RefusalText(value["error"]) {
                refused += 1
                if firstRefusal == nil { firstRefusal = "\(refusal.code): \(refusal.message)" }
            } else {
                throw ClientError(.malformedReply, "not a reply: \(String(decoding: line.prefix(200), as: UTF8.self))")
            }
        } catch {
            failure = error
        }
    }
}
