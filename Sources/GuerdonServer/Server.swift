import GuerdonCore
public import GuerdonEngine
import GuerdonWire
import NIOCore
import NIOPosix

/// The TCP server: line-delimited JSON in, replies out, one event loop.
public final class Server: @unchecked Sendable {
    // Sendable: connections, decoder and `waiting` are used on the event loop only.
    let limits: ServerLimits
    let decoder: RequestDecoder
    let intake: Intake
    let subscriptions = Subscriptions()
    /// Connections with lines that found no room in the open batch.
    var waiting: Set<ObjectIdentifier> = []
    /// Takes a snapshot and says which log position it covers; runs on a thread of its own.
    public var snapshot: (@Sendable () throws -> UInt64)?
    /// Bytes logged so far; for `stats`.
    public var logBytes: (@Sendable () -> Int64)?
    private let clock: any EngineClock
    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var listener: (any Channel)?
    private let wakeUp = WakeUp()
    private let started: Int64

    /// - Parameters:
    ///   - clock: tells which period is the current one.
    ///   - onFailure: called when the engine cannot go on; end the process then.
    public init(
        limits: ServerLimits = ServerLimits(), clock: any EngineClock = SystemClock(),
        onFailure: @escaping @Sendable (any Error) -> Void
    ) {
        self.limits = limits
        self.clock = clock
        started = clock.now()
        decoder = RequestDecoder(lineBytes: limits.lineBytes)
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        loop = group.next()
        let wakeUp = wakeUp
        intake = Intake(onTaken: { wakeUp.signal() }, onFailure: onFailure)
        intake.fill((0..<3).map { _ in ServerBatch(server: self) })
        wakeUp.action = { [unowned self] in self.resumeWaiting() }
        wakeUp.loop = loop
    }

    /// Where the engine takes its batches from.
    public var source: any BatchSource { intake }

    func now() -> Int64 { clock.now() }

    /// Connections at this moment; for `stats`.
    let connectionCount = Monitor(0)

    /// Nanoseconds since the server was made.
    var uptime: Int64 { clock.now() - started }

    /// Listens.
    ///
    /// - Returns: the port, which the system chose when `port` is 0.
    /// - Throws: when the address cannot be bound.
    public func start(host: String, port: Int) throws -> Int {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 65_536, maximum: 262_144)
            )
            .childChannelOption(.maxMessagesPerRead, value: 4)
            .childChannelInitializer { [unowned self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(server: self))
                }
            }
        let listener = try bootstrap.bind(host: host, port: port).wait()
        self.listener = listener
        return listener.localAddress?.port ?? port
    }

    /// Stops accepting and reading; what was read is still taken and answered by the engine.
    public func drain() throws {
        try listener?.close().wait()
        listener = nil
        try loop.submit { for connection in self.connections.values { connection.stopReading() } }.wait()
        intake.close()
    }

    /// Sends what is left, closes all connections and ends the event loop; to be called when the engine has stopped.
    public func stop() throws {
        // Replies of the last batch are queued on the loop before this runs.
        try loop.submit { for connection in self.connections.values { connection.close() } }.wait()
        try group.syncShutdownGracefully()
    }

    // MARK: On the event loop

    func connected(_ connection: Connection) {
        guard connections.count < limits.connections else {
            let refusal =
                "{\"ok\":false,\"error\":{\"code\":\"overloaded\",\"message\":\"There are \(limits.connections) connections already; try again later.\"}}\n"
            Array(refusal.utf8).withUnsafeBytes { connection.send($0) }
            connection.close()
            return
        }
        connections[ObjectIdentifier(connection)] = connection
        connectionCount.change { $0 += 1 }
    }

    func disconnected(_ connection: Connection) {
        waiting.remove(ObjectIdentifier(connection))
        subscriptions.removeAll(of: connection)
        if connections.removeValue(forKey: ObjectIdentifier(connection)) != nil { connectionCount.change { $0 -= 1 } }
    }

    private func resumeWaiting() {
        wakeUp.reset()
        guard !waiting.isEmpty else { return }
        let held = waiting
        waiting.removeAll()
        for id in held { connections[id]?.handOver() }
    }

    /// Sends a batch's replies and uses the batch again.
    func send(_ batch: ServerBatch) {
        loop.execute {
            // First, so that a connection that has ended stays open for the answer.
            for request in batch.snapshots { self.takeSnapshot(request.connection, request.id) }
            for run in batch.runs {
                run.connection.reply(
                    UnsafeRawBufferPointer(rebasing: batch.replies.bytes[run.replies]), to: run.bytes)
            }
            for event in batch.events { event.bytes.withUnsafeBytes { event.connection.send($0) } }
            self.intake.recycle(batch)
        }
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
    var loop: (any EventLoop)?
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
