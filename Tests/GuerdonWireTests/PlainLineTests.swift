import GuerdonCore
import GuerdonWire
import TestSupport
import Testing

/// What takes the short road must mean what it means on the long one: each line is decoded as it stands, and in a writing
/// that only the long road takes.
@Suite struct PlainLineTests {
    /// The same line with the `o` of `op` written as an escape.
    private func slow(_ line: String) -> String { line.replacing("\"op\"", with: "\"\\u006fp\"") }

    private func rows(_ line: String) -> Decoding { Decoding(Array(line.utf8)) }

    private static let lines: [String] = [
        #"{"op":"ping"}"#, #"{"op":"ping","id":7}"#, #"{"op":"ping","workspace":"shop"}"#, #"{"op":"ping","x":1}"#,
        #"{"op":"member.get","member":"m1"}"#, #"{"op":"member.get","member":""}"#, #"{"op":"member.get"}"#,
        #"{"op":"wallet","member":"m1"}"#, #"{"op":"wallet","member":"m1","lots":false}"#,
        #"{"op":"wallet","member":"m1","lots":true}"#, #"{"op":"wallet","member":"m1","lots":null}"#,
        #"{"op":"wallet","member":"m1","lots":"true"}"#, #"{"op":"wallet","member":"m1","lots":truely}"#,
        #"{"op":"wallet","member":1}"#, #"{"op":"wallet","member":"m1","board":"b"}"#,
        #"{"op":"board.top","board":"b"}"#, #"{"op":"board.top","board":"b","limit":1}"#,
        #"{"op":"board.top","board":"b","limit":1000,"period":"2026-11"}"#,
        #"{"op":"board.top","board":"b","limit":0}"#,
        #"{"op":"board.top","board":"b","limit":1001}"#, #"{"op":"board.top","board":"b","limit":"10"}"#,
        #"{"op":"board.top","board":"b","limit":1.0}"#, #"{"op":"board.top","board":"b","limit":1e1}"#,
        #"{"op":"board.top","board":"b","limit":-1}"#, #"{"op":"board.top","board":"b","limit":01}"#,
        #"{"op":"board.top","board":"b","limit": 7 , "period" : "2026" }"#,
        #"{"op":"board.top","board":"b","period":""}"#, #"{"op":"board.top","board":"b","period":null}"#,
        #"{"op":"board.top","board":"b","period":"0123456789012345678901234567890123"}"#,
        #"{"op":"board.top","board":"b","member":"m"}"#,
        #"{"op":"board.rank","board":"b","member":"m1"}"#, #"{"op":"board.rank","member":"ż","board":"ó","around":5}"#,
        #"{"op":"board.rank","board":"b","member":"m1","around":0}"#,
        #"{"op":"board.rank","board":"b","member":"m1","around":1000,"period":"all","workspace":"w"}"#,
        #"{"op":"board.rank","board":"b","member":"m1","around":1001}"#,
        #"{"op":"board.rank","board":"b","member":"m1","limit":3}"#, #"{"op":"board.rank","board":"b","board":"c"}"#,
        #"{"op":"board.rank","board":"b"}"#, #"{"op":"board.rank","board":"b","member":"m1","id":1.5}"#,
        #"{"op":"member.put","member":"m1"}"#, #"{"op":"member.put","member":"m1","referrer":"m0"}"#,
        #"{"op":"member.put","member":"m1","name":"Ada","email":"","phone":"1","birthday":"1990-02-28","kind":"k"}"#,
        #"{"op":"member.put","member":"m1","registered":"2026-01-05","code":"c","referralCode":"r"}"#,
        #"{"op":"member.put","member":"m1","registered":"2026-01-05T10:00:00+01:00"}"#,
        #"{"op":"member.put","member":"m1","registered":"2026-01-05T10:00"}"#,
        #"{"op":"member.put","member":"m1","birthday":"1990-02-30"}"#, #"{"op":"member.put","member":"m1","code":""}"#,
        #"{"op":"member.put","member":"m1","name":null}"#, #"{"op":"member.put","member":"m1","tags":["a"]}"#,
        #"{"op":"member.put","member":"m1","attributes":{}}"#,
        #"{"op":"member.put","member":"m1","attributes":{"b":null,"a":{"z":1,"y":[1,"2",3.50]}}}"#,
        #"{"op":"member.put","member":"m1","attributes":{"a":{"b":null}}}"#,
        #"{"op":"member.put","member":"m1","attributes":null}"#, #"{"op":"member.put","member":"m1","value":"1"}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","attributes":{"b":1,"a":2,"c":{}}}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","attributes":{"b":null}}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","attributes":{"b":null,"b":1}}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","attributes":{"b":[],"bb":[[]],"a":[{}]}}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","attributes":{"a":[1,]}}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","attributes":{"a":1}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","attributes":{"a":1}}}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","value":"9223372036854775807"}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","value":"99999999999999999999"}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","value":"0.000000000000000001"}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","value":-0.50}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","at":"1969-12-31T23:59:59.5Z"}"#,
        #"{"op":"action","externalId":"a","performer":"p","type":"t","at":"1969-12-31T23:59:59Z"}"#,
    ]

