import GuerdonServer
import Testing

/// How bytes become lines, and in which order replies come. FEATURES: I18, fault N4, N5, N6.
@Suite struct FramingTests {
    private static let lines =
        #"{"op":"ping","id":1}"# + "\r\n\n\r\n" + action("split-1", id: 2) + #"{"op":"nope","id":3}"# + "\n{\"op\n"
        + #"{"op":"wallet","member":"m1","id":"ż"}"# + "\n"

    private func replies(_ client: Client) throws -> [String] { try client.lines(5).map(withoutPosition) }

    @Test func everySplitPointGivesTheSameReplies() throws {
        try TestServer.run { server in
            let bytes = Array(Self.lines.utf8)
            let first = try server.client()
            try first.send(Self.lines + Self.lines)
            _ = try replies(first)
            let expected = try replies(first)
            #expect(expected[1].contains(#""duplicate":true"#))
            #expect(expected[2].contains("unknown_op"))
            #expect(expected[3].contains("bad_json"))
            #expect(expected[4].hasPrefix(#"{"id":"ż","ok":true"#))
            let client = try server.client()
            for split in 1..<bytes.count {
                try client.send(bytes[..<split])
                pause(milliseconds: 0.3)
                try client.send(bytes[split...])
                let got = try replies(client)
                for (reply, other) in zip(got, expected) where reply != other {
                    Issue.record("split at \(split): \(reply) is not \(other)")
                }
            }
        }
    }

