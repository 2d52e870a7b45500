import GuerdonCore
import GuerdonWire
import Testing

/// A line and what must be said about it.
struct Malformed: Sendable, CustomTestStringConvertible {
    var line: String
    var code: RefusalCode
    var field: String
    var testDescription: String { line }

    init(_ line: String, _ code: RefusalCode, _ field: String = "") {
        self.line = line
        self.code = code
        self.field = field
    }
}

private func action(_ changes: KeyValuePairs<String, String?>, _ code: RefusalCode, _ field: String) -> Malformed {
    Malformed(action(changes), code, field)
}

/// An operation with these fields.
private func op(_ name: String, _ fields: String, _ code: RefusalCode, _ field: String) -> Malformed {
    Malformed("{\"op\":\"\(name)\"" + (fields.isEmpty ? "" : ",") + fields + "}", code, field)
}

/// A plan with one bonus, `fields` before its bonuses and `reward` as its only reward.
private func plan(_ fields: String = "", reward: String? = nil, bonus: String = "", _ field: String) -> Malformed {
    let reward = reward ?? #""to":"performer","currency":"PTS","amount":"1""#
    return Malformed(
        #"{"op":"plan.put","plan":{"plan":"p",\#(fields)"bonuses":[{"bonus":"b",\#(bonus)"rewards":[{\#(reward)}]}]}}"#,
        .planInvalid, field)
}

private let deep = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)
private let long = String(repeating: "x", count: 129)
private let huge = String(repeating: "x", count: 1025)

private let notJSON: [Malformed] = [
    "{", "}", "[", "]", "\"", ":", ",", "x", "-", "tru", "nul", "+1", "01", "1.", ".5", "1e", "1e+", "--1", "0x1",
    "1_0",
    "NaN", "Infinity", "'op'", "{}}", "{}{}", "{} x", "{]", "[}", "[1,]", "[,1]", "[1 2]", "{,}", "{\"a\"}", "{\"a\":}",
    "{\"a\":1,}", "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{a:1}", "{1:1}", "{\"a\"::1}", "{\"a\":1,,\"b\":2}", "{null:1}",
    "{[]:1}", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"",
    "\"\\ud800\\n\"", "\"\\", "\"\\\"", "\"a\u{1}b\"", "\"a\tb\"", "{\"op\":\"ping\"}x", "{\"op\":\"ping\"},",
    "{\"op\":\"ping\"}{\"op\":\"ping\"}", "{\"op\":\"ping\"} \\", "{\"op\":\"ping\"", "{\"op\":\"ping}",
    "{op:\"ping\"}",
    "\u{FEFF}{\"op\":\"ping\"}", "// c", "/**/{}", "{\"op\":\"ping\"}//", "{\"op\":\"ping\",}", "{\"op\":ping}",
    "{\"op\":\"ping\"]", "{\"op\":'ping'}", "truefalse", "nullnull", "1 2", "\"a\" \"b\"", "\"a\"b", "1\"a\"",
    "{\"a\":1\"b\":2}",
    "   ", "\t", "[" + deep + "]" + "]", "{\"a\":[" + deep + "]}", "\u{C}{}", "{\"op\":\u{1A}\"ping\"}",
    "{\"op\"\u{C}\"ping\"}",
].map { Malformed($0, .badJson) }

