import GuerdonCore
import GuerdonWire

extension Workload {
    /// Replies to applied batches.
    static let reply = [
        Workload("reply-each", unit: "reply", operations: ScoringWorld.batch) { try ReplySession(detail: false) },
        Workload("reply-detail", unit: "reply", operations: ScoringWorld.batch) { try ReplySession(detail: true) },
    ]
}

/// Writes the replies to a batch of actions, one line each.
private final class ReplySession: Session {
    private let scoring: ScoringWorld
    private let detail: Bool
    private let sink = ByteSink()
    private let requests: Requests

    init(detail: Bool) throws {
        self.detail = detail
        scoring = try ScoringWorld()
        requests = scoring.decode(scoring.nextLines())
        requests.commands.wantsLines = detail
        try scoring.apply(requests)
    }

    deinit { sink.deallocate() }

    func run() {
        sink.removeAll()
        let encoder = ReplyEncoder(sink)
        var line = 0
        for command in 0..<requests.commands.count {
            encoder.outcome(
                id: requests.id(of: requests.rows[command]), of: command, in: requests.commands, detail: detail,
                line: &line, names: scoring.world)
        }
        expect(sink.count > 20 * ScoringWorld.batch, "\(sink.count) bytes of replies")
    }
}
