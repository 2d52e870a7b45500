/// Times the conditions compare with.
private let november10 = Instant(rfc3339: "2026-11-10T00:00:00Z")!

private func starts(_ text: Text, _ prefix: String) -> Bool { text.bytes.starts(with: prefix.utf8) }
private func ends(_ text: Text, _ suffix: String) -> Bool { text.bytes.reversed().starts(with: suffix.utf8.reversed()) }
private func has(_ tags: [Text], _ tag: Text) -> Bool { tags.contains(tag) }

extension Conditions {
    typealias Meaning = @Sendable (Context) -> Bool?

    static let typeTests: [(String, Meaning)] = [
        ("true", { _ in true }),
        ("false", { _ in false }),
        ("action.type == 'purchase'", { $0.action.type == "purchase" }),
        ("action.type == \"signup\"", { $0.action.type == "signup" }),
        ("action.type != 'purchase'", { $0.action.type != "purchase" }),
        ("action.type in ['purchase', 'deal.closed']", { ["purchase", "deal.closed"].contains($0.action.type) }),
        ("action.type.startsWith('course.')", { starts($0.action.type, "course.") }),
        ("action.type.endsWith('ed')", { ends($0.action.type, "ed") }),
        ("action.type.contains('ur')", { $0.action.type.string.contains("ur") }),
        ("action.type.matches('^[a-z]+$')", { $0.action.type.bytes.allSatisfy { (97...122).contains($0) } }),
        ("size(action.type) > 6", { $0.action.type.string.unicodeScalars.count > 6 }),
        ("action.externalId.endsWith('7')", { ends($0.action.externalId, "7") }),
        ("action.at >= timestamp('2026-11-10T00:00:00Z')", { $0.action.at >= november10 }),
        (
            "action.at - timestamp('2026-11-10T00:00:00Z') < duration('3600s')",
            { $0.action.at - november10 < 3600 * nanosPerSecond }
        ),
        ("action.at.getHours() < 12", { (($0.action.at.seconds % 86_400 + 86_400) % 86_400) < 43_200 }),
        (
            "action.at.getDayOfWeek() in [0, 6]",
            { [6, 7].contains(Zone.utc.date(at: $0.action.at).isoWeekday) }
        ),
        ("action.at.getMonth() == 10", { Zone.utc.date(at: $0.action.at).month == 11 }),
    ]

    static let valueTests: [(String, Meaning)] = [
        ("action.value >= 10", { value($0) { $0 >= integer(10) } }),
        ("action.value > 9", { value($0) { $0 > integer(9) } }),
        ("10 > action.value", { value($0) { $0 < integer(10) } }),
        ("action.value >= decimal('0.1')", { value($0) { $0 >= ExactDecimal(units: 1, scale: 1) } }),
        ("action.value < decimal('12.34')", { value($0) { $0 < ExactDecimal(units: 1234, scale: 2) } }),
        ("action.value == 10", { ($0.action.value.map { $0 == integer(10) }) ?? false }),
        ("action.value != 10", { ($0.action.value.map { $0 != integer(10) }) ?? true }),
        ("action.value == null", { $0.action.value == nil }),
        ("action.value != null", { $0.action.value != nil }),
        ("action.value != null && action.value * 2 >= 25", { $0.action.value.map { $0 >= half(25) } ?? false }),
        ("action.value + decimal('0.5') > 5", { value($0) { $0 > ExactDecimal(units: 45, scale: 1) } }),
        ("action.value >= 1 && action.value <= 100", { value($0) { $0 >= integer(1) && $0 <= integer(100) } }),
        ("action.currency == 'EUR'", { $0.action.currency == "EUR" }),
        ("action.currency != null && action.currency != 'EUR'", { $0.action.currency.map { $0 != "EUR" } ?? false }),
        ("action.title == null", { $0.action.title == nil }),
        ("action.title.contains('7')", { $0.action.title.map { $0.bytes.contains(UInt8(ascii: "7")) } }),
    ]

    private static func half(_ value: Int64) -> ExactDecimal { ExactDecimal(units: value * 5, scale: 1) }

    static let attributeTests: [(String, Meaning)] = [
        ("action.attributes.channel == 'web'", { text($0.action.attributes["channel"], equals: "web") }),
        ("action.attributes['channel'] != 'web'", { text($0.action.attributes["channel"], equals: "web").map { !$0 } }),
        ("!(action.attributes.channel == 'web')", { text($0.action.attributes["channel"], equals: "web").map { !$0 } }),
        (
            "has(action.attributes.channel) && action.attributes.channel == 'shop'",
            { $0.action.attributes["channel"] == .string("shop") }
        ),
        ("'channel' in action.attributes", { $0.action.attributes["channel"] != nil }),
        (
            "action.attributes.channel == 'web' || action.type == 'signup'",
            { or(text($0.action.attributes["channel"], equals: "web"), $0.action.type == "signup") }
        ),
        (
            "action.attributes.quantity > 2 && action.type == 'purchase'",
            { and(number($0.action.attributes["quantity"]).map { $0 > integer(2) }, $0.action.type == "purchase") }
        ),
        (
            "action.attributes.quantity >= decimal('1.5')",
            {
                number($0.action.attributes["quantity"]).map { $0 >= ExactDecimal(units: 15, scale: 1) }
            }
        ),
        (
            "action.attributes.quantity == 2",
            {
                $0.action.attributes["quantity"].map { number($0).map { $0 == integer(2) } ?? false }
            }
        ),
        ("action.attributes.flag", { truth($0.action.attributes["flag"]) }),
        ("!action.attributes.flag", { truth($0.action.attributes["flag"]).map { !$0 } }),
    ]

