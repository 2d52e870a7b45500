import TestSupport

/// One condition of ``Conditions/table`` over one random set of facts, with what it must give: for checking the
/// table and a CEL implementation against each other, without an engine.
public struct ConditionSample: Sendable {
    /// The CEL text.
    public let expression: String
    /// `{"expr":…,"vars":{…}}` as `guerdon cel eval --batch` reads it.
    public let line: String
    /// The result; `nil` when the evaluation must fail.
    public let expected: Bool?

    /// So many random samples of every condition; the same seed gives the same samples.
    public static func all(seed: UInt64, perCondition count: Int) -> [ConditionSample] {
        var random = SplitMix64(seed: seed)
        return Conditions.table.keys.sorted().flatMap { expression in
            (0..<count).map { _ in
                let context = Context(random: &random)
                let line: JSON = ["expr": .text(expression), "vars": context.typed]
                return ConditionSample(
                    expression: expression, line: line.line, expected: Conditions.table[expression]!(context))
            }
        }
    }
}

extension Context {
    fileprivate init(random: inout SplitMix64) {
        action = ActionFacts(random: &random)
        member = MemberFacts(random: &random)
        level = random.number(0...3)
        recipient = level == 0 ? member : MemberFacts(random: &random)
    }

    fileprivate var typed: JSON {
        [
            "action": action.typed, "member": member.typed, "recipient": recipient.typed,
            "level": Typed.int(Int64(level)),
        ]
    }
}

extension ActionFacts {
    fileprivate init(random: inout SplitMix64) {
        type = random.pick(["purchase", "signup", "course.completed", "deal.closed", "x"])
        value = random.pick([
            nil, (0, 0), (1, 1), (10, 0), (1000, 2), (1234, 2), (125, 1), (9_999_999, 6), (45, 1), (50, 0),
        ])
        .map { ExactDecimal(units: $0.0, scale: $0.1) }
        currency = value == nil ? nil : random.pick([nil, "EUR", "PTS"])
        at = Instant(rfc3339: random.pick(["2026-11-10T00:00:00Z", "2026-10-31T12:00:00Z"]))!
        at += Int64(random.number(-100...100)) * 1800 * nanosPerSecond
        title = random.pick([nil, "Order 7", "x", ""])
        externalId = random.pick(["o-7", "o-8", "7"])
        attributes = [:]
        if random.once(in: 2) { attributes["channel"] = random.pick([.string("web"), .string("shop"), .int(7)]) }
        if random.once(in: 2) {
            attributes["quantity"] = random.pick([
                .int(2), .int(3), .decimal(ExactDecimal(units: 15, scale: 1)), .string("2"),
                .decimal(ExactDecimal(units: 200, scale: 2)),
            ])
        }
        if random.once(in: 2) { attributes["flag"] = random.pick([.bool(true), .bool(false), .int(1)]) }
    }

    fileprivate var typed: JSON {
        Typed.map([
            ("type", Typed.string(type)), ("value", value.map(Typed.decimal) ?? Typed.null),
            ("currency", currency.map(Typed.string) ?? Typed.null), ("at", Typed.timestamp(at)),
            ("title", title.map(Typed.string) ?? Typed.null), ("externalId", Typed.string(externalId)),
            ("attributes", Typed.attributes(attributes)),
        ])
    }
}

extension MemberFacts {
    fileprivate init(random: inout SplitMix64) {
        id = random.pick(["m1", "m2", "m9"])
        kind = random.pick([nil, "staff", "ambassador"])
        tags = random.pick([[], ["vip"], ["w"], ["vip", "welcomed"]])
        attributes = [:]
        if random.once(in: 2) { attributes["region"] = random.pick([.string("north"), .string("south")]) }
        if random.once(in: 2) {
            attributes["age"] = random.pick([
                .int(17), .int(18), .decimal(ExactDecimal(units: 185, scale: 1)), .string("old"),
            ])
        }
        registered = random.pick([nil, CivilDate(2026, 1, 5), CivilDate(2026, 6, 30)])
        birthday = random.pick([nil, CivilDate(1990, 2, 28), CivilDate(2000, 2, 29)])
        name = random.pick([nil, "Ada", "Bob"])
    }

    fileprivate var typed: JSON {
        Typed.map([
            ("id", Typed.string(id)), ("kind", kind.map(Typed.string) ?? Typed.null),
            ("tags", Typed.list(tags.map(Typed.string))), ("rank", Typed.null),
            ("attributes", Typed.attributes(attributes)),
            ("registered", registered.map { Typed.timestamp(Zone.utc.start(of: $0)) } ?? Typed.null),
            ("birthday", birthday.map { Typed.string(Text($0.text)) } ?? Typed.null),
            ("name", name.map(Typed.string) ?? Typed.null),
        ])
    }
}

/// Typed values as the wire writes them for `guerdon cel eval`.
private enum Typed {
    static let null: JSON = ["type": "null", "value": nil]
    static func string(_ text: Text) -> JSON { ["type": "string", "value": .string(text)] }
    static func int(_ value: Int64) -> JSON { ["type": "int", "value": .text(String(value))] }
    static func timestamp(_ instant: Instant) -> JSON { ["type": "timestamp", "value": .text(instant.text())] }
    static func list(_ values: [JSON]) -> JSON { ["type": "list", "value": .array(values)] }

    static func decimal(_ value: ExactDecimal) -> JSON {
        ["type": "decimal", "value": .text(ExactDecimal.text(value.units, scale: value.scale))]
    }

    static func map(_ entries: [(Text, JSON)]) -> JSON {
        ["type": "map", "value": .array(entries.map { .array([string($0), $1]) })]
    }

    static func attributes(_ attributes: [Text: Attribute]) -> JSON {
        map(attributes.sorted { $0.key < $1.key }.map { ($0, value($1)) })
    }

    private static func value(_ attribute: Attribute) -> JSON {
        switch attribute {
        case .bool(let value): ["type": "bool", "value": .bool(value)]
        case .int(let value): int(value)
        case .decimal(let value): decimal(value)
        case .string(let text): string(text)
        case .list(let values): list(values.map(value))
        case .object(let values): attributes(values)
        }
    }
}
