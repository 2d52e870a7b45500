import GuerdonCore

/// Requests that are answered and not logged, from the fields of their objects.
enum ReadDecoding {
    /// Rows, levels and places that may be asked for.
    private static let rows = Int64(Limits.pageRows.lowerBound)...Int64(Limits.pageRows.upperBound)
    /// Places that a subscription may watch.
    private static let watched = (1 as Int64)...100
    /// Bytes of a period's name; whether it is one, the board says.
    private static let periodBytes = 0...32

    /// The question of an operation; `nil` when the operation is none.
    static func query(_ op: Node, _ request: Node) throws(Refusal) -> ReadRequest.Query? {
        if op.isText("member.get") {
            let fields = try Fields(request, known: KnownFields.member)
            return .member(try fields.required("member", fields.id))
        }
        if op.isText("wallet") {
            let fields = try Fields(request, known: KnownFields.walletRead)
            return .wallet(member: try fields.required("member", fields.id), lots: try fields.bool("lots") ?? false)
        }
        if op.isText("statement") { return try statement(request) }
        if op.isText("upline") {
            let fields = try Fields(request, known: KnownFields.upline)
            return .upline(
                member: try fields.required("member", fields.id), levels: Int(try fields.integer("levels", rows) ?? 10))
        }
        if op.isText("downline") {
            let fields = try Fields(request, known: KnownFields.downline)
            return .downline(
                member: try fields.required("member", fields.id), levels: Int(try fields.integer("levels", rows) ?? 1),
                limit: Int(try fields.integer("limit", rows) ?? 100))
        }
        if op.isText("board.top") {
            let fields = try Fields(request, known: KnownFields.boardTop)
            return .boardTop(
                board: try fields.required("board", fields.id), limit: Int(try fields.integer("limit", rows) ?? 10),
                period: try period(fields))
        }
        if op.isText("board.rank") {
            let fields = try Fields(request, known: KnownFields.boardRank)
            return .boardRank(
                board: try fields.required("board", fields.id), member: try fields.required("member", fields.id),
                around: Int(try fields.integer("around", 0...rows.upperBound) ?? 0), period: try period(fields))
        }
        if op.isText("explain") {
            let fields = try Fields(request, known: KnownFields.explain)
            return .explain(externalId: try fields.required("externalId", fields.id))
        }
        if op.isText("stats") {
            _ = try Fields(request, known: KnownFields.common)
            return .stats
        }
        return nil
    }

    private static func period(_ fields: Fields) throws(Refusal) -> Text? {
        try fields.text("period", bytes: periodBytes, "a period such as \"2026-11\"")
    }

    private static func statement(_ request: Node) throws(Refusal) -> ReadRequest.Query {
        let fields = try Fields(request, known: KnownFields.statement)
        var before: Text?
        if let cursor = fields.value("before") {
            guard cursor.kind == .string || cursor.kind == .number else {
                throw fields.refuse("before", "must be the next of the page before, or null.")
            }
            before = cursor.text
        }
        return .statement(
            member: try fields.required("member", fields.id), currency: try fields.id("currency"),
            limit: Int(try fields.integer("limit", rows) ?? 50), before: before)
    }

    /// What a connection asks of the server itself; `nil` when the operation is something else.
    static func control(
        _ op: Node, _ request: Node, workspace: Text, defaults: ConnectionDefaults
    ) throws(Refusal) -> Request? {
        if op.isText("snapshot") {
            _ = try Fields(request, known: KnownFields.common)
            return .snapshot
        }
        if op.isText("ping") {
            _ = try Fields(request, known: KnownFields.common)
            return .ping
        }
        if op.isText("hello") {
            let fields = try Fields(request, known: KnownFields.hello)
            let ack: AckMode? = try fields.choice(
                "ack", [("each", .each), ("detail", .detail), ("cumulative", .cumulative)])
            return .hello(Hello(token: try fields.text("token"), workspace: workspace, ack: ack ?? defaults.ack))
        }
        if op.isText("subscribe") { return .subscribe(try subscription(request, workspace)) }
        if op.isText("unsubscribe") {
            let fields = try Fields(request, known: KnownFields.unsubscribe)
            let number = try fields.required("subscription") { name throws(Refusal) in
                try fields.integer(name, 0...Int64.max)
            }
            return .unsubscribe(UInt64(number))
        }
        return nil
    }

    private enum StreamName { case board, member, stats }

    private static func subscription(_ request: Node, _ workspace: Text) throws(Refusal) -> Subscription {
        let fields = try Fields(request, known: KnownFields.subscribe)
        let name: StreamName = try fields.required("stream") { name throws(Refusal) in
            try fields.choice(name, [("board", .board), ("member", .member), ("stats", .stats)])
        }
        let foreign: [StaticString] =
            switch name {
            case .board: ["member"]
            case .member: ["board", "top", "period"]
            case .stats: ["board", "top", "period", "member"]
            }
        for field in foreign where fields.value(field) != nil {
            throw fields.refuse(field, "does not belong to this stream.")
        }
        switch name {
        case .board:
            return Subscription(
                workspace: workspace,
                .board(
                    try fields.required("board", fields.id), top: Int(try fields.integer("top", watched) ?? 10),
                    period: try period(fields)))
        case .member:
            return Subscription(workspace: workspace, .member(try fields.required("member", fields.id)))
        case .stats: return Subscription(workspace: workspace, .stats)
        }
    }
}
