/// A line, decoded as far as the state is not needed.
struct Request {
    enum Body {
        case command(Command)
        case read(Read)
        /// Answered by the server alone.
        case server
    }

    let workspace: Text
    let body: Body

    init(_ fields: Fields) throws(Refusal) {
        guard case .string(let op)? = fields.members["op"] else { throw fields.refuse("op") }
        workspace = try fields.id("workspace") ?? "main"
        if let command = try Command(op.string, fields) {
            body = .command(command)
        } else if let read = try Read(op.string, fields) {
            body = .read(read)
        } else if ["hello", "ping", "subscribe", "unsubscribe"].contains(op.string) {
            body = .server
        } else {
            throw Refusal("unknown_op", openField: ())
        }
    }
}

extension Fields {
    /// Refuses every field but these and the ones that every request may have.
    func only(_ names: [Text]) throws(Refusal) {
        try allow(names + ["op", "id", "workspace"])
    }
}

/// A request that is logged.
enum Command {
    case putWorkspace(PutWorkspace)
    case putCurrency(PutCurrency)
    case putAccount(PutAccount)
    case putMember(PutMember)
    case putPlan([Text: JSON])
    case endPlan(Text, at: Instant?)
    case putBoard(PutBoard)
    case action(PutAction)
    case reverse(Reversal)
    case adjust(Transfer)
    case redeem(Transfer)

    /// `nil` when the operation is none of these.
    init?(_ op: String, _ fields: Fields) throws(Refusal) {
        switch op {
        case "workspace.put": self = .putWorkspace(try PutWorkspace(fields))
        case "currency.put": self = .putCurrency(try PutCurrency(fields))
        case "account.put": self = .putAccount(try PutAccount(fields))
        case "member.put": self = .putMember(try PutMember(fields))
        case "plan.put":
            try fields.only(["plan"])
            guard case .object(let plan)? = fields.value("plan") else { throw fields.refuse("plan") }
            self = .putPlan(plan)
        case "plan.end":
            try fields.only(["plan", "at"])
            self = .endPlan(try fields.requiredId("plan"), at: try fields.instant("at"))
        case "board.put": self = .putBoard(try PutBoard(fields))
        case "action": self = .action(try PutAction(fields))
        case "reverse": self = .reverse(try Reversal(fields))
        case "adjust": self = .adjust(try Transfer(fields))
        case "redeem": self = .redeem(try Transfer(fields))
        default: return nil
        }
    }
}

struct PutWorkspace {
    let zone: Zone?
    let weekStart: WeekStart?
    let template: Change<Text>
    let createsPerformers: Bool?

    init(_ fields: Fields) throws(Refusal) {
        try fields.only(["timeZone", "weekStart", "referralCode", "autoCreateMembers"])
        if let name = try fields.text("timeZone") {
            guard let zone = Zone(name.string) else { throw fields.refuse("timeZone") }
            self.zone = zone
        } else {
            zone = nil
        }
        weekStart = try fields.choice("weekStart", ["monday", "sunday", "saturday"]).flatMap(WeekStart.init)
        template = try fields.textChange("referralCode")
        if let text = template.value {
            let pieces = text.string.split(separator: "{seq}", omittingEmptySubsequences: false)
            guard pieces.count == 2 else { throw fields.refuse("referralCode") }
        }
        createsPerformers = try fields.bool("autoCreateMembers")
    }
}

struct PutCurrency {
    let id: Text
    let kind: String?
    let scale: Int?
    let rounding: Rounding?
    let color: Change<Text>
    let lifetime: Change<Lifetime>

    init(_ fields: Fields) throws(Refusal) {
        try fields.only(["currency", "kind", "scale", "rounding", "color", "lifetime"])
        id = try fields.requiredId("currency")
        kind = try fields.choice("kind", ["points", "money"])
        scale = try fields.integer("scale", 0...6)
        rounding = try fields.choice("rounding", ["halfUp", "halfEven", "halfDown", "up", "down"])
            .flatMap(Rounding.init)
        color = try fields.textChange("color")
        if let text = color.value?.string {
            guard text.count == 7, text.first == "#", text.dropFirst().allSatisfy({ $0.isASCII && $0.isHexDigit })
            else {
                throw fields.refuse("color")
            }
        }
        lifetime = try fields.lifetime("lifetime")
    }
}

struct PutAccount {
    let id: Text
    let legalEntity: Change<Text>
    let currency: Text?
    let budget: Change<ExactDecimal>

    init(_ fields: Fields) throws(Refusal) {
        try fields.only(["account", "legalEntity", "currency", "budget"])
        id = try fields.requiredId("account")
        legalEntity = try fields.textChange("legalEntity")
        currency = try fields.id("currency")
        if let decimal = try fields.decimal("budget") {
            budget = .set(decimal)
        } else {
            budget = fields.members["budget"] == nil ? .absent : .cleared
        }
    }
}

struct PutMember {
    let id: Text
    let name: Change<Text>
    let email: Change<Text>
    let phone: Change<Text>
    let birthday: Change<CivilDate>
    let registered: Change<CivilDate>
    let kind: Change<Text>
    let tags: Change<[Text]>
    let attributes: Change<[Text: Attribute?]>
    let referrer: Change<Text>
    let inviterCode: Change<Text>
    let code: Change<Text>

