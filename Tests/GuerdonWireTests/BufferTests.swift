import GuerdonCore
import GuerdonWire
import TestSupport
import Testing

@Suite struct BufferTests {
    /// Lines good and bad, of every kind.
    private static let lines: [String] = [
        action([:]), action(["value": "\"1.50\"", "currency": "\"EUR\"", "at": "\"2026-11-01T10:00:00Z\""]), "{", "[]",
        "\"",
        action(["title": "\"a\\nb\""]), action(["attributes": "{\"a\":[1,2]}"]), action(["value": "\"x\""]),
        "{\"op\":\"ping\"}",
        "{\"op\":\"ping\"", "\"}", "{\"op\":\"wallet\",\"member\":\"m\"}", "\u{1}", "{\"op\":\"p\u{1}\"}", " ", "\\",
        "\"\\",
        "{\"op\":\"member.put\",\"member\":\"m1\",\"referrer\":\"m0\"}", "{\"a\":\"\\\"}", action(["id": "\"é\""]),
        action(["id": "12", "title": "\"\(String(repeating: "long ", count: 200))\""]),
    ]

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func neighboursDoNotMatter(_ seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let decoder = RequestDecoder()
        let requests = Requests()
        let chosen = (0..<Int.random(in: 1...400, using: &random)).map { _ in
            // Mostly good lines, so that whole chunks of them are met, too.
            seed % 2 == 0 || Int.random(in: 0..<50, using: &random) == 0
                ? BufferTests.lines.randomElement(using: &random)!
                : BufferTests.lines[Int.random(in: 0...1, using: &random)]
        }
        let ends: [[UInt8]] = [[10], [13, 10], [10, 10]]
        let bytes: [UInt8] = chosen.flatMap { line in Array(line.utf8) + ends.randomElement(using: &random)! }
        let together = Decoding(bytes, with: decoder, into: requests)
        let alone = chosen.map { Decoding(Array($0.utf8), with: decoder, into: requests) }
        #expect(together.lines == alone.flatMap(\.lines))
        #expect(together.ids == alone.flatMap(\.ids))
        #expect(together.rows.map(\.kind) == alone.flatMap(\.rows).map(\.kind))
    }

