import CPoll
import DequeModule
import Glibc
import GuerdonCore
public import GuerdonEngine
import GuerdonWire

/// The TCP server: line-delimited JSON in, replies out, one event loop.
public final class Server: @unchecked Sendable {
    // Sendable: connections, decoder and `queue` are used on the event loop only.
    private(set) var limits: ServerLimits
    let decoder: RequestDecoder
    let intake: Intake
    let subscriptions: Subscriptions
    let pastReader: PastReader
    /// Connections with lines that found no room in the open batch, in the order of their turns.
    private var queue: Deque<Connection> = []
    /// Takes a snapshot and says which log position it covers; runs on a thread of its own.
    public var snapshot: (@Sendable () throws -> UInt64)?
    /// Bytes logged so far; for `stats`.
    public var logBytes: (@Sendable () -> Int64)?
    private let clock: any EngineClock
    let loop = EventLoop()
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var listener: Listener?
    private let wakeUp = WakeUp()
    /// Whether the server is about to stop; nothing more is read.
    private(set) var isDraining = false
    /// The next look at what is watched that needs no batch of its own.
    private var eventTimer: (at: ContinuousClock.Instant, timer: EventLoop.Timer)?
    private var isDeadlineTimerSet = false
    private var isOfferDue = false
    /// Connections over the bound that are being told so.
    private var refusing = 0

    /// - Parameters:
    ///   - clock: tells which period is the current one.
    ///   - onFailure: called when the engine cannot go on; end the process then.
    public convenience init(
        limits: ServerLimits = ServerLimits(), clock: any EngineClock = SystemClock(),
        onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        self.init(limits: limits, clock: clock, beforeFetch: nil, onFailure: onFailure)
    }

    /// - Parameter beforeFetch: called on the reader's thread whenever it is about to read log or history.
    init(
        limits: ServerLimits, clock: any EngineClock = SystemClock(), beforeFetch: (@Sendable () -> Void)?,
        onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        self.limits = limits
        self.clock = clock
        decoder = RequestDecoder(lineBytes: limits.lineBytes)
        subscriptions = Subscriptions(perSecond: limits.eventsPerSecond)
        let wakeUp = wakeUp
        let intake = Intake(onTaken: { wakeUp.signal() }, onFailure: onFailure)
        self.intake = intake
        pastReader = PastReader(beforeFetch: beforeFetch) { intake.didFetch($0) }
        intake.fill((0..<3).map { _ in ServerBatch(server: self) })
        wakeUp.action = { [unowned self] in self.resumeWaiting() }
        wakeUp.loop = loop
    }

    /// Where the engine takes its batches from.
    public var source: any BatchSource { intake }

    func now() -> Int64 { clock.now() }

    /// Connections at this moment; for `stats`.
    let connectionCount = Monitor(0)

    /// Listens.
    ///
    /// - Returns: the port, which the system chose when `port` is 0.
    /// - Throws: ``ListenError``.
    public func start(host: String, port: Int) throws -> Int {
        let descriptors = Int(cpoll_raise_descriptor_limit())
        // Files of the engine need some, too.
        limits.connections = min(limits.connections, max(16, descriptors - 256))
        do {
            let listener = try Listener(host: host, port: port, replyTime: limits.replyTime ?? .zero, on: loop) {
                [unowned self] in Connection(server: self).open($0)
            }
            self.listener = listener
            try loop.submit { try self.listener?.start() }
            return listener.port
        } catch {
            loop.close()
            throw error
        }
    }

    /// Stops accepting and reading; what was read is still taken and answered by the engine.
    public func drain() throws {
        try loop.submit {
            self.listener?.close()
            self.listener = nil
            self.isDraining = true
            self.intake.drain()
            for connection in self.connections.values { connection.stopReading() }
            self.closeIfAllIsTaken()
        }
    }

    /// Sends what is left, closes all connections and ends the event loop; to be called when the engine has stopped.
    ///
    /// - Parameter patience: milliseconds that clients get to read what is left.
    public func stop(patience: Int = 1000) throws {
        // Replies of the last batch are queued on the loop before this runs.
        try loop.submit { for connection in self.connections.values { connection.closeGracefully() } }
        var deadline = ContinuousClock.now + .milliseconds(patience)
        while ContinuousClock.now < deadline {
            let (isEmpty, isSent) = try loop.submit {
                (self.connections.isEmpty, self.connections.values.allSatisfy(\.isAnswered))
            }
            if isEmpty { break }
            // Who has everything and does not close is not waited for much longer.
            if isSent { deadline = min(deadline, .now + .milliseconds(100)) }
            usleep(2000)
        }
        pastReader.close()
        try loop.submit { for connection in self.connections.values { connection.close() } }
        loop.close()
    }

    // MARK: On the event loop