    private static func truth(_ attribute: Attribute?) -> Bool? {
        guard case .bool(let value)? = attribute else { return nil }
        return value
    }

    static let memberTests: [(String, Meaning)] = [
        ("member.kind != 'staff'", { $0.member.kind != "staff" }),
        ("member.kind == 'ambassador'", { $0.member.kind == "ambassador" }),
        ("member.kind == null", { $0.member.kind == nil }),
        ("'vip' in member.tags", { has($0.member.tags, "vip") }),
        ("!('welcomed' in member.tags)", { !has($0.member.tags, "welcomed") }),
        ("size(member.tags) >= 2", { $0.member.tags.count >= 2 }),
        ("member.tags.exists(t, t.startsWith('w'))", { $0.member.tags.contains { starts($0, "w") } }),
        ("member.attributes.region == 'north'", { text($0.member.attributes["region"], equals: "north") }),
        ("member.attributes.age >= 18", { number($0.member.attributes["age"]).map { $0 >= integer(18) } }),
        (
            "member.registered != null && member.registered < timestamp('2026-01-15T12:00:00Z')",
            {
                $0.member.registered.map { $0 <= CivilDate(2026, 1, 15) } ?? false
            }
        ),
        ("member.birthday == '1990-02-28'", { $0.member.birthday == CivilDate(1990, 2, 28) }),
        ("member.name.contains('a')", { $0.member.name.map { $0.bytes.contains(UInt8(ascii: "a")) } }),
        ("member.rank == null", { _ in true }),
        ("member.id != 'm1'", { $0.member.id != "m1" }),
        ("member.id in ['m1', 'm2', 'm3']", { ["m1", "m2", "m3"].contains($0.member.id) }),
    ]

    static let recipientTests: [(String, Meaning)] = [
        ("level == 0", { $0.level == 0 }),
        ("level < 2", { $0.level < 2 }),
        ("level == 1 || 'vip' in recipient.tags", { $0.level == 1 || has($0.recipient.tags, "vip") }),
        ("recipient.kind != 'staff'", { $0.recipient.kind != "staff" }),
        ("recipient.id != 'm1'", { $0.recipient.id != "m1" }),
        (
            "recipient.id == member.id || action.value >= 20",
            {
                or($0.recipient.id == $0.member.id, $0.action.value.map { $0 >= integer(20) })
            }
        ),
        (
            "recipient.attributes.region == member.attributes.region",
            { context in
                guard let left = context.recipient.attributes["region"], let right = context.member.attributes["region"]
                else { return nil }
                return left == right
            }
        ),
        ("!('welcomed' in recipient.tags)", { !has($0.recipient.tags, "welcomed") }),
        ("recipient.attributes.age >= 18", { number($0.recipient.attributes["age"]).map { $0 >= integer(18) } }),
    ]

    static let logicTests: [(String, Meaning)] = [
        (
            "action.type == 'purchase' && action.value >= decimal('1')",
            {
                and($0.action.type == "purchase", value($0) { $0 >= integer(1) })
            }
        ),
        (
            "action.type == 'signup' || action.value >= 50",
            {
                or($0.action.type == "signup", value($0) { $0 >= integer(50) })
            }
        ),
        ("!(action.value >= 10)", { value($0) { $0 < integer(10) } }),
        (
            "member.kind == 'staff' ? false : action.value > 5",
            {
                $0.member.kind == "staff" ? false : value($0) { $0 > integer(5) }
            }
        ),
        (
            "(action.type == 'purchase' ? action.value : decimal('1')) < 30",
            {
                $0.action.type == "purchase" ? value($0) { $0 < integer(30) } : true
            }
        ),
        (
            "1 / (size(member.tags) - 1) >= 0",
            {
                // Division truncates: without tags it is -1, with one tag it fails, with more it is 1 or 0.
                $0.member.tags.count == 1 ? nil : $0.member.tags.count > 1
            }
        ),
        ("1 / 0 == 1 || 'vip' in member.tags", { has($0.member.tags, "vip") ? true : nil }),
        ("action.title.contains('x') && false", { _ in false }),
        ("[1, 2, 3].all(x, x > 0) && action.type != ''", { _ in true }),
    ]
}
