/// The byte in front of a custom value. Values never change meaning.
public enum AttributeTag {
    public static let null: UInt8 = 0
    public static let `false`: UInt8 = 1
    public static let `true`: UInt8 = 2
    public static let int: UInt8 = 3
    public static let decimal: UInt8 = 4
    public static let string: UInt8 = 5
    public static let list: UInt8 = 6
    public static let map: UInt8 = 7
}

/// The compact bytes of a command in the log. The first byte is the ``CommandTag``; actions are in `ActionRecord.swift`.
public enum CommandCoding {
    /// Appends a command that is not an action; actions go through ``ActionEncoder``.
    public static func encode(_ command: Command, into out: ByteSink, actions: inout ActionEncoder) {
        switch command {
        case .action(let c): actions.encode(c, into: out)
        case .tick: out.write(CommandTag.tick.rawValue)
        case .reverse(let c):
            out.write(CommandTag.reverse.rawValue)
            out.write(c.workspace)
            out.write(c.externalId)
            out.write(c.of)
            out.write(c.value) { out.write($0) }
            out.write(c.at) { out.writeSigned($0) }
        case .adjust(let c): encode(c, tag: .adjust, into: out)
        case .redeem(let c): encode(c, tag: .redeem, into: out)
        case .workspacePut(let c):
            out.write(CommandTag.workspacePut.rawValue)
            out.write(c.workspace)
            out.write(c.timeZone) { zone in
                out.write(zone.name)
                out.write(zone.spans) {
                    out.writeSigned($0.start)
                    out.writeSigned(Int64($0.offset))
                }
            }
            out.write(c.weekStart) { out.write($0.rawValue) }
            out.write(c.referralCode) { out.write($0) }
            out.write(c.autoCreateMembers) { out.write($0) }
        case .currencyPut(let c):
            out.write(CommandTag.currencyPut.rawValue)
            out.write(c.workspace)
            out.write(c.currency)
            out.write(c.kind) { out.write($0.rawValue) }
            out.write(c.scale) { out.write($0) }
            out.write(c.rounding) { out.write($0.rawValue) }
            out.write(c.color) { out.write($0) }
            out.write(c.lifetime) { encode($0, into: out) }
        case .accountPut(let c):
            out.write(CommandTag.accountPut.rawValue)
            out.write(c.workspace)
            out.write(c.account)
            out.write(c.legalEntity) { out.write($0) }
            out.write(c.currency) { out.write($0) }
            out.write(c.budget) { out.write($0) }
        case .memberPut(let c): encode(c, into: out)
        case .planPut(let c):
            out.write(CommandTag.planPut.rawValue)
            out.write(c.workspace)
            encode(c.plan, into: out)
        case .planEnd(let c):
            out.write(CommandTag.planEnd.rawValue)
            out.write(c.workspace)
            out.write(c.plan)
            out.write(c.at) { out.writeSigned($0) }
        case .boardPut(let c):
            out.write(CommandTag.boardPut.rawValue)
            out.write(c.workspace)
            out.write(c.board)
            out.write(c.currency) { out.write($0) }
            out.write(c.period) { out.write($0.rawValue) }
            out.write(c.ties) { out.write($0.rawValue) }
        }
    }