private let requests: [Malformed] = [
    Malformed("[]", .badRequest), Malformed("1", .badRequest), Malformed("null", .badRequest),
    Malformed("\"ping\"", .badRequest), Malformed("{}", .badRequest, "op"),
    Malformed("[{\"op\":\"ping\"}]", .badRequest),
    Malformed("{\"op\":1}", .badRequest, "op"), Malformed("{\"op\":null}", .badRequest, "op"),
    Malformed("{\"op\":{}}", .badRequest, "op"), op("", "", .unknownOp, "op"), op("pong", "", .unknownOp, "op"),
    op("Ping", "", .unknownOp, "op"), op("tick", "", .unknownOp, "op"), op("pin\\u0067 ", "", .unknownOp, "op"),
    op("ping", "\"x\":1", .badRequest, "x"), op("ping", "\"op\":\"ping\"", .badRequest, "op"),
    op("ping", "\"id\":1,\"id\":2", .badRequest, "id"), op("ping", "\"id\":null", .badRequest, "id"),
    op("ping", "\"id\":1.5", .badRequest, "id"), op("ping", "\"id\":1e3", .badRequest, "id"),
    op("ping", "\"id\":true", .badRequest, "id"), op("ping", "\"id\":[1]", .badRequest, "id"),
    op("ping", "\"id\":9223372036854775808", .badRequest, "id"),
    op("ping", "\"id\":\"\(String(repeating: "x", count: 65))\"", .badRequest, "id"),
    op("ping", "\"workspace\":\"\"", .badRequest, "workspace"), op("ping", "\"workspace\":1", .badRequest, "workspace"),
    op("ping", "\"workspace\":\"\(long)\"", .badRequest, "workspace"),
    op("hello", "\"ack\":\"all\"", .badRequest, "ack"), op("hello", "\"ack\":1", .badRequest, "ack"),
    op("hello", "\"token\":1", .badRequest, "token"), op("hello", "\"user\":\"x\"", .badRequest, "user"),
    op("unsubscribe", "", .badRequest, "subscription"),
    op("unsubscribe", "\"subscription\":-1", .badRequest, "subscription"),
    op("subscribe", "", .badRequest, "stream"), op("subscribe", "\"stream\":\"x\"", .badRequest, "stream"),
    op("subscribe", "\"stream\":\"board\"", .badRequest, "board"),
    op("subscribe", "\"stream\":\"board\",\"board\":\"b\",\"top\":0", .badRequest, "top"),
    op("subscribe", "\"stream\":\"board\",\"board\":\"b\",\"top\":101", .badRequest, "top"),
    op("subscribe", "\"stream\":\"board\",\"board\":\"b\",\"member\":\"m\"", .badRequest, "member"),
    op("subscribe", "\"stream\":\"member\"", .badRequest, "member"),
    op("subscribe", "\"stream\":\"stats\",\"board\":\"b\"", .badRequest, "board"),
]