    init(_ fields: Fields) throws(Refusal) {
        try fields.only([
            "member", "name", "email", "phone", "birthday", "registered", "kind", "tags", "attributes", "referrer",
            "referralCode", "code",
        ])
        id = try fields.requiredId("member")
        name = try fields.textChange("name")
        email = try fields.textChange("email")
        phone = try fields.textChange("phone")
        birthday = try fields.date("birthday")
        registered = try fields.date("registered")
        kind = try fields.textChange("kind")
        tags = try fields.tags("tags")
        if let values = try fields.attributes("attributes") {
            attributes = .set(values)
        } else {
            attributes = fields.members["attributes"] == nil ? .absent : .cleared
        }
        referrer = try fields.idChange("referrer")
        inviterCode = try fields.idChange("referralCode")
        code = try fields.idChange("code")
    }
}

struct PutBoard {
    let id: Text
    let currency: Text?
    let period: PeriodKind?
    let ties: TieStyle?

    init(_ fields: Fields) throws(Refusal) {
        try fields.only(["board", "score", "period", "ties"])
        id = try fields.requiredId("board")
        if let score = fields.value("score") {
            guard case .object(let members) = score else { throw fields.refuse("score") }
            let inner = Fields(members: members, path: "score.")
            try inner.allow(["currency"])
            currency = try inner.requiredId("currency")
        } else {
            currency = nil
        }
        period = try fields.choice("period", PeriodKind.allCases.map(\.rawValue)).flatMap(PeriodKind.init)
        ties = try fields.choice("ties", ["competition", "dense", "ordinal"]).flatMap(TieStyle.init)
    }
}

struct PutAction {
    let externalId: Text
    let performer: Text
    let type: Text
    let value: ExactDecimal?
    let currency: Text?
    let at: Instant?
    let title: Text?
    let attributes: [Text: Attribute]

    init(_ fields: Fields) throws(Refusal) {
        try fields.only(["externalId", "performer", "type", "value", "currency", "at", "title", "attributes"])
        externalId = try fields.requiredId("externalId")
        performer = try fields.requiredId("performer")
        type = try fields.requiredId("type")
        value = try fields.decimal("value")
        currency = try fields.id("currency")
        if value == nil && currency != nil { throw Refusal("bad_request", openField: ()) }
        at = try fields.instant("at")
        title = try fields.text("title")
        attributes = (try fields.attributes("attributes") ?? [:]).compactMapValues { $0 }
    }

    var content: Content {
        Content(op: "action", texts: [performer, type, currency, title], number: value, at: at, attributes: attributes)
    }
}

struct Reversal {
    let externalId: Text
    let of: Text
    let value: ExactDecimal?
    let at: Instant?

    init(_ fields: Fields) throws(Refusal) {
        try fields.only(["externalId", "of", "value", "at"])
        externalId = try fields.requiredId("externalId")
        of = try fields.requiredId("of")
        value = try fields.decimal("value")
        at = try fields.instant("at")
    }

    var content: Content { Content(op: "reverse", texts: [of], number: value, at: at) }
}

/// An `adjust` or a `redeem`.
struct Transfer {
    let externalId: Text
    let member: Text
    let currency: Text
    let amount: ExactDecimal
    let reason: Text?
    let at: Instant?

    init(_ fields: Fields) throws(Refusal) {
        try fields.only(["externalId", "member", "currency", "amount", "reason", "at"])
        externalId = try fields.requiredId("externalId")
        member = try fields.requiredId("member")
        currency = try fields.requiredId("currency")
        guard let amount = try fields.decimal("amount") else { throw fields.refuse("amount") }
        self.amount = amount
        reason = try fields.text("reason")
        at = try fields.instant("at")
    }

    func content(_ op: String) -> Content {
        Content(op: op, texts: [member, currency, reason], number: amount, at: at)
    }
}

/// A request that only looks.
enum Read {
    case member(Text)
    case wallet(Text, lots: Bool)
    case statement(Text, currency: Text?, limit: Int, before: Int?)
    case upline(Text, levels: Int)
    case downline(Text, levels: Int, limit: Int)
    case top(Text, limit: Int, period: String?)
    case rank(Text, member: Text, around: Int, period: String?)
    case explain(Text)
    case stats

    /// `nil` when the operation is none of these.
    init?(_ op: String, _ fields: Fields) throws(Refusal) {
        switch op {
        case "member.get":
            try fields.only(["member"])
            self = .member(try fields.requiredId("member"))
        case "wallet":
            try fields.only(["member", "lots"])
            self = .wallet(try fields.requiredId("member"), lots: try fields.bool("lots") ?? false)
        case "statement":
            try fields.only(["member", "currency", "limit", "before"])
            self = .statement(
                try fields.requiredId("member"), currency: try fields.id("currency"),
                limit: try fields.integer("limit", 1...1000) ?? 50, before: try fields.integer("before", 0...Int.max))
        case "upline":
            try fields.only(["member", "levels"])
            self = .upline(
                try fields.requiredId("member"), levels: try fields.integer("levels", 1...1000) ?? 10)
        case "downline":
            try fields.only(["member", "levels", "limit"])
            self = .downline(
                try fields.requiredId("member"), levels: try fields.integer("levels", 1...1000) ?? 1,
                limit: try fields.integer("limit", 1...1000) ?? 100)
        case "board.top":
            try fields.only(["board", "limit", "period"])
            self = .top(
                try fields.requiredId("board"), limit: try fields.integer("limit", 1...1000) ?? 10,
                period: try fields.text("period")?.string)
        case "board.rank":
            try fields.only(["board", "member", "around", "period"])
            self = .rank(
                try fields.requiredId("board"), member: try fields.requiredId("member"),
                around: try fields.integer("around", 0...1000) ?? 0, period: try fields.text("period")?.string)
        case "explain":
            try fields.only(["externalId"])
            self = .explain(try fields.requiredId("externalId"))
        case "stats":
            try fields.only([])
            self = .stats
        default: return nil
        }
    }
}