    /// Reads the command at the source's position.
    public static func decode(
        _ source: inout ByteSource, shape: inout ActionShape
    ) throws(MalformedBytes) -> Command {
        switch try source.code(CommandTag.self) {
        case .action:
            source.position -= 1
            return .action(try ActionRecord(&source, shape: &shape).command(shape: shape))
        case .tick: return .tick
        case .reverse:
            return .reverse(
                ReverseCommand(
                    workspace: try source.text(), externalId: try source.text(), of: try source.text(),
                    value: try source.optional { s throws(MalformedBytes) in try s.decimal() },
                    at: try source.optional { s throws(MalformedBytes) in try s.signed() }))
        case .adjust: return .adjust(try walletCommand(&source))
        case .redeem: return .redeem(try walletCommand(&source))
        case .workspacePut:
            let workspace = try source.text()
            let zone = try source.optional { s throws(MalformedBytes) in
                let name = try s.text()
                let spans = try s.array { s throws(MalformedBytes) in
                    ZoneTable.Span(start: try s.signed(), offset: Int32(truncatingIfNeeded: try s.signed()))
                }
                guard !spans.isEmpty else { throw MalformedBytes(offset: s.position) }
                return ZoneTable(name: name, spans: spans)
            }
            return .workspacePut(
                WorkspacePut(
                    workspace: workspace, timeZone: zone,
                    weekStart: try source.optional { s throws(MalformedBytes) in try s.code(WeekStart.self) },
                    referralCode: try source.change { s throws(MalformedBytes) in try s.text() },
                    autoCreateMembers: try source.optional { s throws(MalformedBytes) in try s.bool() }))
        case .currencyPut:
            return .currencyPut(
                CurrencyPut(
                    workspace: try source.text(), currency: try source.text(),
                    kind: try source.optional { s throws(MalformedBytes) in try s.code(CurrencyKind.self) },
                    scale: try source.optional { s throws(MalformedBytes) in try s.byte() },
                    rounding: try source.optional { s throws(MalformedBytes) in try s.code(Rounding.self) },
                    color: try source.change { s throws(MalformedBytes) in try s.text() },
                    lifetime: try source.change { s throws(MalformedBytes) in try duration(&s) }))
        case .accountPut:
            return .accountPut(
                AccountPut(
                    workspace: try source.text(), account: try source.text(),
                    legalEntity: try source.change { s throws(MalformedBytes) in try s.text() },
                    currency: try source.optional { s throws(MalformedBytes) in try s.text() },
                    budget: try source.change { s throws(MalformedBytes) in try s.decimal() }))
        case .memberPut: return .memberPut(try memberPut(&source))
        case .planPut: return .planPut(PlanPut(workspace: try source.text(), plan: try plan(&source)))
        case .planEnd:
            return .planEnd(
                PlanEnd(
                    workspace: try source.text(), plan: try source.text(),
                    at: try source.optional { s throws(MalformedBytes) in try s.signed() }))
        case .boardPut:
            return .boardPut(
                BoardPut(
                    workspace: try source.text(), board: try source.text(),
                    currency: try source.optional { s throws(MalformedBytes) in try s.text() },
                    period: try source.optional { s throws(MalformedBytes) in try s.code(BoardPeriod.self) },
                    ties: try source.optional { s throws(MalformedBytes) in try s.code(TieStyle.self) }))
        }
    }

    private static func encode(_ c: WalletCommand, tag: CommandTag, into out: ByteSink) {
        out.write(tag.rawValue)
        out.write(c.workspace)
        out.write(c.externalId)
        out.write(c.member)
        out.write(c.currency)
        out.write(c.amount)
        out.write(c.reason) { out.write($0) }
        out.write(c.at) { out.writeSigned($0) }
    }

    private static func walletCommand(_ source: inout ByteSource) throws(MalformedBytes) -> WalletCommand {
        WalletCommand(
            workspace: try source.text(), externalId: try source.text(), member: try source.text(),
            currency: try source.text(), amount: try source.decimal(),
            reason: try source.optional { s throws(MalformedBytes) in try s.text() },
            at: try source.optional { s throws(MalformedBytes) in try s.signed() })
    }

    static func encode(_ d: CalendarDuration, into out: ByteSink) {
        out.writeSigned(Int64(d.months))
        out.writeSigned(Int64(d.days))
        out.writeSigned(d.seconds)
    }

    static func duration(_ source: inout ByteSource) throws(MalformedBytes) -> CalendarDuration {
        CalendarDuration(
            months: Int32(truncatingIfNeeded: try source.signed()),
            days: Int32(truncatingIfNeeded: try source.signed()),
            seconds: try source.signed())
    }
}

extension CommandCoding {
    private static func encode(_ c: MemberPut, into out: ByteSink) {
        out.write(CommandTag.memberPut.rawValue)
        out.write(c.workspace)
        out.write(c.member)
        for change in [c.name, c.email, c.phone, c.birthday, c.registered, c.kind, c.referrer, c.code] {
            out.write(change) { out.write($0) }
        }
        out.write(c.referralCode) { out.write($0) }
        out.write(c.tags) { tags in out.write(tags) { out.write($0) } }
        encode(c.attributes, into: out)
        out.write(c.clearAttributes)
    }

    /// The texts of a `member.put` that may be absent, in the order of its bytes.
    public enum MemberField: CaseIterable {
        case name, email, phone, birthday, registered, kind, referrer, code, referralCode
    }

