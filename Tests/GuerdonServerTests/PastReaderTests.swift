import GuerdonServer
import Testing

/// Reads that go back into log and history wait for the disk; nobody else does.
@Suite(.serialized) struct PastReaderTests {
    private let statement = #"{"op":"statement","member":"m1","limit":3,"id":"s"}"#

    /// The external ids of a statement's lines.
    private func sources(_ reply: String) -> [String] {
        reply.matches(of: /"externalId":"([^"]*)"/).map { String($0.1) }
    }

    private func ask(_ server: TestServer, _ count: Int) throws {
        let client = try server.client()
        try client.send((0..<count).map { (n: Int) in action("old-\(n)") }.joined())
        _ = try client.lines(count)
    }

    @Test func aStatementThatWaitsForItsDiskHoldsNobodyUp() throws {
        try TestServer.run { server in
            try ask(server, 5)
            server.holdReads()
            let reader = try server.client()
            try reader.send(statement + "\n" + #"{"op":"ping","id":"p"}"# + "\n")
            // It must be asked before the first action that follows.
            pause(milliseconds: 100)
            let writer = try server.client()
            for n in 0..<200 {
                #expect(try writer.ask(action("new-\(n)").dropLast().description).hasPrefix(#"{"ok":true"#))
            }
            #expect(reader.isSilent(for: 100))
            server.letReadsGo()
            let replies = try reader.lines(2)
            // The state at which it was asked, and in its place.
            #expect(replies[0].hasPrefix(#"{"id":"s","ok":true,"seq":9,"#), "\(replies[0])")
            #expect(sources(replies[0]) == ["old-4", "old-3", "old-2"])
            #expect(replies[1].hasPrefix(#"{"id":"p","ok":true"#))
        }
    }

    @Test func theBatchThatIsNotInTheHistoryYetIsOnTheStatement() throws {
        try TestServer.run { server in
            try ask(server, 3)
            let client = try server.client()
            for n in 0..<30 {
                try client.send(
                    action("with-\(n)") + statement + "\n" + #"{"op":"explain","externalId":"old-1"}"# + "\n")
                let replies = try client.lines(3)
                #expect(sources(replies[1]).first == "with-\(n)")
                #expect(sources(replies[1]).count == 3)
                #expect(replies[2].contains(#""externalId":"old-1""#))
            }
        }
    }

    @Test func repliesKeepTheirOrderWhateverWaits() throws {
        try TestServer.run { server in
            try ask(server, 20)
            let client = try server.client()
            var text = ""
            for id in 0..<1500 {
                switch id % 5 {
                case 0: text += action("mix-\(id)", id: id)
                case 1: text += #"{"op":"statement","member":"m1","limit":\#(id % 7 + 1),"id":\#(id)}"# + "\n"
                case 2: text += #"{"op":"explain","externalId":"old-\#(id % 20)","id":\#(id)}"# + "\n"
                case 3: text += #"{"op":"wallet","member":"m1","lots":true,"id":\#(id)}"# + "\n"
                default: text += #"{"op":"explain","externalId":"nothing","id":\#(id)}"# + "\n"
                }
            }
            try client.send(text)
            client.finishSending()
            let replies = try client.rest()
            #expect(replies.count == 1500)
            for (id, reply) in replies.enumerated() {
                #expect(reply.hasPrefix(#"{"id":\#(id),"ok":\#(id % 5 < 4)"#), "\(reply)")
            }
        }
    }

    @Test func aReversalNamesThePerformerOfLongAgo() throws {
        try TestServer.run { server in
            try ask(server, 5)
            let client = try server.client()
            try client.ask(#"{"op":"reverse","externalId":"back","of":"old-2"}"#)
            let reply = try client.ask(statement)
            #expect(reply.contains(#""source":{"member":"m1","externalId":"back","of":"old-2"}"#), "\(reply)")
        }
    }

    @Test func clientsThatGoWhileTheDiskIsReadLeaveNothingBehind() throws {
        try TestServer.run { server in
            try ask(server, 5)
            server.holdReads()
            for n in 0..<20 {
                let client = try server.client()
                try client.send(String(repeating: statement + "\n", count: 20))
                pause(milliseconds: 3)
                if n % 2 == 0 { client.reset() } else { client.disconnect() }
            }
            server.letReadsGo()
            let other = try server.client()
            #expect(try other.ask(statement).contains(#""ok":true"#))
            for _ in 0..<100 {
                if try other.ask(#"{"op":"stats"}"#).contains(#""connections":1"#) { return }
                pause(milliseconds: 20)
            }
            Issue.record("connections are left open")
        }
    }

    @Test func aFloodOfStatementsThatWaitIsBounded() throws {
        try TestServer.run({ $0.connectionBytes = 64 << 10 }) { server in
            try ask(server, 5)
            server.holdReads()
            let client = try server.client()
            let line = Array((statement + String(repeating: " ", count: 4000) + "\n").utf8)
            let sent = client.sendUntilBlocked(Array(repeating: line, count: 10_000).flatMap { $0 }, patience: 300)
            #expect(sent < 10_000 * line.count)
            server.letReadsGo()
            #expect(try client.lines(sent / line.count).allSatisfy { $0.hasPrefix(#"{"id":"s","ok":true"#) })
        }
    }

    @Test func stopAnswersWhatWaitsForTheDisk() throws {
        let server = try TestServer()
        try ask(server, 5)
        server.holdReads()
        let client = try server.client()
        try client.send(String(repeating: statement + "\n", count: 50) + action("last"))
        pause(milliseconds: 300)
        try server.stop()
        let replies = try client.rest()
        #expect(replies.count == 51)
        #expect(replies.dropLast().allSatisfy { sources($0).count == 3 })
    }
}
