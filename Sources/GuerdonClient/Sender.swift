import Glibc

/// Streams request lines with many in flight, and sends again whatever was not acknowledged when a connection ends.
///
/// The server answers every line, in order; that order is how an answer finds its line. A line without an answer has
/// an unknown outcome, so after a reconnect it is sent again: actions are told apart by their external id, and what
/// the server has already comes back as a duplicate.
///
/// ```swift
/// let sender = Sender(to: Endpoint())
/// try sender.connect()
/// try sender.send(#"{"op":"action","externalId":"order-1","performer":"m2","type":"purchase","value":"12.34"}"#)
/// try sender.finish()
/// ```
///
/// Not thread-safe: one thread, or one task, uses it at a time.
public final class Sender {
    /// The limits of a stream.
    public struct Options: Sendable {
        /// How many lines may wait for their answer, at least 1.
        public var window = 512
        /// For how long a lost connection is tried again before the stream gives up.
        public var retrySeconds = 60.0

        /// Creates the defaults: 512 lines in flight, a minute of patience.
        public init() {}
    }

    /// What became of a stream so far.
    public struct Totals: Sendable {
        /// Lines handed in.
        public var sent = 0
        /// Lines that are done: on the server's disk and applied, now or earlier.
        public var acknowledged = 0
        /// Of the acknowledged ones, those that the server had already.
        public var duplicates = 0
        /// Lines that were refused.
        public var refused = 0
        /// How often the connection was lost and made again.
        public var reconnects = 0
        /// Lines that were written again because their outcome was unknown.
        public var resent = 0
        /// Time without a connection.
        public var disconnectedNanoseconds: Int64 = 0
    }

    /// What became of the stream so far.
    public private(set) var totals = Totals()
    /// Called for every refused line with its number (from 1).
    public var onRefusal: (Int, RefusalText) -> Void = { _, _ in }
    /// Called with every reply to a line of the stream, in the order of the lines; the bytes are valid only inside.
    public var onReply: ((UnsafeRawBufferPointer) -> Void)?
    /// Called whenever answers have arrived.
    public var onProgress: (Totals) -> Void = { _ in }
    /// Called when a connection is lost, with the reason and how many lines wait for their answer.
    public var onDisconnect: (_ reason: String, _ inFlight: Int) -> Void = { _, _ in }

    private let endpoint: Endpoint
    private let options: Options
    private var link: Link?
    private var inFlight = InFlight()
    private var incoming = LineBuffer()

    /// Owns a socket, so that a lost connection is one assignment.
    private final class Link {
        let socket: TCPSocket
        init(_ socket: consuming TCPSocket) { self.socket = socket }
    }

    /// Bytes that are collected before they are written while the window still has room.
    private static let writeAtBytes = 32 << 10

    /// Prepares a stream; ``connect()`` begins it.
    public init(to endpoint: Endpoint, options: Options = Options()) {
        self.endpoint = endpoint
        self.options = options
    }

    /// Connects for the first time; a server that is not there is an error at once.
    public func connect() throws(ClientError) {
        try open()
    }

    /// Hands in one line without its newline; waits while the window is full.
    ///
    /// - Throws: ``ClientError`` when the server cannot be reached again in time.
    public func send(_ line: UnsafeRawBufferPointer) throws(ClientError) {
        while inFlight.count >= options.window { try pump(alsoReadable: nil) }
        inFlight.append(line)
        totals.sent += 1
        // Early enough for the server to begin, late enough for few system calls.
        if inFlight.unwrittenCount >= Self.writeAtBytes { try write() }
    }

    /// Hands in one line given as text; see ``send(_:)-(UnsafeRawBufferPointer)``.
    public func send(_ line: String) throws(ClientError) {
        let bytes = Array(line.utf8)
        let sent = bytes.withUnsafeBytes { bytes in Result { () throws(ClientError) in try send(bytes) } }
        try sent.get()
    }

    /// Waits until everything that was handed in is answered.
    public func finish() throws(ClientError) {
        while inFlight.count > 0 { try pump(alsoReadable: nil) }
    }

    /// Writes and reads until another file descriptor, such as standard input, has something to read.
    public func work(untilReadable descriptor: CInt) throws(ClientError) {
        while try !pump(alsoReadable: descriptor) {}
    }

    // MARK: Moving bytes

