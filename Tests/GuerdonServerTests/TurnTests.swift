import Testing

@testable import GuerdonServer

/// Many connections and one open batch: everybody gets a turn. FEATURES: I18, fault N7.
@Suite struct TurnTests {
    @Test func aFloodOfOneDoesNotHoldUpTheLinesOfOthers() throws {
        try TestServer.run({ $0.batchCommands = 4 }) { server in
            // More than two pieces each: what is decoded at once is one turn.
            let count = 1200
            let clients = try (0..<10).map { _ in try server.client() }
            server.hold()
            for (number, client) in clients.enumerated() {
                try client.send((0..<count).map { action("turn-\(number)-\($0)") }.joined())
            }
            pause(milliseconds: 50)
            server.letGo()
            var firsts: [Int] = []
            var lasts: [Int] = []
            for client in clients {
                let positions = try client.lines(count).map { reply in
                    try #require(reply.firstMatch(of: /"seq":(\d+)/).flatMap { Int($0.1) })
                }
                #expect(positions == positions.sorted())
                firsts.append(positions[0])
                lasts.append(positions[count - 1])
            }
            let (latestFirst, earliestLast) = (try #require(firsts.max()), try #require(lasts.min()))
            #expect(latestFirst < earliestLast, "somebody was done before somebody else had a turn")
        }
    }

    @Test func whoFillsABatchExactlyIsReadFromAgain() throws {
        try TestServer.run({ $0.batchCommands = 4 }) { server in
            let first = try server.client()
            let second = try server.client()
            for round in 0..<20 {
                server.hold()
                try first.send((0..<4).map { action("first-\(round)-\($0)") }.joined())
                try second.send((0..<4).map { action("second-\(round)-\($0)") }.joined())
                pause(milliseconds: 2)
                server.letGo()
                _ = try first.lines(4)
                _ = try second.lines(4)
            }
            let reply = try first.ask(#"{"op":"wallet","member":"m1"}"#)
            #expect(available(reply) == 160)
        }
    }
}
