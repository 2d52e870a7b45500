import GuerdonModel
import Testing

/// What counts as the same reply and what does not.
@Suite struct ComparisonTests {
    private let expected: JSON = [
        "ok": true, "seq": 5, "score": .number("1.50"), "at": "2026-11-01T10:00:00Z", "next": .something,
        "error": ["code": .oneOf(["bad_json", "bad_request"]), "message": "x", "field": .anything],
        "entries": ["a", "b"],
    ]
    private let reply =
        #"{"entries":["a","b"],"error":{"message":"y","code":"bad_json"},"next":"c7","at":"2026-11-01T10:00:00.000+00:00","score":1.5,"seq":5,"ok":true}"#

    @Test func equalRepliesMayBeWrittenDifferently() {
        #expect(ReplyComparison.difference(expected: expected, actual: reply) == nil)
        #expect(ReplyComparison.difference(expected: ["ok": true, "*": .anything], actual: reply) == nil)
        let more = reply.replacing("\"seq\":5", with: "\"seq\":5,\"took\":3")
        #expect(ReplyComparison.difference(expected: expected, actual: more, free: ["took"]) == nil)
    }

    @Test(arguments: [
        ("\"seq\":5", "\"seq\":6", "seq"), ("true", "false", "ok"), ("\"b\"", "\"c\"", "entries[1]"),
        (",\"b\"", "", "entries"),
        ("bad_json", "unknown_op", "error.code"), ("\"c7\"", "null", "next"), ("\"seq\":5,", "", "seq"),
        ("\"seq\":5", "\"seq\":5,\"more\":1", "more"), ("10:00:00.000", "10:00:00.001", "at"),
        ("+00:00", "+01:00", "at"),
        ("1.5", "1.51", "score"), ("1.5", "\"1.50\"", "score"), ("}", "", "the reply is not JSON"),
    ]) func aDifferenceIsNamed(part: String, other: String, place: String) {
        let difference = ReplyComparison.difference(expected: expected, actual: reply.replacing(part, with: other))
        #expect(difference?.hasPrefix(place) == true, "\(difference ?? "no difference")")
    }

    @Test func textIsComparedByBytes() {
        let composed: JSON = ["id": "caf\u{e9}"]
        #expect(ReplyComparison.difference(expected: composed, actual: "{\"id\":\"caf\u{e9}\"}") == nil)
        #expect(ReplyComparison.difference(expected: composed, actual: #"{"id":"caf\u00e9"}"#) == nil)
        #expect(ReplyComparison.difference(expected: composed, actual: "{\"id\":\"cafe\u{301}\"}") != nil)
    }
}

/// Paging through a statement.
@Suite struct StatementWalkTests {
    @Test("O19: pages put together are the whole statement", arguments: [1, 2, 3, 5, 6, 100])
    func pagesMakeTheWhole(limit: Int) {
        var scenario = Scenario()
        scenario.setUp("{'op':'currency.put','currency':'PTS'}", "{'op':'member.put','member':'m1'}")
        for number in 1...6 {
            scenario.setUp(
                "{'op':'adjust','externalId':'g\(number)','member':'m1','currency':'PTS','amount':\(number)}")
        }
        // The model's own cursor is the number of lines that the pages before have shown.
        let model = scenario.model
        let walked = StatementWalk.entries(workspace: "main", member: "m1", limit: limit) { line in
            var copy = model
            guard case .object(var page) = copy.handle(line, at: 0) else { return "" }
            if case .oneOf(let choices)? = page["next"] { page["next"] = choices[0] }
            return JSON.object(page).line
        }
        #expect(walked == .array(model.statementEntries(workspace: "main", member: "m1") ?? []))
        #expect(walked?.elements?.count == 6)
    }
}