    /// Waits for the socket, or for `other`, moves what can be moved; returns whether `other` can be read.
    @discardableResult
    private func pump(alsoReadable other: CInt?) throws(ClientError) -> Bool {
        try write()
        guard let link else { return false }
        var events = Int16(POLLIN)
        if inFlight.unwrittenCount > 0 { events |= Int16(POLLOUT) }
        var polled = [pollfd(fd: link.socket.descriptor, events: events, revents: 0)]
        if let other { polled.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
        guard poll(&polled, nfds_t(polled.count), -1) > 0 else { return false }
        if polled[0].revents & ~Int16(POLLOUT) != 0 { try read() }
        return other != nil && polled[1].revents != 0
    }

    private func write() throws(ClientError) {
        while let link, inFlight.unwrittenCount > 0 {
            switch inFlight.writeOut({ link.socket.write($0) }) {
            case .moved: continue
            case .wouldBlock: return
            case .ended(let reason): try reconnect(reason)
            }
        }
    }

    private func read() throws(ClientError) {
        guard let link else { return }
        switch incoming.fill({ link.socket.read(into: $0) }) {
        case .moved: try takeReplies()
        case .wouldBlock: return
        case .ended(let reason): try reconnect(reason)
        }
    }

    private func takeReplies() throws(ClientError) {
        while let reply = incoming.nextLine({ line in Result { () throws(ClientError) in try understood(line) } }) {
            switch try reply.get() {
            case .event: continue
            case .done: totals.acknowledged += 1
            case .duplicate:
                totals.acknowledged += 1
                totals.duplicates += 1
            case .refused(let refusal) where refusal.code == "shutting_down" || refusal.code == "overloaded":
                // Not a judgement of the line: it is sent again, in its place, when the server takes lines again.
                return try reconnect(refusal.message)
            case .refused(let refusal):
                totals.refused += 1
                onRefusal(totals.acknowledged + totals.refused, refusal)
            }
            guard inFlight.count > 0 else {
                throw ClientError(.malformedReply, "\(endpoint) sent more replies than it was sent lines")
            }
            inFlight.removeOldest()
        }
        onProgress(totals)
    }

    private func understood(_ line: UnsafeRawBufferPointer) throws(ClientError) -> Reply {
        let reply = try Reply(line: line)
        if reply != .event { onReply?(line) }
        return reply
    }

    // MARK: Connecting

    private func open() throws(ClientError) {
        let socket = try TCPSocket(host: endpoint.host, port: endpoint.port, blocking: false)
        incoming.removeAll()
        let link = Link(socket)
        if let hello = endpoint.helloLine { try introduce(hello, over: link) }
        self.link = link
    }

    /// Sends the greeting and waits for its reply, before any line of the stream.
    private func introduce(_ hello: String, over link: Link) throws(ClientError) {
        var greeting = InFlight()
        Array(hello.utf8).withUnsafeBytes { greeting.append($0) }
        while true {
            let outcome =
                greeting.unwrittenCount > 0
                ? greeting.writeOut { link.socket.write($0) } : incoming.fill { link.socket.read(into: $0) }
            if case .ended(let reason) = outcome { throw ClientError(.unreachable, reason) }
            if let line = incoming.nextLine({ Array($0) }) {
                let value = try JSONValue.parse(bytes: line)
                guard let refusal = RefusalText(value["error"]) else { return }
                throw ClientError(.refused, "\(refusal.code): \(refusal.message)")
            }
            if outcome == .wouldBlock {
                var polled = pollfd(fd: link.socket.descriptor, events: Int16(POLLIN | POLLOUT), revents: 0)
                if greeting.unwrittenCount == 0 { polled.events = Int16(POLLIN) }
                poll(&polled, 1, -1)
            }
        }
    }

    /// Connects again, with growing pauses, and rewinds to the oldest line without an answer.
    private func reconnect(_ reason: String) throws(ClientError) {
        link = nil
        onDisconnect(reason, inFlight.count)
        let lostAt = monotonicNanoseconds()
        let giveUpAt = lostAt + Int64(options.retrySeconds * 1e9)
        var pauseMicroseconds: UInt32 = 5_000
        while true {
            usleep(pauseMicroseconds)
            pauseMicroseconds = min(pauseMicroseconds * 2, 250_000)
            do throws(ClientError) {
                try open()
                break
            } catch {
                guard error.code == .unreachable, monotonicNanoseconds() < giveUpAt else {
                    throw ClientError(
                        .disconnected,
                        "the connection to \(endpoint) ended (\(reason)) and could not be made again: \(error). "
                            + "\(inFlight.count) lines have an unknown outcome; send the same lines again: "
                            + "what was done is told by its externalId.")
                }
            }
        }
        inFlight.markUnwritten()
        totals.reconnects += 1
        totals.resent += inFlight.count
        totals.disconnectedNanoseconds += monotonicNanoseconds() - lostAt
    }
}