    @Test(arguments: PlainLineTests.lines) func shortRoadMeansWhatTheLongOneMeans(_ line: String) {
        let short = rows(line)
        let long = rows(slow(line))
        // Where a line is no JSON, the column differs by what was written differently.
        if short.lines.first?.refusal?.code == .badJson {
            #expect(long.lines.first?.refusal?.code == .badJson)
        } else {
            #expect(short.lines == long.lines)
        }
        #expect(short.ids == long.ids)
        #expect(short.rows.map(\.isCounted) == long.rows.map(\.isCounted))
    }

    @Test func frequentReadsTakeTheShortRoad() {
        let reads = [
            #"{"op":"ping"}"#, #"{"op":"wallet","member":"m1"}"#, #"{"op":"board.top","board":"b","limit":10}"#,
            #"{"op": "board.rank", "board": "b", "member": "m1", "around": 5, "id": "é"}"#,
            #"{"op":"member.get","member":"m1"}"#,
        ]
        #expect(Decoding(reads.joined(separator: "\n")).rows.map(\.kind) == reads.map { _ in .plainRead })
    }

    @Test func longTextsAreFollowedToTheirEnd() {
        // Ends at every place of a block, with what is plain, escaped or not ASCII right before the quote.
        for count in 0..<70 {
            for last in ["", "é", "\\n", "\u{7F}", "\u{1F600}"] {
                let title = String(repeating: "x", count: count) + last
                let line = action(["title": "\"\(title)\""])
                let expected = Text(title.replacing("\\n", with: "\n"))
                for text in [line, line + "\n", line + "\n" + line] {
                    for decoded in Decoding(text).lines {
                        guard case .command(.action(let action)) = decoded else {
                            Issue.record("\(text)")
                            continue
                        }
                        #expect(action.title == expected)
                    }
                }
            }
        }
    }

    @Test func controlCharactersAreFoundInEveryPlaceOfAText() {
        for count in 0..<40 {
            for tail in [0, 1, 20, 40] {
                for bad in [0x00, 0x09, 0x0d, 0x1f, 0x80, 0xc0] as [UInt8] {
                    let text = String(repeating: "x", count: count) + "@" + String(repeating: "y", count: tail)
                    let bytes = Array(action(["title": "\"\(text)\""]).utf8).map { $0 == 0x40 ? bad : $0 }
                    #expect(Decoding(bytes).lines.first?.refusal?.code == .badJson)
                }
            }
        }
    }

    /// The line before has taught the reader which key follows which text: that must not make it see less.
    @Test func aTextIsLookedThroughWhereTheNextKeyIsExpected() {
        let at = #""at":"2026-11-01T10:00:00Z""#
        let before = #"{"op":"action","externalId":"e","performer":"p","type":"t","title":"x",\#(at)}"#
        // Twice, since a line that is refused has taught the reader something as well.
        func lines(_ title: String) -> Decoding {
            let line = before.replacing(#""x""#, with: "\"\(title)\"")
            return Decoding([before, line, line].joined(separator: "\n"))
        }
        for count in 0..<40 {
            let plain = String(repeating: "x", count: count)
            for bad in ["\u{01}", "\n", "\"", #"","type":"t"#, #"","at":"2026-11-01T10:00:00Z"#] {
                for tail in ["", "y", plain] {
                    #expect(lines(plain + bad + tail).lines.last?.refusal != nil, "\(plain)\(bad)\(tail)")
                }
            }
            for (good, means) in [("", ""), (#"\","#, "\","), (#"\",\"at\":\""#, #"","at":""#), ("é", "é")] {
                let decoded = lines(plain + good).lines
                guard case .command(.action(var expected)) = decoded.first, decoded.count == 3 else {
                    Issue.record("\(plain)\(good)")
                    continue
                }
                expected.title = Text(plain + means)
                #expect(decoded.last == .command(.action(expected)))
            }
        }
    }

    @Test func everyOrderOfFieldsIsTaken() {
        var random = SplitMix64(seed: 5)
        let fields = [
            #""op":"action""#, #""externalId":"e""#, #""performer":"p""#, #""type":"t""#, #""value":1.50"#,
            #""currency":"EUR""#, #""title":"é""#, #""at":"2026-11-01T10:00:00Z""#, #""attributes":{"a":[1]}"#,
        ]
        let decoder = RequestDecoder()
        let requests = Requests()
        let first = Decoding(Array("{\(fields.joined(separator: ","))}".utf8), with: decoder, into: requests).lines
        #expect(first.first?.command != nil)
        for _ in 0..<200 {
            let line = "{\(fields.shuffled(using: &random).joined(separator: ","))}"
            #expect(Decoding(Array(line.utf8), with: decoder, into: requests).lines == first)
        }
    }

    @Test func timesThatLookAlikeAreToldApart() {
        let times = [
            "2026-11-01T10:00:00Z", "2026-11-01T10:00:01Z", "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z",
            "2027-11-02T10:00:00Z", "2026-11-02T11:00:00Z",
        ]
        let lines = times.map { action(["at": "\"\($0)\""]) }
        let together = Decoding(lines.joined(separator: "\n")).lines
        #expect(together == lines.map { decode($0) })
        #expect(together[0] == together[2])
        #expect(Set(together.compactMap { $0.command }).count == 5)
    }
}
