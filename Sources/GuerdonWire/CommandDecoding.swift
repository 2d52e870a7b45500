import GuerdonCore

/// Requests that are logged, from the fields of their objects.
enum CommandDecoding {

    /// The command of an operation; `nil` when the operation is no command.
    static func command(_ op: Node, _ request: Node, workspace: Text) throws(Refusal) -> Command? {
        if op.isText("action") { return .action(try action(request, workspace)) }
        if op.isText("reverse") { return .reverse(try reverse(request, workspace)) }
        if op.isText("adjust") { return .adjust(try wallet(request, workspace)) }
        if op.isText("redeem") { return .redeem(try wallet(request, workspace)) }
        if op.isText("member.put") { return .memberPut(try memberPut(request, workspace)) }
        if op.isText("workspace.put") { return .workspacePut(try workspacePut(request, workspace)) }
        if op.isText("currency.put") { return .currencyPut(try currencyPut(request, workspace)) }
        if op.isText("account.put") { return .accountPut(try accountPut(request, workspace)) }
        if op.isText("plan.put") {
            let fields = try Fields(request, known: KnownFields.planPut)
            guard let plan = fields.value("plan"), plan.kind == .object else {
                throw fields.refuse("plan", "must be the plan as an object.")
            }
            return .planPut(PlanPut(workspace: workspace, plan: try PlanDecoding.plan(plan)))
        }
        if op.isText("plan.end") {
            let fields = try Fields(request, known: KnownFields.planEnd)
            return .planEnd(
                PlanEnd(workspace: workspace, plan: try fields.required("plan", fields.id), at: try fields.time("at")))
        }
        if op.isText("board.put") { return .boardPut(try boardPut(request, workspace)) }
        return nil
    }

    private static func action(_ request: Node, _ workspace: Text) throws(Refusal) -> ActionCommand {
        let fields = try Fields(request, known: KnownFields.action)
        let action = ActionCommand(
            workspace: workspace, externalId: try fields.required("externalId", fields.id),
            performer: try fields.required("performer", fields.id), type: try fields.required("type", fields.id),
            value: try fields.decimal("value"), currency: try fields.id("currency"), at: try fields.time("at"),
            title: try fields.text("title"),
            attributes: (try fields.attributes("attributes") ?? []).filter { $0.value != .null })
        guard action.value != nil || action.currency == nil else {
            throw fields.refuse(
                "currency", "there is no value that it could be the currency of; give value or leave it out.")
        }
        return action
    }

    private static func reverse(_ request: Node, _ workspace: Text) throws(Refusal) -> ReverseCommand {
        let fields = try Fields(request, known: KnownFields.reverse)
        return ReverseCommand(
            workspace: workspace, externalId: try fields.required("externalId", fields.id),
            of: try fields.required("of", fields.id), value: try fields.decimal("value"), at: try fields.time("at"))
    }

    private static func wallet(_ request: Node, _ workspace: Text) throws(Refusal) -> WalletCommand {
        let fields = try Fields(request, known: KnownFields.wallet)
        return WalletCommand(
            workspace: workspace, externalId: try fields.required("externalId", fields.id),
            member: try fields.required("member", fields.id), currency: try fields.required("currency", fields.id),
            amount: try fields.required("amount", fields.decimal), reason: try fields.text("reason"),
            at: try fields.time("at"))
    }

    private static func memberPut(_ request: Node, _ workspace: Text) throws(Refusal) -> MemberPut {
        let fields = try Fields(request, known: KnownFields.memberPut)
        var put = MemberPut(workspace: workspace, member: try fields.required("member", fields.id))
        put.name = try fields.change("name", fields.text)
        put.email = try fields.change("email", fields.text)
        put.phone = try fields.change("phone", fields.text)
        put.birthday = try fields.change("birthday", fields.date)
        put.registered = try fields.change("registered") { name throws(Refusal) in
            if let value = fields.value(name), value.kind == .string,
                value.text.bytes.withUnsafeBytes({ TimeText.time($0) }) != nil
            {
                return value.text
            }
            return try fields.date(name)
        }
        put.kind = try fields.change("kind", fields.text)
        put.tags = try tags(fields)
        put.clearAttributes = fields.has("attributes") && fields.value("attributes") == nil
        put.attributes = try fields.attributes("attributes") ?? []
        put.referrer = try fields.change("referrer", fields.id)
        put.referralCode = try fields.id("referralCode")
        put.code = try fields.change("code", fields.id)
        return put
    }

