import GuerdonClient
import Testing

struct SenderTests {
    private func action(_ number: Int) -> String {
        #"{"op":"action","externalId":"a\#(number)","performer":"m1","type":"purchase","value":"1.00"}"#
    }

    @Test(arguments: [1, 2, 512, 100_000])
    func everyLineIsAcknowledgedOnceAtAnyWindow(window: Int) throws {
        let server = FakeServer()
        defer { server.stop() }
        var options = Sender.Options()
        options.window = window
        let sender = Sender(to: Endpoint(port: server.port), options: options)
        try sender.connect()
        for number in 0..<2_000 { try sender.send(action(number)) }
        try sender.finish()
        #expect(sender.totals.acknowledged == 2_000)
        #expect(sender.totals.duplicates == 0)
        #expect(server.state.lines == (0..<2_000).map(action))
    }

    @Test func whatWasNotAcknowledgedIsSentAgainInOrder() throws {
        let server = FakeServer(dropAfterLines: [1, 700, 40, 0])
        defer { server.stop() }
        let sender = Sender(to: Endpoint(port: server.port))
        try sender.connect()
        for number in 0..<3_000 { try sender.send(action(number)) }
        try sender.finish()
        let totals = sender.totals
        #expect(totals.acknowledged == 3_000)
        #expect(totals.reconnects == 4)
        #expect(server.state.externalIDs.count == 3_000)
        #expect(totals.duplicates > 0)
        #expect(totals.resent >= totals.duplicates)
    }

    @Test func refusalsAreToldWithTheirLineNumber() throws {
        let server = FakeServer()
        defer { server.stop() }
        let sender = Sender(to: Endpoint(port: server.port))
        var refusals: [Int: String] = [:]
        sender.onRefusal = { refusals[$0] = $1.code }
        try sender.connect()
        try sender.send(action(1))
        try sender.send("nonsense")
        try sender.send(action(2))
        try sender.send(#"{"op":"nonsense"}"#)
        try sender.finish()
        #expect(refusals == [2: "bad_json", 4: "unknown_op"])
        #expect(sender.totals.acknowledged == 2)
        #expect(sender.totals.refused == 2)
    }

    @Test func aServerThatIsNotThereIsToldAtOnce() {
        let server = FakeServer()
        server.stop()
        let sender = Sender(to: Endpoint(port: 1))
        do throws(ClientError) {
            try sender.connect()
            Issue.record("connected to nobody")
        } catch {
            #expect(error.code == .unreachable)
            #expect(error.message.contains("127.0.0.1:1"))
        }
    }

    @Test func aServerThatStaysAwayEndsTheStream() throws {
        let server = FakeServer(dropAfterLines: [10])
        var options = Sender.Options()
        options.retrySeconds = 0.05
        let sender = Sender(to: Endpoint(port: server.port), options: options)
        try sender.connect()
        server.stop()
        for number in 0..<20 { try sender.send(action(number)) }
        do throws(ClientError) {
            try sender.finish()
            Issue.record("finished without a server")
        } catch {
            #expect(error.code == .disconnected)
            #expect(error.message.contains("externalId"))
        }
    }

    @Test func aWorkspaceIsSaidAgainAfterEveryReconnect() throws {
        let server = FakeServer(dropAfterLines: [5])
        defer { server.stop() }
        let sender = Sender(to: Endpoint(port: server.port, workspace: "shop"))
        try sender.connect()
        for number in 0..<10 { try sender.send(action(number)) }
        try sender.finish()
        let greetings = server.state.lines.filter { $0 == #"{"op":"hello","workspace":"shop"}"# }
        #expect(greetings.count == 2)
        #expect(sender.totals.acknowledged == 10)
    }
}

struct ConnectionTests {
    @Test func oneRequestGetsItsReply() throws {
        let server = FakeServer()
        defer { server.stop() }
        let connection = try Connection(to: Endpoint(port: server.port))
        #expect(try connection.request(#"{"op":"ping"}"#)["ok"]?.boolean == true)
        #expect(try connection.requests([#"{"op":"ping"}"#, #"{"op":"ping"}"#]).count == 2)
    }

    @Test func aRefusalIsAnErrorWithCodeAndField() throws {
        let server = FakeServer()
        defer { server.stop() }
        let connection = try Connection(to: Endpoint(port: server.port))
        do throws(ClientError) {
            _ = try connection.request(#"{"op":"nonsense"}"#)
            Issue.record("not refused")
        } catch {
            #expect(error.code == .refused)
            #expect(error.message == "unknown_op: no such operation (field op)")
        }
    }
}