private let actions: [Malformed] = [
    action(["externalId": nil], .badRequest, "externalId"), action(["externalId": "null"], .badRequest, "externalId"),
    action(["externalId": "\"\""], .badRequest, "externalId"), action(["externalId": "1"], .badRequest, "externalId"),
    action(["externalId": "\"\(long)\""], .badRequest, "externalId"),
    action(["performer": nil], .badRequest, "performer"),
    action(["performer": "\"\""], .badRequest, "performer"),
    action(["performer": "\"\(long)\""], .badRequest, "performer"),
    action(["performer": "[]"], .badRequest, "performer"), action(["type": nil], .badRequest, "type"),
    action(["type": "\"\""], .badRequest, "type"), action(["type": "true"], .badRequest, "type"),
    action(["value": "\"\""], .badRequest, "value"), action(["value": "\"+5\""], .badRequest, "value"),
    action(["value": "\".5\""], .badRequest, "value"), action(["value": "\"5.\""], .badRequest, "value"),
    action(["value": "\"05\""], .badRequest, "value"), action(["value": "\"-\""], .badRequest, "value"),
    action(["value": "\"1,5\""], .badRequest, "value"), action(["value": "\" 1\""], .badRequest, "value"),
    action(["value": "\"1e3\""], .badRequest, "value"), action(["value": "1e3"], .badRequest, "value"),
    action(["value": "1E-3"], .badRequest, "value"), action(["value": "0.1e0"], .badRequest, "value"),
    action(["value": "true"], .badRequest, "value"), action(["value": "{}"], .badRequest, "value"),
    action(["value": "\"0.1234567890123456789\""], .badRequest, "value"),
    action(["value": "\"1.2.3\""], .badRequest, "value"), action(["value": "\"0x10\""], .badRequest, "value"),
    action(["value": "\"9223372036854775808\""], .amountOutOfRange, "value"),
    action(["value": "9223372036854775808"], .amountOutOfRange, "value"),
    action(["value": "-9223372036854775809"], .amountOutOfRange, "value"),
    action(["value": "92233720368547758.08"], .amountOutOfRange, "value"),
    action(["value": "\"99999999999999999999999999999999999999999999999\""], .amountOutOfRange, "value"),
    action(["value": "1", "currency": "\"\""], .badRequest, "currency"),
    action(["value": "1", "currency": "5"], .badRequest, "currency"),
    action(["value": "1", "currency": "\"\(long)\""], .badRequest, "currency"),
    action(["currency": "\"EUR\""], .badRequest, "currency"), action(["at": "\"2026-11-01\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:00\""], .badRequest, "at"), action(["at": "1762000000"], .badRequest, "at"),
    action(["at": "\"2026-11-01 10:00:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-02-29T10:00:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-13-01T10:00:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-00-01T10:00:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-00T10:00:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-31T10:00:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T24:00:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:60:00Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:60Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:00.Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:00.1234567891Z\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:00+0100\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:00+24:00\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:00+01\""], .badRequest, "at"),
    action(["at": "\"2026-11-01T10:00:00Zx\""], .badRequest, "at"),
    action(["at": "\"1677-12-31T23:59:59Z\""], .badRequest, "at"),
    action(["at": "\"2262-01-01T00:00:00Z\""], .badRequest, "at"),
    action(["at": "\"0000-01-01T00:00:00Z\""], .badRequest, "at"),
    action(["at": "\"9999-12-31T23:59:59Z\""], .badRequest, "at"),
    action(["title": "5"], .badRequest, "title"), action(["title": "\"\(huge)\""], .badRequest, "title"),
    action(["attributes": "[]"], .badRequest, "attributes"), action(["attributes": "\"x\""], .badRequest, "attributes"),
    action(["attributes": "{\"\":1}"], .badRequest, "attributes."),
    action(["attributes": "{\"a\":1,\"a\":2}"], .badRequest, "attributes.a"),
    action(["attributes": "{\"a\":1,\"\\u0061\":2}"], .badRequest, "attributes.a"),
    action(["attributes": "{\"a\":{\"b\":[{\"c\":1,\"c\":1}]}}"], .badRequest, "attributes.a.b[0].c"),
    action(["attributes": "{\"a\":[1,null]}"], .badRequest, "attributes.a[1]"),
    action(["attributes": "{\"a\":{\"b\":null}}"], .badRequest, "attributes.a.b"),
    action(["attributes": "{\"a\":1e5}"], .badRequest, "attributes.a"),
    action(["attributes": "{\"a\":9223372036854775808}"], .badRequest, "attributes.a"),
    action(["attributes": "{\"a\":0.1234567890123456789}"], .badRequest, "attributes.a"),
    action(["attributes": "{\"a\":\"\(String(repeating: "x", count: 17000))\"}"], .limitExceeded, "attributes"),
    action(["Performer": "\"m\""], .badRequest, "Performer"),
    action(["performer ": "\"m\""], .badRequest, "performer "),
    action(["of": "\"x\""], .badRequest, "of"), action(["amount": "1"], .badRequest, "amount"),
    Malformed(
        #"{"op":"action","externalId":"a","externalId":"b","performer":"m","type":"t"}"#, .badRequest, "externalId"),
    Malformed(#"{"op":"action","op":"action","externalId":"b","performer":"m","type":"t"}"#, .badRequest, "op"),
    Malformed(#"{"op":"action","externalId":"b","performer":"m","type":"t","\u0074ype":"t"}"#, .badRequest, "type"),
]

private let commands: [Malformed] =
    [
        op("reverse", "\"of\":\"a\"", .badRequest, "externalId"),
        op("reverse", "\"externalId\":\"r\"", .badRequest, "of"),
        op("reverse", "\"externalId\":\"r\",\"of\":\"\"", .badRequest, "of"),
        op("reverse", "\"externalId\":\"r\",\"of\":\"a\",\"value\":\"x\"", .badRequest, "value"),
        op("reverse", "\"externalId\":\"r\",\"of\":\"a\",\"value\":1e1", .badRequest, "value"),
        op("reverse", "\"externalId\":\"r\",\"of\":\"a\",\"at\":\"now\"", .badRequest, "at"),
        op("reverse", "\"externalId\":\"r\",\"of\":\"a\",\"type\":\"x\"", .badRequest, "type"),
        op("adjust", "\"externalId\":\"r\",\"currency\":\"P\",\"amount\":\"1\"", .badRequest, "member"),
        op("adjust", "\"externalId\":\"r\",\"member\":\"m\",\"amount\":\"1\"", .badRequest, "currency"),
        op("adjust", "\"externalId\":\"r\",\"member\":\"m\",\"currency\":\"P\"", .badRequest, "amount"),
        op("adjust", "\"member\":\"m\",\"currency\":\"P\",\"amount\":\"1\"", .badRequest, "externalId"),
        op("redeem", "\"externalId\":\"r\",\"member\":\"m\",\"currency\":\"P\",\"amount\":null", .badRequest, "amount"),
        op(
            "redeem", "\"externalId\":\"r\",\"member\":\"m\",\"currency\":\"P\",\"amount\":9223372036854775808",
            .amountOutOfRange, "amount"),
        op(
            "redeem", "\"externalId\":\"r\",\"member\":\"m\",\"currency\":\"P\",\"amount\":1,\"reason\":[]",
            .badRequest, "reason"),
        op("member.put", "", .badRequest, "member"), op("member.put", "\"member\":\"\(long)\"", .badRequest, "member"),
        op("member.put", "\"member\":\"m\",\"name\":5", .badRequest, "name"),
        op("member.put", "\"member\":\"m\",\"email\":[]", .badRequest, "email"),
        op("member.put", "\"member\":\"m\",\"phone\":48", .badRequest, "phone"),
        op("member.put", "\"member\":\"m\",\"birthday\":\"1990-02-30\"", .badRequest, "birthday"),
        op("member.put", "\"member\":\"m\",\"birthday\":\"1990-2-3\"", .badRequest, "birthday"),
        op("member.put", "\"member\":\"m\",\"registered\":\"soon\"", .badRequest, "registered"),
        op("member.put", "\"member\":\"m\",\"kind\":true", .badRequest, "kind"),
        op("member.put", "\"member\":\"m\",\"tags\":\"vip\"", .badRequest, "tags"),
        op("member.put", "\"member\":\"m\",\"tags\":[\"a\",\"\"]", .badRequest, "tags[1]"),
        op("member.put", "\"member\":\"m\",\"tags\":[1]", .badRequest, "tags[0]"),
        op("member.put", "\"member\":\"m\",\"attributes\":5", .badRequest, "attributes"),
        op("member.put", "\"member\":\"m\",\"referrer\":\"\"", .badRequest, "referrer"),
        op("member.put", "\"member\":\"m\",\"referralCode\":1", .badRequest, "referralCode"),
        op("member.put", "\"member\":\"m\",\"code\":\"\"", .badRequest, "code"),
        op("member.put", "\"member\":\"m\",\"rank\":1", .badRequest, "rank"),
        op("workspace.put", "\"timeZone\":\"Mars/Olympus\"", .badRequest, "timeZone"),
        op("workspace.put", "\"timeZone\":\"\"", .badRequest, "timeZone"),
        op("workspace.put", "\"timeZone\":1", .badRequest, "timeZone"),
        op("workspace.put", "\"timeZone\":\"../etc/passwd\"", .badRequest, "timeZone"),
        op("workspace.put", "\"weekStart\":\"tuesday\"", .badRequest, "weekStart"),
        op("workspace.put", "\"referralCode\":\"REF\"", .badRequest, "referralCode"),
        op("workspace.put", "\"referralCode\":\"{seq}{seq}\"", .badRequest, "referralCode"),
        op("workspace.put", "\"autoCreateMembers\":\"yes\"", .badRequest, "autoCreateMembers"),
        op("currency.put", "", .badRequest, "currency"),
        op("currency.put", "\"currency\":\"P\",\"kind\":\"coins\"", .badRequest, "kind"),
        op("currency.put", "\"currency\":\"P\",\"scale\":7", .badRequest, "scale"),
        op("currency.put", "\"currency\":\"P\",\"scale\":-1", .badRequest, "scale"),
        op("currency.put", "\"currency\":\"P\",\"scale\":\"2\"", .badRequest, "scale"),
        op("currency.put", "\"currency\":\"P\",\"scale\":2.0", .badRequest, "scale"),
        op("currency.put", "\"currency\":\"P\",\"rounding\":\"nearest\"", .badRequest, "rounding"),
        op("currency.put", "\"currency\":\"P\",\"color\":\"red\"", .badRequest, "color"),
        op("currency.put", "\"currency\":\"P\",\"color\":\"#12345g\"", .badRequest, "color"),
        op("account.put", "", .badRequest, "account"),
        op("account.put", "\"account\":\"a\",\"budget\":\"x\"", .badRequest, "budget"),
        op("account.put", "\"account\":\"a\",\"budget\":99999999999999999999", .amountOutOfRange, "budget"),
        op("account.put", "\"account\":\"a\",\"currency\":\"\"", .badRequest, "currency"),
        op("account.put", "\"account\":\"a\",\"legalEntity\":{}", .badRequest, "legalEntity"),
        op("board.put", "", .badRequest, "board"),
        op("board.put", "\"board\":\"b\",\"score\":\"PTS\"", .badRequest, "score"),
        op("board.put", "\"board\":\"b\",\"score\":{}", .badRequest, "score.currency"),
        op("board.put", "\"board\":\"b\",\"score\":{\"currency\":\"P\",\"x\":1}", .badRequest, "score.x"),
        op("board.put", "\"board\":\"b\",\"period\":\"decade\"", .badRequest, "period"),
        op("board.put", "\"board\":\"b\",\"ties\":\"shared\"", .badRequest, "ties"),
        op("plan.put", "", .badRequest, "plan"), op("plan.put", "\"plan\":\"p\"", .badRequest, "plan"),
        op("plan.end", "", .badRequest, "plan"),
        op("plan.end", "\"plan\":\"p\",\"at\":\"2026-12-31\"", .badRequest, "at"),
    ]
    + [
        "P", "PT", "P1", "1D", "P1H", "PT1D", "P-1D", "P1.5D", "P1D1W", "PT1S1M", "P0D", "PT0S", "p1d", "P1DT",
        "P1YT1Y", "P100000000D", "P1D ",
    ]
    .map { op("currency.put", "\"currency\":\"P\",\"lifetime\":\"\($0)\"", .badRequest, "lifetime") }

private let plans: [Malformed] = [
    op("plan.put", "\"plan\":{}", .planInvalid, "plan.plan"),
    op("plan.put", "\"plan\":{\"plan\":\"p\"}", .planInvalid, "plan.bonuses"),
    op("plan.put", "\"plan\":{\"plan\":\"p\",\"bonuses\":{}}", .planInvalid, "plan.bonuses"),
    op("plan.put", "\"plan\":{\"plan\":\"p\",\"bonuses\":[1]}", .planInvalid, "plan.bonuses[0]"),
    op("plan.put", "\"plan\":{\"plan\":\"p\",\"plan\":\"q\",\"bonuses\":[]}", .planInvalid, "plan.plan"),
    op(
        "plan.put", "\"plan\":{\"plan\":\"p\",\"bonuses\":[{\"bonus\":\"b\",\"rewards\":[]},{}]}", .planInvalid,
        "plan.bonuses[1].bonus"),
    op(
        "plan.put", "\"plan\":{\"plan\":\"p\",\"bonuses\":[{\"bonus\":\"b\"}]}", .planInvalid, "plan.bonuses[0].rewards"
    ),
    op(
        "plan.put", "\"plan\":{\"plan\":\"p\",\"bonuses\":[{\"bonus\":\"b\",\"rewards\":[[]]}]}", .planInvalid,
        "plan.bonuses[0].rewards[0]"),
    plan("\"color\":1,", "plan.color"), plan("\"title\":1,", "plan.title"), plan("\"funding\":\"\",", "plan.funding"),
    plan("\"starts\":\"soon\",", "plan.starts"), plan("\"ends\":5,", "plan.ends"),
    plan("\"audience\":\"\",", "plan.audience"),
    plan("\"audience\":\"\(String(repeating: "x", count: 4097))\",", "plan.audience"),
    plan("\"clawback\":\"all\",", "plan.clawback"),
    plan("\"schedule\":\"instant\",", "plan.schedule"), plan("\"schedule\":{},", "plan.schedule.kind"),
    plan("\"schedule\":{\"kind\":\"monthly\"},", "plan.schedule.kind"),
    plan("\"schedule\":{\"kind\":\"instant\",\"day\":1},", "plan.schedule.day"),
    plan(bonus: "\"when\":5,", "plan.bonuses[0].when"), plan(bonus: "\"if\":\"x\",", "plan.bonuses[0].if"),
    plan(reward: "", "plan.bonuses[0].rewards[0].to"), plan(reward: "\"to\":\"all\"", "plan.bonuses[0].rewards[0].to"),
    plan(reward: #""to":"performer""#, "plan.bonuses[0].rewards[0].currency"),
    plan(reward: #""to":"performer","currency":"P""#, "plan.bonuses[0].rewards[0].amount"),
    plan(reward: #""to":"performer","currency":"P","amount":1e2"#, "plan.bonuses[0].rewards[0].amount"),
    plan(
        reward: #""to":"performer","currency":"P","amount":99999999999999999999"#, "plan.bonuses[0].rewards[0].amount"),
    plan(reward: #""to":"performer","currency":"P","per":"1""#, "plan.bonuses[0].rewards[0].amount"),
    plan(reward: #""to":"performer","currency":"P","rate":"5%","amount":"1""#, "plan.bonuses[0].rewards[0].amount"),
    plan(reward: #""to":"performer","currency":"P","rate":"5%","per":"1""#, "plan.bonuses[0].rewards[0].per"),
    plan(reward: #""to":"performer","currency":"P","rate":"%""#, "plan.bonuses[0].rewards[0].rate"),
    plan(reward: #""to":"performer","currency":"P","rate":"5 %""#, "plan.bonuses[0].rewards[0].rate"),
    plan(reward: #""to":"performer","currency":"P","rate":"5%%""#, "plan.bonuses[0].rewards[0].rate"),
    plan(reward: #""to":"performer","currency":"P","rate":"0.12345678901234567%""#, "plan.bonuses[0].rewards[0].rate"),
    plan(reward: #""to":"performer","currency":"P","amount":"1","levels":[]"#, "plan.bonuses[0].rewards[0].levels"),
    plan(
        reward: #""to":"performer","currency":"P","amount":"1","lifetime":"30""#, "plan.bonuses[0].rewards[0].lifetime"),
    plan(
        reward: #""to":"performer","currency":"P","amount":"1","exchange":"x""#, "plan.bonuses[0].rewards[0].exchange"),
    plan(
        reward: #""to":"performer","currency":"P","amount":"1","description":1"#,
        "plan.bonuses[0].rewards[0].description"),
    plan(reward: #""to":"performer","currency":"P","amount":"1","who":1"#, "plan.bonuses[0].rewards[0].who"),
    plan(reward: #""to":"performer","tag":"t","currency":"P""#, "plan.bonuses[0].rewards[0].tag"),
    plan(reward: #""to":"upline","tag":"t""#, "plan.bonuses[0].rewards[0].to"),
    plan(reward: #""to":"upline","currency":"P","rate":"5%""#, "plan.bonuses[0].rewards[0].rate"),
    plan(reward: #""to":"upline","currency":"P""#, "plan.bonuses[0].rewards[0].levels"),
    plan(reward: #""to":"upline","currency":"P","levels":[{"rate":"5%"},1]"#, "plan.bonuses[0].rewards[0].levels[1]"),
    plan(reward: #""to":"upline","currency":"P","levels":[{}]"#, "plan.bonuses[0].rewards[0].levels[0].amount"),
    plan(reward: #""to":"upline","currency":"P","levels":[{"rate":"x"}]"#, "plan.bonuses[0].rewards[0].levels[0].rate"),
    plan(
        reward: #""to":"upline","currency":"P","levels":[{"share":"x"}]"#, "plan.bonuses[0].rewards[0].levels[0].share"),
]

private let reads: [Malformed] = [
    op("member.get", "", .badRequest, "member"), op("member.get", "\"member\":\"\"", .badRequest, "member"),
    op("wallet", "\"member\":\"m\",\"lots\":1", .badRequest, "lots"),
    op("wallet", "\"lots\":true", .badRequest, "member"),
    op("statement", "\"member\":\"m\",\"limit\":0", .badRequest, "limit"),
    op("statement", "\"member\":\"m\",\"limit\":1001", .badRequest, "limit"),
    op("statement", "\"member\":\"m\",\"limit\":\"5\"", .badRequest, "limit"),
    op("statement", "\"member\":\"m\",\"before\":[]", .badRequest, "before"),
    op("statement", "\"member\":\"m\",\"currency\":\"\"", .badRequest, "currency"),
    op("upline", "\"member\":\"m\",\"levels\":0", .badRequest, "levels"), op("upline", "", .badRequest, "member"),
    op("downline", "\"member\":\"m\",\"levels\":1001", .badRequest, "levels"),
    op("downline", "\"member\":\"m\",\"limit\":1.5", .badRequest, "limit"),
    op("board.top", "", .badRequest, "board"), op("board.top", "\"board\":\"b\",\"period\":5", .badRequest, "period"),
    op("board.top", "\"board\":\"b\",\"around\":5", .badRequest, "around"),
    op("board.rank", "\"board\":\"b\"", .badRequest, "member"),
    op("board.rank", "\"board\":\"b\",\"member\":\"m\",\"around\":-1", .badRequest, "around"),
    op("explain", "", .badRequest, "externalId"), op("stats", "\"member\":\"m\"", .badRequest, "member"),
]

@Suite struct MalformedLineTests {
    @Test(arguments: notJSON) func brokenJSONIsRefused(_ row: Malformed) { expect(row) }
    @Test(arguments: requests) func malformedRequestIsRefused(_ row: Malformed) { expect(row) }
    @Test(arguments: actions) func malformedActionIsRefused(_ row: Malformed) { expect(row) }
    @Test(arguments: commands) func malformedCommandIsRefused(_ row: Malformed) { expect(row) }
    @Test(arguments: plans) func malformedPlanIsRefusedWithItsPath(_ row: Malformed) { expect(row) }
    @Test(arguments: reads) func malformedReadIsRefused(_ row: Malformed) { expect(row) }

    private func expect(_ row: Malformed) {
        let refusal = refusal(row.line)
        #expect(refusal?.code == row.code)
        #expect(refusal?.field == row.field)
        #expect((refusal?.message.count ?? 0) > 20)
    }

    @Test func messageTellsTheColumn() {
        #expect(refusal("{\"op\":\"ping\",}")?.message.contains("column 14") == true)
        #expect(refusal("{\"op\":pong}")?.message.contains("column 7") == true)
        #expect(refusal("{\"op\":\"p\u{7}\"}")?.message.contains("column 9") == true)
        #expect(refusal("{\"op\":\"ping}")?.message.contains("column 7") == true)
        #expect(refusal("{\"op\":\"p\\q\"}")?.message.contains("column 9") == true)
        let latin = Array("{\"op\":\"p".utf8) + [0xE9] + Array("\"}".utf8)
        #expect(Decoding(latin).lines[0].refusal?.message.contains("column 9") == true)
        #expect(refusal("\u{FEFF}{}")?.message.contains("byte order mark") == true)
    }

    @Test func refusalOfAKnownIdEchoesIt() {
        #expect(Decoding("{\"op\":\"pong\",\"id\":\"a\\n\"}").ids == ["\"a\\n\""])
        #expect(Decoding(action(["id": "-12", "value": "x".isEmpty ? nil : "\"x\""])).ids == ["-12"])
        #expect(Decoding("{\"op\":\"ping\",\"id\":1.0}").ids == [""])
        #expect(Decoding("{\"id\":5,\"op\":").ids == [""])
    }

    @Test func onlyKnownReadsDoNotCount() {
        let text = """
            {"op":"wallet"}
            {"op":"ping","x":1}
            {"op":"wallet","member":"m"}
            {"op":"ping"}
            {"op":"nothing"}
            {
            {"op":"action"}
            \(action([:]))
            """
        #expect(Decoding(text).rows.map(\.isCounted) == [false, false, false, false, true, true, true, true])
    }

    @Test func lineLengthIsBounded() {
        let title = String(repeating: "x", count: 400)
        let line = action(["title": "\"\(title)\""])
        #expect(Decoding(Array(line.utf8), lineBytes: line.utf8.count).lines[0].command != nil)
        let long = Decoding(Array((line + "\n" + action([:])).utf8), lineBytes: line.utf8.count - 1)
        #expect(long.lines[0].refusal?.code == .lineTooLong)
        #expect(long.lines[1].command != nil)
        let slow = action(["title": "\"\(title)\\n\""])
        #expect(Decoding(Array(slow.utf8), lineBytes: 300).lines[0].refusal?.code == .lineTooLong)
    }

    @Test func nestingOfSixteenIsTaken() {
        // The request itself, attributes, and 14 lists.
        let lists = String(repeating: "[", count: 14) + String(repeating: "]", count: 14)
        #expect(decode(action(["attributes": "{\"a\":\(lists)}"])).command != nil)
        #expect(refusal(action(["attributes": "{\"a\":[\(lists)]}"]))?.code == .badJson)
    }
}