    /// Appends a `member.put` that sets fields and clears none, from their bytes and without allocating.
    ///
    /// - Parameters:
    ///   - attributes: encoded entries; empty when there are none.
    ///   - field: the text of a field, `nil` when it is absent.
    @inline(__always)
    public static func encodeMemberPut(
        workspace: UnsafeRawBufferPointer, member: UnsafeRawBufferPointer, attributes: UnsafeRawBufferPointer,
        into out: ByteSink, field: (MemberField) -> UnsafeRawBufferPointer?
    ) {
        out.write(CommandTag.memberPut.rawValue)
        write(workspace, into: out)
        write(member, into: out)
        func change(_ member: MemberField) {
            guard let text = field(member) else { return out.write(0 as UInt8) }
            out.write(2 as UInt8)
            write(text, into: out)
        }
        change(.name)
        change(.email)
        change(.phone)
        change(.birthday)
        change(.registered)
        change(.kind)
        change(.referrer)
        change(.code)
        if let code = field(.referralCode) {
            out.write(1 as UInt8)
            write(code, into: out)
        } else {
            out.write(0 as UInt8)
        }
        // No tags, no entries, nothing cleared.
        out.write(0 as UInt8)
        if attributes.isEmpty { out.write(0 as UInt8) } else { out.write(attributes) }
        out.write(0 as UInt8)
    }

    @inline(__always) private static func write(_ text: UnsafeRawBufferPointer, into out: ByteSink) {
        out.writeVarint(UInt64(text.count))
        out.write(text)
    }

    private static func memberPut(_ source: inout ByteSource) throws(MalformedBytes) -> MemberPut {
        func text(_ s: inout ByteSource) throws(MalformedBytes) -> Text { try s.text() }
        var c = MemberPut(workspace: try source.text(), member: try source.text())
        c.name = try source.change(text)
        c.email = try source.change(text)
        c.phone = try source.change(text)
        c.birthday = try source.change(text)
        c.registered = try source.change(text)
        c.kind = try source.change(text)
        c.referrer = try source.change(text)
        c.code = try source.change(text)
        c.referralCode = try source.optional(text)
        c.tags = try source.optional { s throws(MalformedBytes) in try s.array(text) }
        c.attributes = try attributes(&source, depth: 0)
        c.clearAttributes = try source.bool()
        return c
    }

    /// Appends an attributes map: count, then key and value of each entry.
    public static func encode(_ attributes: [AttributeEntry], into out: ByteSink) {
        out.write(attributes) {
            out.write($0.key)
            encode($0.value, into: out)
        }
    }

    /// Reads what ``encode(_:into:)-([AttributeEntry],_)`` wrote.
    public static func attributes(
        _ source: inout ByteSource, depth: Int
    ) throws(MalformedBytes) -> [AttributeEntry] {
        try source.array { s throws(MalformedBytes) in
            AttributeEntry(key: try s.text(), value: try value(&s, depth: depth))
        }
    }

    static func encode(_ value: AttributeValue, into out: ByteSink) {
        switch value {
        case .null: out.write(AttributeTag.null)
        case .bool(let b): out.write(b ? AttributeTag.true : AttributeTag.false)
        case .int(let i):
            out.write(AttributeTag.int)
            out.writeSigned(i)
        case .decimal(let d):
            out.write(AttributeTag.decimal)
            out.write(d)
        case .string(let s):
            out.write(AttributeTag.string)
            out.write(s)
        case .list(let items):
            out.write(AttributeTag.list)
            out.write(items) { encode($0, into: out) }
        case .map(let entries):
            out.write(AttributeTag.map)
            encode(entries, into: out)
        }
    }

    static func value(_ source: inout ByteSource, depth: Int) throws(MalformedBytes) -> AttributeValue {
        guard depth <= Limits.nesting else { throw MalformedBytes(offset: source.position) }
        switch try source.byte() {
        case AttributeTag.null: return .null
        case AttributeTag.false: return .bool(false)
        case AttributeTag.true: return .bool(true)
        case AttributeTag.int: return .int(try source.signed())
        case AttributeTag.decimal: return .decimal(try source.decimal())
        case AttributeTag.string: return .string(try source.text())
        case AttributeTag.list:
            return .list(try source.array { s throws(MalformedBytes) in try value(&s, depth: depth + 1) })
        case AttributeTag.map: return .map(try attributes(&source, depth: depth + 1))
        default: throw MalformedBytes(offset: source.position)
        }
    }
}

