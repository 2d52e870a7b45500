import Foundation
import GuerdonServer
import Synchronization
import Testing

/// Clients that go away, do not read, or send without end. FEATURES: I18, O09, faults N2, N3, N7 to N10.
@Suite(.serialized) struct FaultTests {
    @Test func aResetInMidBatchLosesNothingAndDoublesNothing() throws {
        try TestServer.run { server in
            let lines = (0..<500).map { (n: Int) in action("rst-\(n)", by: "rst") }.joined()
            server.hold()
            let rude = try server.client()
            try rude.send(lines)
            pause(milliseconds: 50)
            rude.reset()
            server.letGo()
            // The outcome is unknown to the client, so it sends all again: on several connections at once.
            let retries = try (0..<3).map { _ in try server.client() }
            for client in retries { try client.send(lines) }
            var fresh = 0
            for client in retries {
                fresh += try client.lines(500).count { !$0.contains("duplicate") }
            }
            #expect(fresh == 0)
            #expect(available(try server.client().ask(#"{"op":"wallet","member":"rst"}"#)) == 500)
        }
    }

    @Test func aClientThatResetsWhileItIsAnsweredHarmsNobody() throws {
        try TestServer.run { server in
            let other = try server.client()
            for round in 0..<30 {
                let rude = try server.client(receiveBuffer: 32768)
                try rude.send(String(repeating: #"{"op":"stats"}"# + "\n", count: 2000))
                if round % 2 == 0 { pause(milliseconds: Double(round) / 3) }
                rude.reset()
                #expect(try other.ask(#"{"op":"ping"}"#).contains(#""ok":true"#))
            }
        }
    }

    @Test func aSlowReaderIsNoLongerReadFromAndDelaysNobody() throws {
        try TestServer.run({ $0.connectionBytes = 256 << 10 }) { server in
            let slow = try server.client(receiveBuffer: 32768)
            let other = try server.client()
            let line = #"{"op":"stats"}"# + String(repeating: " ", count: 300) + "\n"
            let question = Array(line.utf8)
            let flood = Array(String(repeating: line, count: 150_000).utf8)
            let before = try residentBytes()
            let sent = slow.sendUntilBlocked(flood)
            #expect(sent < flood.count, "the server goes on reading from a client that reads nothing")
            #expect(try residentBytes() - before < 48 << 20)
            for _ in 0..<50 {
                let start = ContinuousClock.now
                try other.ask(#"{"op":"ping"}"#)
                #expect(ContinuousClock.now - start < .seconds(1))
            }
            // When it reads at last it gets every answer.
            let begun = sent % question.count
            let replies = try slow.lines(sent / question.count)
            #expect(replies.allSatisfy { $0.hasPrefix(#"{"ok":true,"seq":"#) })
            if begun > 0 {
                try slow.send(question[begun...])
                #expect(try slow.lines(1)[0].hasPrefix(#"{"ok":true"#))
            }
        }
    }

    @Test func largeAnswersAreNotPiledUpForAClientThatReadsNothing() throws {
        try TestServer.run { server in
            let setup = try server.client()
            try setup.send(
                (0..<1000).map { (n: Int) in action("big-\(n)", by: "member-with-a-long-name-\(n)") }.joined())
            _ = try setup.lines(1000)
            let slow = try server.client(receiveBuffer: 32768)
            let question = #"{"op":"board.top","board":"all","limit":1000}"# + "\n"
            let before = try residentBytes()
            // Some 50 KB an answer: a gigabyte and more in all.
            _ = slow.sendUntilBlocked(Array(String(repeating: question, count: 40_000).utf8), patience: 2000)
            #expect(try residentBytes() - before < 400 << 20)
            #expect(try setup.ask(#"{"op":"ping"}"#).contains(#""ok":true"#))
        }
    }

    @Test func aFloodLeavesRoomForOthers() throws {
        try TestServer.run { server in
            try withFlood(server) {
                let other = try server.client()
                var longest = Duration.zero
                for n in 0..<100 {
                    let start = ContinuousClock.now
                    #expect(try other.ask(action("calm-\(n)").dropLast().description).contains(#""ok":true"#))
                    longest = max(longest, ContinuousClock.now - start)
                }
                #expect(longest < .seconds(3))
            }
        }
    }

    /// Sends actions without end from two connections while `body` runs.
    private func withFlood(_ server: TestServer, _ body: () throws -> Void) throws {
        let port = server.port
        let stop = Stop()
        let threads = (0..<2).map { index in
            let thread = Thread {
                guard let client = try? Client(port: port) else { return }
                var number = 0
                while !stop.isSet {
                    let lines = (0..<2000).map { (n: Int) in action("flood-\(index)-\(number + n)") }.joined()
                    number += 2000
                    guard (try? client.send(lines)) != nil, (try? client.lines(2000)) != nil else { return }
                }
            }
            thread.start()
            return thread
        }
        defer {
            stop.set()
            while !threads.allSatisfy(\.isFinished) { pause(milliseconds: 5) }
        }
        pause(milliseconds: 100)
        try body()
    }

    private final class Stop: Sendable {
        private let flag = Atomic(false)
        var isSet: Bool { flag.load(ordering: .relaxed) }
        func set() { flag.store(true, ordering: .relaxed) }
    }

    @Test func aFullBatchHoldsTheSendersBackUntilItIsTaken() throws {
        try TestServer.run({
            $0.batchBytes = 256 << 10
            $0.connectionBytes = 1 << 20
        }) { server in
            server.hold()
            let clients = try (0..<4).map { _ in try server.client() }
            let lines = Array((0..<200_000).map { (n: Int) in action("full-\(n)") }.joined().utf8)
            let before = try residentBytes()
            let sent = clients.map { $0.sendUntilBlocked(lines) }
            #expect(sent.allSatisfy { $0 < lines.count })
            #expect(try residentBytes() - before < 64 << 20)
            server.letGo()
            for (client, sent) in zip(clients, sent) {
                let whole = lines[..<sent].count { $0 == UInt8(ascii: "\n") }
                let replies = try client.lines(whole)
                #expect(replies.allSatisfy { $0.hasPrefix(#"{"ok":true"#) })
            }
        }
    }

    @Test func oneConnectionTooManyIsToldSoAndClosed() throws {
        try TestServer.run({ $0.connections = 3 }) { server in
            try waitFor { try connections(server) == 1 }
            let first = try server.client()
            try first.ask(#"{"op":"ping"}"#)
            var held = [try server.client(), try server.client()]
            for client in held { try client.ask(#"{"op":"ping"}"#) }
            let refused = try server.client().rest()
            #expect(refused.count == 1)
            #expect(refused.first?.contains(#""code":"overloaded""#) == true)
            held.removeLast().disconnect()
            try waitFor { try first.ask(#"{"op":"stats"}"#).contains(#""connections":2"#) }
            #expect(try server.client().ask(#"{"op":"ping"}"#).contains(#""ok":true"#))
        }
    }

    @Test func connectionsThatComeAndGoLeaveNothingBehind() throws {
        try TestServer.run { server in
            let other = try server.client()
            for n in 0..<600 {
                let client = try server.client()
                switch n % 4 {
                case 0: try client.ask(#"{"op":"ping"}"#)
                case 1: try client.send(#"{"op":"subscribe","stream":"stats"}"# + "\n")
                case 2: try client.send(#"{"op":"pi"#)
                default: break
                }
                if n % 3 == 0 { client.reset() } else { client.disconnect() }
            }
            try waitFor { try other.ask(#"{"op":"stats"}"#).contains(#""connections":1"#) }
        }
    }

    /// Lines without content get no answer that could end the connection.
    @Test func aConnectionThatWaitsForItsTurnWithBlankLinesIsClosedAfterItsEnd() throws {
        try TestServer.run({ $0.batchCommands = 1 }) { server in
            server.hold()
            let first = try server.client()
            try first.send(action("a") + action("b"))
            try first.waitUntilRead()
            let blank = try server.client()
            try blank.send("\n\r\n\n")
            try blank.waitUntilRead()
            blank.finishSending()
            // The end is seen some turns later.
            pause(milliseconds: 50)
            server.letGo()
            #expect(try blank.rest().isEmpty)
            #expect(try first.lines(2).allSatisfy { $0.hasPrefix(#"{"ok":true"#) })
        }
    }

    @Test func stopAnswersWhatIsInFlight() throws {
        let server = try TestServer()
        server.hold()
        let clients = try (0..<4).map { _ in try server.client() }
        for (index, client) in clients.enumerated() {
            try client.send((0..<400).map { (n: Int) in action("stop-\(index)-\(n)", id: n) }.joined())
        }
        let idle = try server.client()
        let half = try server.client()
        try half.send(#"{"op":"pi"#)
        for client in clients + [idle, half] { try client.waitUntilRead() }
        let start = ContinuousClock.now
        try server.stop()
        #expect(ContinuousClock.now - start < .seconds(5))
        for client in clients {
            let replies = try client.rest()
            #expect(replies.count == 400)
            for (id, reply) in replies.enumerated() { #expect(reply.hasPrefix(#"{"id":\#(id),"ok":true"#)) }
        }
        #expect(try idle.rest().isEmpty)
        #expect(try half.rest().isEmpty)
    }

    /// The engine must not end before the event loop, which may be slow, has given it everything that was read.
    @Test(arguments: [4 << 20, 8 << 10]) func stopAnswersWhatWaitsForABatch(connectionBytes: Int) throws {
        let server = try TestServer { limits in
            limits.batchCommands = 16
            limits.connectionBytes = connectionBytes
        }
        server.hold()
        let clients = try (0..<3).map { _ in try server.client() }
        for (index, client) in clients.enumerated() {
            let lines = (0..<100).map { (n: Int) in action("late-\(index)-\(n)", id: n) }
            // What follows a greeting waits for its answer.
            try client.send(#"{"op":"hello","workspace":"main"}"# + "\n" + lines.joined())
        }
        for client in clients { try client.waitUntilRead() }
        try server.stop(loopBusyFor: 300)
        for client in clients {
            let replies = try client.rest()
            #expect(replies.count == 101)
            for (id, reply) in replies.dropFirst().enumerated() {
                #expect(reply.hasPrefix(#"{"id":\#(id),"ok":true"#))
            }
        }
    }

    @Test func stopUnderAFloodEndsAndKeepsWhatItAcknowledged() throws {
        let server = try TestServer()
        let client = try server.client()
        let lines = (0..<200_000).map { (n: Int) in action("late-\(n)") }.joined()
        let sending = Sending(client: client, lines: lines)
        let sender = Thread { sending.run() }
        sender.start()
        pause(milliseconds: 100)
        try server.stop()
        var acknowledged = 0
        while let line = try? client.line() {
            #expect(line.hasPrefix(#"{"ok":true"#))
            acknowledged += 1
        }
        #expect(acknowledged > 0)
        while !sender.isFinished { pause(milliseconds: 5) }
    }

    /// A client that one thread sends on while another reads.
    private struct Sending: @unchecked Sendable {
        // Sendable: sending and receiving share nothing but the descriptor.
        let client: Client
        let lines: String

        func run() { _ = try? client.send(lines) }
    }

    private func connections(_ server: TestServer) throws -> Int? {
        try server.client().ask(#"{"op":"stats"}"#).firstMatch(of: /"connections":(\d+)/).flatMap { Int($0.1) }
    }
}

/// Waits until something is so; records an issue after ten seconds.
func waitFor(_ condition: () throws -> Bool) throws {
    for _ in 0..<1000 {
        if try condition() { return }
        pause(milliseconds: 10)
    }
    Issue.record("still not so after ten seconds")
}

/// Memory of this process that is in use.
func residentBytes() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return (Int(fields[1]) ?? 0) * 4096
}