    @Test func invalidUTF8HarmsOnlyItsLine() {
        let good = Array(action([:]).utf8)
        let sequences: [[UInt8]] = [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0xF0, 0x9F, 0x98], [0xFF], [0xC3],
        ]
        for sequence in sequences {
            let bad = Array("{\"op\":\"ping\",\"id\":\"".utf8) + sequence + Array("\"}".utf8)
            let outside = good + sequence
            let decoding = Decoding(good + [10] + bad + [10] + outside + [10] + good)
            #expect(decoding.lines.map { $0.refusal?.code } == [nil, .badJson, .badJson, nil])
        }
    }

    @Test func emptyLinesGiveNoRow() {
        #expect(Decoding("\n\r\n\n").lines.isEmpty)
        #expect(Decoding("").lines.isEmpty)
        #expect(Decoding("\n\(action([:]))\r\n\r\n").lines.count == 1)
    }

    @Test func helloHoldsForTheLinesBehindIt() {
        let text = """
            \(action([:]))
            {"op":"hello","workspace":"shop","ack":"detail","token":"t"}
            \(action([:]))
            \(action(["workspace": "\"other\""]))
            {"op":"hello","ack":"cumulative"}
            {"op":"wallet","member":"m"}
            \(action(["attributes": "{\"a\":1}"]))
            """
        let decoding = Decoding(text)
        let workspaces = decoding.lines.compactMap { line in
            if case .command(.action(let action)) = line { action.workspace } else { nil }
        }
        #expect(workspaces == ["main", "shop", "other", "shop"])
        #expect(decoding.rows.map(\.ack) == [.each, .detail, .detail, .detail, .cumulative, .cumulative, .cumulative])
        #expect(decoding.wantsLines)
        #expect(decoding.defaults.workspace == "shop")
        #expect(decoding.lines[1] == .request(.hello(Hello(token: "t", workspace: "shop", ack: .detail))))
        #expect(decoding.lines[5] == .request(.read(ReadRequest(workspace: "shop", .wallet(member: "m", lots: false)))))
        #expect(!Decoding(action([:])).wantsLines)
    }

    @Test(arguments: ["\n", "\r\n", "\n\n"], [1, 200])
    func nothingIsTakenBehindAHelloWithAnotherWorkspace(end: String, before: Int) {
        let requests = Requests()
        var defaults = ConnectionDefaults()
        let first = String(repeating: action([:]) + end, count: before) + #"{"op":"hello","workspace":"shop"}"# + "\n"
        let rest = (end == "\n" ? "{\n" : "") + action([:]) + end
        let bytes = Array((first + rest).utf8)
        let decoder = RequestDecoder()
        func decode(from start: Int) -> Int {
            bytes[start...].withUnsafeBytes { decoder.decode(lines: $0, defaults: &defaults, into: requests) }
        }
        #expect(decode(from: 0) == first.utf8.count)
        #expect(requests.rows.count == before + 1)
        #expect(defaults.workspace == "main" && defaults.awaited?.workspace == "shop")
        defaults.settle(isAccepted: false)
        #expect(defaults == ConnectionDefaults())
        #expect(decode(from: first.utf8.count) == rest.utf8.count)
    }

    @Test func refusedHelloChangesNothing() {
        let decoding = Decoding("{\"op\":\"hello\",\"workspace\":\"shop\",\"ack\":\"x\"}\n" + action([:]))
        #expect(decoding.defaults == ConnectionDefaults())
    }

    @Test func idIsEchoedAsItStood() {
        let ids = ["7", "-7", "0", "-0", "\"\"", "\"a\"", "\"\\u0061\\n\"", "\"é\"", "9223372036854775807"]
        for id in ids {
            #expect(Decoding(action(["id": id])).ids == [id])
            #expect(Decoding("{\"id\":\(id),\"op\":\"ping\"}").ids == [id])
        }
        #expect(Decoding(action([:])).ids == [""])
    }

    @Test func unbalancedAttributesCostTheirLineAlone() {
        let open = #"{"op":"action","externalId":"a","performer":"m","type":"t","attributes":{"a":["#
        let closed = #"{"op":"action","externalId":"a","performer":"m","type":"t","attributes":{"a":[}]}"#
        let beyond = #"{"op":"action","externalId":"a","performer":"m","type":"t","attributes":{}}}"#
        let good = action(["attributes": "{\"a\":[]}"])
        let lines = Array(repeating: [open, good, closed, good, beyond, good], count: 300).flatMap { $0 }
        let decoding = Decoding(lines.joined(separator: "\n"))
        #expect(decoding.lines.count == lines.count)
        for (line, decoded) in zip(lines, decoding.lines) { #expect((decoded.command != nil) == (line == good)) }
    }

    @Test func linesLongerThanAChunkAreTaken() {
        let long = action(["attributes": "{\"a\":[\(Array(repeating: "1", count: 8000).joined(separator: ","))]}"])
        let lines = Array(repeating: action([:]), count: 700) + [long, action([:])]
        let decoding = Decoding(lines.joined(separator: "\n"))
        #expect(decoding.lines.count == 702)
        #expect(decoding.lines.allSatisfy { $0.command != nil })
        let huge = action(["title": "\"\(String(repeating: "x", count: 60_000))\""])
        #expect(refusal(huge)?.field == "title")
        let tooLong = Decoding(String(repeating: "[", count: 200_000) + "\n" + action([:]))
        #expect(tooLong.lines[0].refusal?.code == .lineTooLong)
        #expect(tooLong.lines[1].command != nil)
    }
}