extension CommandCoding {
    /// Appends a plan definition; also used by snapshots.
    static func encode(_ p: PlanDefinition, into out: ByteSink) {
        out.write(p.plan)
        out.write(p.title) { out.write($0) }
        out.write(p.funding) { out.write($0) }
        for instant in [p.starts, p.ends] {
            out.write(instant) {
                switch $0 {
                case .date(let day):
                    out.write(0 as UInt8)
                    out.writeSigned(Int64(day))
                case .time(let time):
                    out.write(1 as UInt8)
                    out.writeSigned(time)
                }
            }
        }
        out.write(p.audience) { out.write($0) }
        out.write(p.clawback.rawValue)
        out.write(p.bonuses) { bonus in
            out.write(bonus.bonus)
            out.write(bonus.when) { out.write($0) }
            out.write(bonus.rewards) { encode($0, into: out) }
        }
    }

    static func plan(_ source: inout ByteSource) throws(MalformedBytes) -> PlanDefinition {
        func text(_ s: inout ByteSource) throws(MalformedBytes) -> Text { try s.text() }
        func instant(_ s: inout ByteSource) throws(MalformedBytes) -> PlanInstant {
            try s.byte() == 0 ? .date(Int32(truncatingIfNeeded: try s.signed())) : .time(try s.signed())
        }
        return PlanDefinition(
            plan: try source.text(), title: try source.optional(text), funding: try source.optional(text),
            starts: try source.optional(instant), ends: try source.optional(instant),
            audience: try source.optional(text), clawback: try source.code(Clawback.self),
            bonuses: try source.array { s throws(MalformedBytes) in
                BonusDefinition(
                    bonus: try s.text(), when: try s.optional(text),
                    rewards: try s.array { s throws(MalformedBytes) in try reward(&s) })
            })
    }

    private static func encode(_ r: RewardDefinition, into out: ByteSink) {
        switch r.gift {
        case .performer(let currency, let formula):
            out.write(0 as UInt8)
            out.write(currency)
            encode(formula, into: out)
        case .upline(let currency, let levels):
            out.write(1 as UInt8)
            out.write(currency)
            out.write(levels) { level in out.write(level) { encode($0, into: out) } }
        case .tag(let tag):
            out.write(2 as UInt8)
            out.write(tag)
        }
        out.write(r.lifetime) { encode($0, into: out) }
        out.write(r.description) { out.write($0) }
        out.write(r.exchange) { out.write($0) }
    }

    private static func reward(_ source: inout ByteSource) throws(MalformedBytes) -> RewardDefinition {
        let gift: RewardDefinition.Gift
        switch try source.byte() {
        case 0: gift = .performer(currency: try source.text(), try formula(&source))
        case 1:
            gift = .upline(
                currency: try source.text(),
                levels: try source.array { s throws(MalformedBytes) in
                    try s.optional { s throws(MalformedBytes) in try formula(&s) }
                })
        case 2: gift = .tag(try source.text())
        default: throw MalformedBytes(offset: source.position)
        }
        return RewardDefinition(
            gift: gift, lifetime: try source.optional { s throws(MalformedBytes) in try duration(&s) },
            description: try source.optional { s throws(MalformedBytes) in try s.text() },
            exchange: try source.optional { s throws(MalformedBytes) in try s.decimal() })
    }

    private static func encode(_ f: Formula, into out: ByteSink) {
        switch f {
        case .fixed(let amount):
            out.write(0 as UInt8)
            out.write(amount)
        case .perUnit(let per, let amount):
            out.write(1 as UInt8)
            out.write(per)
            out.write(amount)
        case .rate(let rate):
            out.write(2 as UInt8)
            out.write(rate)
        }
    }

    private static func formula(_ source: inout ByteSource) throws(MalformedBytes) -> Formula {
        switch try source.byte() {
        case 0: return .fixed(try source.decimal())
        case 1: return .perUnit(per: try source.decimal(), amount: try source.decimal())
        case 2: return .rate(try source.decimal())
        default: throw MalformedBytes(offset: source.position)
        }
    }
}
