public import GuerdonCore

/// Commands as JSON, the way a client would have sent them.
///
/// What is written reads back as the same command, so a log can be printed, filtered and sent to another server.
public enum CommandJSON {
    /// Appends a command as one line.
    ///
    /// - Parameters:
    ///   - sequence: log position, written as `seq`; left out when `nil`.
    ///   - time: nanoseconds since 1970, written as `time`; left out when `nil`.
    public static func write(_ command: Command, sequence: UInt64? = nil, time: Int64? = nil, into out: ByteSink) {
        var writer = JSONWriter(out)
        write(command, sequence: sequence, time: time, into: &writer)
        writer.endLine()
    }

    static func write(_ command: Command, sequence: UInt64?, time: Int64?, into writer: inout JSONWriter) {
        writer.beginObject()
        if let sequence {
            writer.key("seq")
            writer.number(sequence)
        }
        if let time {
            writer.key("time")
            writer.time(time)
        }
        writer.key("op")
        writer.word(name(of: command))
        fields(of: command, &writer)
        writer.endObject()
    }

    /// The operation's name on the wire; `tick` is never sent.
    private static func name(of command: Command) -> StaticString {
        switch command {
        case .tick: "tick"
        case .workspacePut: "workspace.put"
        case .currencyPut: "currency.put"
        case .accountPut: "account.put"
        case .memberPut: "member.put"
        case .planPut: "plan.put"
        case .planEnd: "plan.end"
        case .boardPut: "board.put"
        case .action: "action"
        case .reverse: "reverse"
        case .adjust: "adjust"
        case .redeem: "redeem"
        }
    }

