import GuerdonCore
import GuerdonEngine
import GuerdonWire

/// The lines of one batch with the connections they came from, and the replies they get.
///
/// Filled on the event loop, answered on the evaluating thread, sent from the event loop; then used again.
final class ServerBatch: EngineBatch, @unchecked Sendable {
    // Sendable: owned by one stage at a time.

    /// Consecutive rows of one connection.
    struct Run {
        let connection: Connection
        var rows: Range<Int>
        /// What its lines count for while they are unanswered.
        var charge: Int
        /// Commands of the connection before these rows.
        var commandsBefore: UInt64
        /// Its replies in ``ServerBatch/replies``.
        var replies: Range<Int> = 0..<0
        /// Replies that come later, and where in ``ServerBatch/replies`` they belong.
        var late: [(at: Int, job: PastJob)] = []
        /// Whether the last `hello` among the rows was accepted.
        var acceptsHello = true
    }

    let requests = Requests()
    var runs: [Run] = []
    let replies = ByteSink(capacity: 1 << 16)
    let rewardTexts = RewardTexts()
    let quickReplies = QuickReplies()
    /// What all lines in it count for.
    var bytes = 0
    /// Who asked for a snapshot, with the id of the request.
    var snapshots: [(connection: Connection, id: [UInt8])] = []
    /// Questions of earlier batches that were fetched for; after evaluation those that have their reply.
    var fetched: [PastJob] = []
    /// What subscriptions are to be told, and when to look again.
    var look = Subscriptions.Look()
    private unowned let server: Server

    init(server: Server) { self.server = server }

    deinit { replies.deallocate() }

    var commands: CommandBatch { requests.commands }
    var isEmpty: Bool { runs.isEmpty && fetched.isEmpty }

    func applied(_ world: World) {
        let encoder = BatchReplies(batch: self, world: world, server: server)
        var command = 0
        var line = 0
        fetched.removeAll { !encoder.answer($0) }
        for i in runs.indices {
            let start = replies.count
            encoder.encode(&runs[i], command: &command, line: &line)
            runs[i].replies = start..<replies.count
        }
        encoder.end()
        if !server.subscriptions.isEmpty { look = server.subscriptions.look(at: world, server: server) }
    }

    func released() { server.send(self) }

    func reset() {
        requests.reset()
        runs.removeAll(keepingCapacity: true)
        fetched.removeAll()
        replies.removeAll()
        look = Subscriptions.Look()
        snapshots.removeAll()
        bytes = 0
    }
}