    @Test func aLineMayComeByteByByteWhileOthersAreAnswered() throws {
        try TestServer.run { server in
            let slow = try server.client()
            let other = try server.client()
            for byte in #"{"op":"ping","id":7}"#.utf8 {
                try slow.send([byte])
                #expect(try other.ask(#"{"op":"ping","id":1}"#).hasPrefix(#"{"id":1,"ok":true"#))
            }
            #expect(slow.isSilent(for: 20))
            #expect(try slow.ask("").hasPrefix(#"{"id":7,"ok":true"#))
        }
    }

    @Test func repliesStillComeAfterAHalfClose() throws {
        try TestServer.run { server in
            server.hold()
            let client = try server.client()
            // The last line has no end.
            try client.send(
                (0..<50).map { (n: Int) in action("half-\(n)", id: n) }.joined() + #"{"op":"ping","id":50}"#)
            client.finishSending()
            pause(milliseconds: 50)
            server.letGo()
            let replies = try client.rest()
            #expect(replies.count == 51)
            for (index, reply) in replies.enumerated() { #expect(reply.hasPrefix(#"{"id":\#(index),"ok":true"#)) }
        }
    }

    @Test func aHalfCloseWithoutALineClosesAtOnce() throws {
        try TestServer.run { server in
            let client = try server.client()
            client.finishSending()
            #expect(try client.rest().isEmpty)
        }
    }

    @Test func repliesComeInTheOrderOfTheRequests() throws {
        try TestServer.run { server in
            let client = try server.client()
            var text = ""
            for id in 0..<3000 {
                switch id % 5 {
                case 0, 1: text += action("order-\(id)", id: id)
                case 2: text += #"{"op":"wallet","member":"m1","id":\#(id)}"# + "\n"
                case 3: text += #"{"op":"action","id":\#(id)}"# + "\n"
                default:
                    text +=
                        #"{"id":\#(id),"op":"redeem","externalId":"r\#(id)","member":"none","currency":"PTS","amount":"1"}"#
                        + "\n"
                }
            }
            try client.send(text)
            for (id, reply) in try client.lines(3000).enumerated() {
                #expect(reply.hasPrefix(#"{"id":\#(id),"ok":\#(id % 5 < 3)"#))
            }
        }
    }

    @Test func helloHoldsForTheLinesBehindIt() throws {
        try TestServer.run { server in
            let client = try server.client()
            try client.ask(#"{"op":"workspace.put","workspace":"shop"}"#)
            try client.send(
                #"{"op":"member.get","member":"m1"}"# + "\n" + action("hello-1")
                    + #"{"op":"hello","workspace":"shop","ack":"detail"}"# + "\n" + action("hello-1")
                    + #"{"op":"hello","workspace":"main","ack":"detail"}"# + "\n" + action("hello-2"))
            let replies = try client.lines(6)
            #expect(replies[1].hasPrefix(#"{"ok":true"#) && !replies[1].contains("rewards"))
            #expect(replies[3].contains("unknown_member"))
            #expect(replies[5].contains(#""rewards":[{"member":"m1""#))
        }
    }

    @Test func aRefusedHelloLeavesTheConnectionWhereItWas() throws {
        try TestServer.run { server in
            let client = try server.client()
            try client.send(
                #"{"op":"hello","workspace":"nowhere","ack":"detail"}"# + "\n" + action("stay-1")
                    + #"{"op":"wallet","member":"m1"}"# + "\n")
            let replies = try client.lines(3)
            #expect(replies[0].contains("unknown_workspace"))
            #expect(replies[1].hasPrefix(#"{"ok":true"#) && !replies[1].contains("rewards"))
            #expect(available(replies[2]) == 1)
        }
    }

    @Test func aWorkspaceMayBePutRightBeforeTheHelloThatNamesIt() throws {
        try TestServer.run { server in
            let client = try server.client()
            let hello = #"{"op":"hello","workspace":"shop"}"# + "\n"
            try client.send(hello + #"{"op":"workspace.put","workspace":"shop"}"# + "\n" + hello + action("put-1"))
            client.finishSending()
            let replies = try client.rest()
            #expect(replies.count == 4)
            #expect(replies[0].contains("unknown_workspace"))
            #expect(replies[2].contains(#""workspace":"shop""#))
            #expect(replies[3].contains("unknown_member"))
        }
    }

    @Test func cumulativeAcknowledgementsCountCommandsAndRefusalsAreNumbered() throws {
        try TestServer.run { server in
            let client = try server.client()
            try client.ask(#"{"op":"hello","ack":"cumulative"}"#)
            server.hold()
            var text = ""
            for n in 1...100 {
                switch n {
                case 10: text += #"{"op":"action","id":"bad"}"# + "\n"
                case 20:
                    text += #"{"op":"redeem","externalId":"r","member":"none","currency":"PTS","amount":"1"}"# + "\n"
                case 30: text += #"{"op":"ping","id":"p"}"# + "\n" + action("c-30")
                default: text += action("c-\(n)")
                }
            }
            try client.send(text)
            pause(milliseconds: 30)
            server.letGo()
            var refused: [String] = []
            var last = 0
            var pings = 0
            while last < 100 {
                let line = try client.lines(1)[0]
                if let ack = line.firstMatch(of: /^{"ack":(\d+),"seq":\d+}$/) {
                    let count = Int(ack.1) ?? 0
                    #expect(count > last)
                    last = count
                } else if line.hasPrefix(#"{"id":"p""#) {
                    pings += 1
                } else {
                    refused.append(line)
                }
            }
            #expect(last == 100)
            #expect(pings == 1)
            #expect(refused.count == 2)
            #expect(refused.first?.hasPrefix(#"{"id":"bad","n":10,"ok":false"#) == true)
            #expect(refused.last?.hasPrefix(#"{"n":20,"ok":false"#) == true)
            // One by one as well.
            try client.send(action("c-101"))
            #expect(try client.lines(1)[0].hasPrefix(#"{"ack":101,"seq":"#))
        }
    }

    @Test(arguments: [1, 2, 100, 5000])
    func aLineOverTheBoundIsRefusedAndTheNextAnswered(excess: Int) throws {
        try TestServer.run({ $0.lineBytes = 1000 }) { server in
            let client = try server.client()
            let long = #"{"op":"ping","id":""# + String(repeating: "x", count: 1000 + excess - 20) + #""}"#
            // In one piece, and with a pause before its end.
            for pieces in [[long + "\n"], [String(long.dropLast(1)), "}\n"], [long, "\r\n"]] {
                for piece in pieces {
                    try client.send(piece)
                    pause(milliseconds: 20)
                }
                let refusal = try client.lines(1)[0]
                #expect(refusal.contains(#""code":"line_too_long""#), "\(refusal)")
                #expect(try client.ask(#"{"op":"ping","id":1}"#).hasPrefix(#"{"id":1,"ok":true"#))
            }
        }
    }

    @Test(arguments: ["\n", "\r\n"])
    func aLineOfExactlyTheBoundIsTakenHoweverItIsSplit(end: String) throws {
        try TestServer.run({ $0.lineBytes = 1000 }) { server in
            let client = try server.client()
            let line = #"{"op":"ping","id":1"# + String(repeating: " ", count: 980) + "}"
            #expect(line.utf8.count == 1000)
            let bytes = Array((line + end).utf8)
            for split in 996..<bytes.count {
                try client.send(bytes[..<split])
                pause(milliseconds: 10)
                try client.send(bytes[split...])
                #expect(try client.lines(1)[0].hasPrefix(#"{"id":1,"ok":true"#), "split at \(split)")
            }
        }
    }

    @Test func aLineWithoutEndIsCutOff() throws {
        try TestServer.run({ $0.lineBytes = 1000 }) { server in
            let client = try server.client()
            let sent = client.sendUntilBlocked(Array(repeating: UInt8(ascii: "x"), count: 8 << 20), patience: 100)
            #expect(sent < 8 << 20)
            // The refusal may be lost to the reset that unread bytes cause; the end is not.
            if let line = try? client.line() { #expect(line.contains("line_too_long")) }
            #expect(try server.client().ask(#"{"op":"ping"}"#).contains(#""ok":true"#))
        }
    }
}