    func connected(_ connection: Connection) {
        guard connections.count < limits.connections else {
            let refusal =
                "{\"ok\":false,\"error\":{\"code\":\"overloaded\",\"message\":\"There are \(limits.connections) connections already; try again later.\"}}\n"
            Array(refusal.utf8).withUnsafeBytes { connection.send($0) }
            refuse(connection)
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        connectionCount.change { $0 += 1 }
        checkDeadlinesLater()
    }

    /// Looks at the connections' deadlines in a moment, and again as long as there are any.
    private func checkDeadlinesLater() {
        guard !isDeadlineTimerSet, !connections.isEmpty else { return }
        isDeadlineTimerSet = true
        loop.schedule(in: limits.deadlineInterval) {
            self.isDeadlineTimerSet = false
            let now = ContinuousClock.now
            // Closing one takes it out of the table.
            for connection in Array(self.connections.values) { connection.checkDeadlines(now) }
            self.checkDeadlinesLater()
        }
    }

    /// Closes a connection that is one too many, with some time for it to read why; but not for a flood of them.
    private func refuse(_ connection: Connection) {
        guard refusing < 64 else { return connection.close() }
        refusing += 1
        connection.closeGracefully()
        loop.schedule(in: .seconds(1)) {
            self.refusing -= 1
            connection.close()
        }
    }

    /// Offers the open batch to the engine when all sockets that have something to read were read.
    func offerLater() {
        guard !isOfferDue else { return }
        isOfferDue = true
        // Tasks come after the sockets' turn.
        loop.execute {
            self.isOfferDue = false
            self.intake.offer()
        }
    }

    func disconnected(_ connection: Connection) {
        subscriptions.removeAll(of: connection)
        if connections.removeValue(forKey: ObjectIdentifier(connection)) != nil { connectionCount.change { $0 -= 1 } }
    }

    /// Lets the engine end once everything that was read is in a batch: asked whenever lines that waited, for room or for an
    /// answer, may have got it. Who goes meanwhile waits for one of these as well.
    private func closeIfAllIsTaken() {
        if isDraining, !connections.values.contains(where: \.hasLines) { intake.close() }
    }

    /// Whether lines that come now have to wait for those that wait already.
    var hasQueue: Bool { !queue.isEmpty }

    /// Lets a connection wait until there is room in a batch and it is its turn.
    func enqueue(_ connection: Connection, isFirst: Bool) {
        if isFirst { queue.prepend(connection) } else { queue.append(connection) }
    }

    /// Gives the connections that wait their turns, as far as there is room: first come, first served, and who wants more
    /// waits behind all others, so that many connections share the engine and none starves.
    private func resumeWaiting() {
        wakeUp.reset()
        defer { closeIfAllIsTaken() }
        // One turn each: whoever took a share of this batch waits for the next, as room is left for lines that are still to come.
        for _ in 0..<queue.count {
            guard let connection = queue.popFirst(), connection.takeTurn() else { return }
        }
    }

    /// Sends a batch's replies and uses the batch again.
    func send(_ batch: ServerBatch) { loop.execute { self.deliver(batch) } }

    private func deliver(_ batch: ServerBatch) {
        // First, so that a connection that has ended stays open for the answer.
        for request in batch.snapshots { takeSnapshot(request.connection, request.id) }
        for job in batch.fetched { job.connection.answer(job) }
        for run in batch.runs {
            run.connection.defaults.settle(isAccepted: run.acceptsHello)
            var start = run.replies.lowerBound
            for (at, job) in run.late {
                run.connection.write(UnsafeRawBufferPointer(rebasing: batch.replies.bytes[start..<at]))
                run.connection.wait(for: job)
                start = at
            }
            run.connection.reply(
                UnsafeRawBufferPointer(rebasing: batch.replies.bytes[start..<run.replies.upperBound]),
                charge: run.charge)
        }
        for event in batch.look.events { event.connection.write(event) }
        // All of a connection goes out in one write.
        for run in batch.runs { run.connection.flush() }
        for job in batch.fetched { job.connection.flush() }
        for event in batch.look.events { event.connection.flush() }
        if let again = batch.look.again { tellEvents(at: again) }
        intake.recycle(batch)
        closeIfAllIsTaken()
    }

    /// Has the engine look at what is watched even if no line comes until then.
    private func tellEvents(at time: ContinuousClock.Instant) {
        if let eventTimer {
            guard time < eventTimer.at else { return }
            eventTimer.timer.cancel()
        }
        let timer = loop.schedule(at: time) {
            self.eventTimer = nil
            if !self.isDraining { self.intake.askForEvents() }
        }
        eventTimer = (time, timer)
    }
}

extension Server {
    /// Takes a snapshot beside everything else; its reply comes when it is on disk, other replies may overtake it.
    private func takeSnapshot(_ connection: Connection, _ id: [UInt8]) {
        guard let snapshot else { return }
        let loop = loop
        connection.hold()
        DedicatedThread.detach(name: "snapshot-wait") {
            let sink = ByteSink(capacity: 256)
            defer { sink.deallocate() }
            let out = ReplyEncoder(sink)
            id.withUnsafeBytes { id in
                do {
                    out.done(id: id, sequence: try snapshot())
                } catch {
                    out.refusal(id: id, Refusal(.diskFull, "The snapshot was not taken: \(error)"), number: nil)
                }
            }
            let reply = Array(sink.bytes)
            loop.execute {
                reply.withUnsafeBytes { connection.send($0) }
                connection.letGo()
            }
        }
    }
}

/// Wakes the event loop once, however often it is asked to before it runs.
private final class WakeUp: @unchecked Sendable {
    // Sendable: `loop` and `action` are set before the engine starts; the flag is in a monitor.
    var loop: EventLoop?
    var action: () -> Void = {}
    private let isSignalled = Monitor(false)

    func signal() {
        let isFirst = isSignalled.change { flag in
            defer { flag = true }
            return !flag
        }
        if isFirst { loop?.execute { self.action() } }
    }

    func reset() { isSignalled.change { $0 = false } }
}
