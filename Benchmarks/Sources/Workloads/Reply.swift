import GuerdonCore
import GuerdonWire

extension Workload {
    /// Replies to applied batches.
    static let reply = [
        Workload("reply-each", unit: "reply", operations: ScoringWorld.batch) { try ReplySession(detail: false) },
        Workload("reply-detail", unit: "reply", operations: ScoringWorld.batch) { try ReplySession(detail: true) },
        Workload("reply-rank", unit: "reply", operations: ScoringWorld.batch) {
            try ReadSession { #"{"op":"board.rank","board":"monthly","member":"m\#($0 * 97)","period":"2026-11"}"# }
        },
        Workload("reply-around-5", unit: "reply", operations: ScoringWorld.batch) {
            try ReadSession {
                #"{"op":"board.rank","board":"monthly","member":"m\#($0)","period":"2026-11","around":5}"#
            }
        },
        Workload("reply-top-10", unit: "reply", operations: ScoringWorld.batch) {
            // Every second one lists another number of places, so that none is as the one before.
            try ReadSession { #"{"op":"board.top","board":"monthly","limit":\#(10 + $0 % 2),"period":"2026-11"}"# }
        },
        Workload("reply-wallet", unit: "reply", operations: ScoringWorld.batch) {
            try ReadSession { #"{"op":"wallet","member":"m\#($0 * 97)"}"# }
        },
    ]
}

/// Writes the replies to a batch of actions, one line each.
private final class ReplySession: Session {
    private let scoring: ScoringWorld
    private let detail: Bool
    private let sink = ByteSink()
    private let texts = RewardTexts()
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
        texts.forget()
        let encoder = ReplyEncoder(sink, texts: texts)
        let results = BatchResults(requests.commands)
        let names = WorldNames(scoring.world)
        var line = 0
        for command in 0..<requests.commands.count {
            encoder.outcome(
                id: requests.id(of: requests.rows[command]), of: command, in: results, detail: detail, line: &line,
                names: names)
        }
        expect(sink.count > 20 * ScoringWorld.batch, "\(sink.count) bytes of replies")
    }
}

/// Writes the replies to a batch of reads, one line each.
private final class ReadSession: Session {
    private let scoring: ScoringWorld
    private let sink = ByteSink()
    private let requests = Requests()
    private let replies = QuickReplies()

    init(_ line: (Int) -> String) throws {
        scoring = try ScoringWorld()
        for _ in 0..<20 { try scoring.applyActions() }
        let lines = Array((0..<ScoringWorld.batch).map { line($0) + "\n" }.joined().utf8)
        var defaults = ConnectionDefaults()
        _ = lines.withUnsafeBytes { RequestDecoder().decode(lines: $0, defaults: &defaults, into: requests) }
    }

    deinit { sink.deallocate() }

    func run() {
        sink.removeAll()
        let encoder = ReplyEncoder(sink)
        replies.begin(scoring.world, now: ScoringWorld.time)
        for row in requests.rows.elements {
            let read = requests.plain(of: row)
            let isAnswered = replies.answer(read, requests.names(of: read), id: requests.id(of: row), into: encoder)
            expect(isAnswered, "a read has no reply")
        }
        replies.end()
        expect(sink.count > 40 * ScoringWorld.batch, "\(sink.count) bytes of replies")
    }
}