    /// A set: ordered by bytes, each once.
    private static func tags(_ fields: Fields) throws(Refusal) -> [Text]? {
        guard let value = fields.value("tags") else { return fields.has("tags") ? [] : nil }
        guard value.kind == .list else { throw fields.refuse("tags", "must be a list of tags.") }
        var tags: Set<Text> = []
        for (i, element) in value.elements.enumerated() {
            guard element.kind == .string, Limits.idBytes.contains(element.text.count) else {
                throw Refusal(
                    .badRequest, field: "tags[\(i)]",
                    "tags[\(i)]: must be a tag of 1 to \(Limits.idBytes.upperBound) bytes in quotes.")
            }
            tags.insert(element.text)
        }
        return tags.sorted()
    }
}

extension CommandDecoding {
    private static func workspacePut(_ request: Node, _ workspace: Text) throws(Refusal) -> WorkspacePut {
        let fields = try Fields(request, known: KnownFields.workspacePut)
        var put = WorkspacePut(workspace: workspace)
        if let name = try fields.text("timeZone") {
            guard let table = ZoneTables.table(named: name) else {
                throw fields.refuse(
                    "timeZone", "there is no time zone \"\(name)\"; give an IANA name such as \"Europe/Warsaw\".")
            }
            put.timeZone = table
        }
        put.weekStart = try fields.choice(
            "weekStart", [("monday", .monday), ("sunday", .sunday), ("saturday", .saturday)])
        put.referralCode = try fields.change("referralCode", fields.id)
        if case .set(let template) = put.referralCode {
            let pieces = template.string.split(separator: "{seq}", omittingEmptySubsequences: false)
            guard pieces.count == 2 else {
                throw fields.refuse(
                    "referralCode", "a template of referral codes holds {seq} exactly once, as in \"REF-{seq}\".")
            }
        }
        put.autoCreateMembers = try fields.bool("autoCreateMembers")
        return put
    }

    private static func currencyPut(_ request: Node, _ workspace: Text) throws(Refusal) -> CurrencyPut {
        let fields = try Fields(request, known: KnownFields.currencyPut)
        var put = CurrencyPut(workspace: workspace, currency: try fields.required("currency", fields.id))
        put.kind = try fields.choice("kind", [("points", .points), ("money", .money)])
        let scales = Int64(Limits.currencyScale.lowerBound)...Int64(Limits.currencyScale.upperBound)
        put.scale = try fields.integer("scale", scales).map { UInt8($0) }
        put.rounding = try fields.choice(
            "rounding",
            [("halfUp", .halfUp), ("halfEven", .halfEven), ("halfDown", .halfDown), ("up", .up), ("down", .down)])
        put.color = try fields.change("color", fields.text)
        if case .set(let color) = put.color {
            let isHex = color.bytes.dropFirst().allSatisfy { Character(UnicodeScalar($0)).isHexDigit && $0 < 0x80 }
            guard color.count == 7, color.bytes[0] == UInt8(ascii: "#"), isHex else {
                throw fields.refuse("color", "must be #rrggbb, such as \"#3366ff\".")
            }
        }
        put.lifetime = try fields.change("lifetime", fields.duration)
        return put
    }

    private static func accountPut(_ request: Node, _ workspace: Text) throws(Refusal) -> AccountPut {
        let fields = try Fields(request, known: KnownFields.accountPut)
        return AccountPut(
            workspace: workspace, account: try fields.required("account", fields.id),
            legalEntity: try fields.change("legalEntity", fields.text), currency: try fields.id("currency"),
            budget: try fields.change("budget", fields.decimal))
    }

    private static func boardPut(_ request: Node, _ workspace: Text) throws(Refusal) -> BoardPut {
        let fields = try Fields(request, known: KnownFields.boardPut)
        var put = BoardPut(workspace: workspace, board: try fields.required("board", fields.id))
        if let score = fields.value("score") {
            guard score.kind == .object else {
                throw fields.refuse("score", "must be an object such as {\"currency\":\"PTS\"}.")
            }
            let inner = try Fields(score, known: ["currency"], path: "score.")
            put.currency = try inner.required("currency", inner.id)
        }
        put.period = try fields.choice(
            "period", [("day", .day), ("week", .week), ("month", .month), ("year", .year), ("all", .all)])
        put.ties = try fields.choice(
            "ties", [("competition", .competition), ("dense", .dense), ("ordinal", .ordinal)])
        return put
    }
}