    private static func fields(of command: Command, _ writer: inout JSONWriter) {
        switch command {
        case .tick: break
        case .workspacePut(let c): writer.put(c)
        case .currencyPut(let c): writer.put(c)
        case .accountPut(let c): writer.put(c)
        case .memberPut(let c): writer.put(c)
        case .planPut(let c):
            writer.field("workspace", c.workspace)
            writer.key("plan")
            writer.plan(c.plan)
        case .planEnd(let c):
            writer.field("workspace", c.workspace)
            writer.field("plan", c.plan)
            writer.timeField("at", c.at)
        case .boardPut(let c): writer.put(c)
        case .action(let c): writer.put(c)
        case .reverse(let c):
            writer.field("workspace", c.workspace)
            writer.field("externalId", c.externalId)
            writer.field("of", c.of)
            writer.field("value", c.value)
            writer.timeField("at", c.at)
        case .adjust(let c), .redeem(let c): writer.put(c)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func field(_ name: StaticString, _ text: Text?) {
        guard let text else { return }
        key(name)
        string(text)
    }

    fileprivate mutating func choice(_ name: StaticString, _ word: StaticString?) {
        guard let word else { return }
        key(name)
        self.word(word)
    }

    fileprivate mutating func field(_ name: StaticString, _ value: Bool?) {
        guard let value else { return }
        key(name)
        bool(value)
    }

    fileprivate mutating func field(_ name: StaticString, _ value: DecimalNumber?) {
        guard let value else { return }
        key(name)
        decimal(value)
    }

    fileprivate mutating func timeField(_ name: StaticString, _ value: Int64?) {
        guard let value else { return }
        key(name)
        time(value)
    }

    fileprivate mutating func field<T>(
        _ name: StaticString, _ change: Change<T>, _ write: (inout JSONWriter, T) -> Void
    ) {
        switch change {
        case .keep: return
        case .clear:
            key(name)
            null()
        case .set(let value):
            key(name)
            write(&self, value)
        }
    }

    fileprivate mutating func field(_ name: StaticString, _ change: Change<Text>) {
        field(name, change) { $0.string($1) }
    }

    fileprivate mutating func duration(_ duration: CalendarDuration) {
        string(DurationText.text(duration))
    }

    fileprivate mutating func put(_ c: WorkspacePut) {
        field("workspace", c.workspace)
        field("timeZone", c.timeZone?.name)
        choice("weekStart", c.weekStart?.name)
        field("referralCode", c.referralCode)
        field("autoCreateMembers", c.autoCreateMembers)
    }

    fileprivate mutating func put(_ c: CurrencyPut) {
        field("workspace", c.workspace)
        field("currency", c.currency)
        choice("kind", c.kind?.name)
        if let scale = c.scale {
            key("scale")
            number(UInt64(scale))
        }
        choice("rounding", c.rounding?.name)
        field("color", c.color)
        field("lifetime", c.lifetime) { $0.duration($1) }
    }

    fileprivate mutating func put(_ c: AccountPut) {
        field("workspace", c.workspace)
        field("account", c.account)
        field("legalEntity", c.legalEntity)
        field("currency", c.currency)
        field("budget", c.budget) { $0.decimal($1) }
    }

    fileprivate mutating func put(_ c: MemberPut) {
        field("workspace", c.workspace)
        field("member", c.member)
        field("name", c.name)
        field("email", c.email)
        field("phone", c.phone)
        field("birthday", c.birthday)
        field("registered", c.registered)
        field("kind", c.kind)
        if let tags = c.tags {
            key("tags")
            beginList()
            for tag in tags { string(tag) }
            endList()
        }
        if c.clearAttributes {
            key("attributes")
            null()
        } else if !c.attributes.isEmpty {
            key("attributes")
            attributes(c.attributes)
        }
        field("referrer", c.referrer)
        field("referralCode", c.referralCode)
        field("code", c.code)
    }

    fileprivate mutating func put(_ c: BoardPut) {
        field("workspace", c.workspace)
        field("board", c.board)
        if let currency = c.currency {
            key("score")
            beginObject()
            field("currency", currency)
            endObject()
        }
        choice("period", c.period?.name)
        choice("ties", c.ties?.name)
    }

    fileprivate mutating func put(_ c: ActionCommand) {
        field("workspace", c.workspace)
        field("externalId", c.externalId)
        field("performer", c.performer)
        field("type", c.type)
        field("value", c.value)
        field("currency", c.currency)
        timeField("at", c.at)
        field("title", c.title)
        if !c.attributes.isEmpty {
            key("attributes")
            attributes(c.attributes)
        }
    }

    fileprivate mutating func put(_ c: WalletCommand) {
        field("workspace", c.workspace)
        field("externalId", c.externalId)
        field("member", c.member)
        field("currency", c.currency)
        field("amount", c.amount)
        field("reason", c.reason)
        timeField("at", c.at)
    }
}

extension JSONWriter {
    /// A plan as its author wrote it.
    fileprivate mutating func plan(_ plan: PlanDefinition) {
        beginObject()
        field("plan", plan.plan)
        field("title", plan.title)
        field("funding", plan.funding)
        instant("starts", plan.starts)
        instant("ends", plan.ends)
        field("audience", plan.audience)
        if plan.clawback == .debt { choice("clawback", "debt") }
        key("bonuses")
        beginList()
        for bonus in plan.bonuses {
            beginObject()
            field("bonus", bonus.bonus)
            field("when", bonus.when)
            key("rewards")
            beginList()
            for reward in bonus.rewards { self.reward(reward) }
            endList()
            endObject()
        }
        endList()
        endObject()
    }

    private mutating func instant(_ name: StaticString, _ instant: PlanInstant?) {
        switch instant {
        case nil: return
        case .date(let day)?:
            let text = ByteSink(capacity: 16)
            defer { text.deallocate() }
            TimeText.date(Int64(day), into: text)
            key(name)
            string(text.bytes)
        case .time(let time)?: timeField(name, time)
        }
    }

    private mutating func reward(_ reward: RewardDefinition) {
        beginObject()
        switch reward.gift {
        case .tag(let tag):
            choice("to", "performer")
            field("tag", tag)
        case .performer(let currency, let formula):
            choice("to", "performer")
            field("currency", currency)
            self.formula(formula)
        case .upline(let currency, let levels):
            choice("to", "upline")
            field("currency", currency)
            key("levels")
            beginList()
            for level in levels {
                guard let level else {
                    null()
                    continue
                }
                beginObject()
                formula(level)
                endObject()
            }
            endList()
        }
        if let lifetime = reward.lifetime {
            key("lifetime")
            duration(lifetime)
        }
        field("description", reward.description)
        field("exchange", reward.exchange)
        endObject()
    }

    private mutating func formula(_ formula: Formula) {
        switch formula {
        case .fixed(let amount): field("amount", amount)
        case .perUnit(let per, let amount):
            field("per", per)
            field("amount", amount)
        case .rate(let rate): field("rate", rate)
        }
    }
}
