import GuerdonClient
import Testing

struct JSONValueTests {
    @Test(arguments: [
        "null", "true", "false", "0", "-1", "12.50", "1e5", #""""#, #""a\"b\\c\n""#, "[]", "[1,[2,{}]]",
        #"{"a":1,"b":{"c":["d",null]}}"#, #""żółw 🐢""#,
    ])
    func textSurvivesParsingAndPrinting(text: String) throws {
        #expect(try JSONValue.parse(text).description == text)
    }

    @Test func escapesAreUnderstood() throws {
        #expect(try JSONValue.parse(#""\u0041\ud83d\udc22\/\b""#) == .string("A🐢/\u{8}"))
    }

    @Test(arguments: [
        "", "{", "[1,]", #"{"a"}"#, #"{"a":1,}"#, "nul", "tru", "1 2", #""\x""#, #""\ud83d""#, "\"\u{1}\"", "--1",
        "\"a",
        String(repeating: "[", count: 100),
    ])
    func malformedTextIsRefused(text: String) {
        #expect(throws: ClientError.self) { try JSONValue.parse(text) }
    }

    @Test func numbersKeepTheirText() throws {
        let value = try JSONValue.parse(#"{"amount":"0.10","seq":18446744073709551615}"#)
        #expect(value["amount"]?.text == "0.10")
        #expect(value["seq"]?.text == "18446744073709551615")
        #expect(value["seq"]?.integer == nil)
    }
}

struct ReplyTests {
    private func reply(_ text: String) throws(ClientError) -> Reply {
        let bytes = Array(text.utf8)
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(ClientError) in try Reply(line: bytes) } }
        return try result.get()
    }

    @Test func repliesAreToldApart() throws {
        #expect(try reply(#"{"ok":true,"seq":1}"#) == .done)
        #expect(try reply(#"{"id":7,"ok":true,"seq":1}"#) == .done)
        #expect(try reply(#"{"ok":true,"seq":1,"duplicate":true}"#) == .duplicate)
        #expect(try reply(#"{"id":"x","ok":true,"seq":1,"duplicate":true}"#) == .duplicate)
        #expect(try reply(#"{"event":"board","subscription":3}"#) == .event)
        guard case .refused(let refusal) = try reply(#"{"ok":false,"error":{"code":"conflict","message":"no"}}"#) else {
            Issue.record("not refused")
            return
        }
        #expect(refusal.code == "conflict" && refusal.message == "no" && refusal.field == nil)
    }

    @Test(arguments: ["", "hello", "{}", "[1]"])
    func anythingElseIsNotAReply(text: String) {
        #expect(throws: ClientError.self) { try reply(text) }
    }
}
