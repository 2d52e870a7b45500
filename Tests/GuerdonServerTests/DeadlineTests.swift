import GuerdonServer
import Testing

/// Clients that let a line or a reply wait for ever. FEATURES: I18, faults N1 to N3.
@Suite(.serialized) struct DeadlineTests {
    private func run(replySeconds: Double = 0.4, _ body: (TestServer) throws -> Void) throws {
        try TestServer.run({
            $0.lineSeconds = 0.4
            $0.replySeconds = replySeconds
        }) { try body($0) }
    }

    private func waitUntilAlone(_ server: TestServer) throws {
        let other = try server.client()
        for _ in 0..<200 {
            if try other.ask(#"{"op":"stats"}"#).contains(#""connections":1"#) { return }
            pause(milliseconds: 20)
        }
        Issue.record("connections are left open")
    }

    @Test func aLineThatDoesNotFinishEndsItsConnectionWithAnError() throws {
        try run { server in
            let slow = try server.client()
            try slow.send(action("before") + #"{"op":"pi"#)
            let start = ContinuousClock.now
            let lines = try slow.rest()
            #expect(lines.count == 2)
            #expect(lines[0].hasPrefix(#"{"ok":true"#))
            #expect(lines[1].contains(#""code":"limit_exceeded""#) && lines[1].contains("0.4 s"), "\(lines[1])")
            #expect((.milliseconds(350)..<Duration.seconds(5)).contains(ContinuousClock.now - start))
            try waitUntilAlone(server)
        }
    }

    @Test func oneByteNowAndThenDoesNotExtendTheTime() throws {
        try run { server in
            let slow = try server.client()
            var sent = 0
            for byte in Array(String(repeating: " ", count: 200).utf8) {
                guard (try? slow.send([byte])) != nil else { break }
                sent += 1
                pause(milliseconds: 20)
            }
            #expect(sent < 120)
            try waitUntilAlone(server)
        }
    }

    @Test func aTooLongLineThatNeverEndsIsNotWaitedFor() throws {
        try run { server in
            let slow = try server.client()
            try slow.send(String(repeating: "x", count: 70_000))
            #expect(try slow.lines(1)[0].contains("line_too_long"))
            #expect(try slow.rest().last?.contains("limit_exceeded") == true)
            try waitUntilAlone(server)
        }
    }

    @Test func wholeLinesAndIdlenessAreNeverCutOff() throws {
        try run { server in
            let idle = try server.client()
            let client = try server.client()
            // Each part of a line comes in time, the whole stream takes far longer.
            for n in 0..<8 {
                try client.send(#"{"op":"ping","id":\#(n)"#)
                pause(milliseconds: 150)
                try client.send("}\n" + #"{"op":"ping","#)
                pause(milliseconds: 100)
                try client.send(#""id":"b"}"# + "\n")
            }
            #expect(try client.lines(16).allSatisfy { $0.contains(#""ok":true"#) })
            pause(milliseconds: 1200)
            #expect(try idle.ask(#"{"op":"ping"}"#).contains(#""ok":true"#))
            #expect(try client.ask(#"{"op":"ping"}"#).contains(#""ok":true"#))
        }
    }

    @Test func aLineThatTheServerHoldsUpIsNotTooLate() throws {
        try run { server in
            server.hold()
            let client = try server.client()
            try client.send(action("held") + #"{"op":"ping"}"# + "\n")
            pause(milliseconds: 1200)
            server.letGo()
            #expect(try client.lines(2).allSatisfy { $0.hasPrefix(#"{"ok":true"#) })
        }
    }

    @Test func aClientThatReadsNothingIsClosed() throws {
        try run { server in
            let slow = try server.client(receiveBuffer: 32768)
            let question = #"{"op":"stats"}"# + "\n"
            _ = slow.sendUntilBlocked(Array(String(repeating: question, count: 200_000).utf8), patience: 200)
            try waitUntilAlone(server)
        }
    }

    @Test func aClientThatReadsSlowlyIsKept() throws {
        // Time enough for a test that others keep from its processor for a second.
        try run(replySeconds: 1.5) { server in
            let slow = try server.client(receiveBuffer: 32768)
            let count = 60_000
            let question = Array((#"{"op":"stats"}"# + "\n").utf8)
            let sent = slow.sendUntilBlocked(
                Array(repeating: question, count: count).flatMap { $0 }, patience: 50)
            // Some reading all the time, for several times as long as nothing may be read.
            let whole = sent / question.count
            var left = whole
            while left > 0, left > whole - 80 * 100 {
                _ = try slow.lines(min(left, 100))
                left -= min(left, 100)
                pause(milliseconds: 50)
            }
            #expect(try slow.lines(left).allSatisfy { $0.hasPrefix(#"{"ok":true"#) })
        }
    }
}
