import Glibc
import GuerdonBench
import GuerdonClient
import Testing

/// The real process, killed for real.
@Suite(.serialized) struct KillTests {
    /// How a cycle ends: when so many actions are acknowledged, or after so many milliseconds.
    private enum Moment {
        case acknowledged(Int)
        case milliseconds(Int)
    }

    @Test func everyAcknowledgedActionIsFoundOnceAfterFiftyKills() throws { try killServers(50) }

    @Test func soIsEveryOneWhoseIdIsInAFile() throws { try killServers(20, sealing: true) }

    /// Kills one server after the other under load; with few ids in memory, if they are to be moved to files all the time.
    private func killServers(_ count: Int, sealing: Bool = false) throws {
        let arguments = sealing ? ["--ids-per-generation", "500"] : []
        try Place.with { place in
            var random = SystemRandomNumberGenerator()
            var server = try place.server(arguments)
            try Fixture.apply(to: server.endpoint)
            // Purchases 0..<acknowledged are known to be durable.
            var acknowledged = 0
            for cycle in 0..<count {
                let moment: Moment =
                    cycle.isMultiple(of: 2)
                    ? .acknowledged(.random(in: 1...5_000, using: &random))
                    : .milliseconds(.random(in: 1...60, using: &random))
                let (more, inFlight) = try streamUntilKilled(server, from: acknowledged, moment)
                acknowledged += more
                server.stop(signal: SIGKILL)
                server = try place.server(arguments)
                // What is in files is found there only if a snapshot counts on it.
                if sealing, cycle % 5 == 2 {
                    _ = try Connection(to: server.endpoint).requests([#"{"op":"snapshot"}"#])
                }
                let found = try Fixture.points(at: server.endpoint)
                #expect(found >= acknowledged, "cycle \(cycle), \(moment): acknowledged actions are missing")
                #expect(found <= acknowledged + inFlight, "cycle \(cycle), \(moment): actions from nowhere")
            }
            try everyActionIsADuplicate(acknowledged, at: server.endpoint)
            #expect(server.stop() == 0)
            let files = try Shell.run("ls \(place.path)/data/ids | grep -c '[.]ids$'").output
            #expect((Int(files.prefix { $0.isNumber }) ?? 0 > 3) == sealing)
            let verified = try place.verify()
            #expect(verified["ok"]?.boolean == true)
            #expect(verified["members"]?.integer == 8)
        }
    }

    /// Streams purchases until the server is gone; returns how many were acknowledged, and how many were in flight.
    private func streamUntilKilled(
        _ server: ServerProcess, from first: Int, _ moment: Moment
    ) throws -> (acknowledged: Int, inFlight: Int) {
        var options = Sender.Options()
        options.retrySeconds = 0
        let sender = Sender(to: server.endpoint, options: options)
        try sender.connect()
        var lost = 0
        sender.onDisconnect = { _, inFlight in lost = inFlight }
        switch moment {
        case .acknowledged(let count):
            sender.onProgress = { totals in
                if totals.acknowledged >= count { kill(server.process, SIGKILL) }
            }
        case .milliseconds(let count):
            let now = monotonicNanoseconds()
            sender.onProgress = { _ in
                if monotonicNanoseconds() - now > Int64(count) * 1_000_000 { kill(server.process, SIGKILL) }
            }
        }
        do throws(ClientError) {
            var number = first
            while true {
                try sender.send(Fixture.purchase(number))
                number += 1
            }
        } catch {
            #expect(error.code == .disconnected)
        }
        return (sender.totals.acknowledged, lost)
    }

    private func everyActionIsADuplicate(_ count: Int, at endpoint: Endpoint) throws {
        let sender = Sender(to: endpoint)
        try sender.connect()
        for number in 0..<count { try sender.send(Fixture.purchase(number)) }
        try sender.finish()
        #expect(sender.totals.duplicates == count)
        #expect(sender.totals.refused == 0)
    }

    @Test func aStreamLivesThroughAKillOfItsServer() throws {
        try Place.with { place in
            let first = try place.server()
            try Fixture.apply(to: first.endpoint)
            let sender = Sender(to: first.endpoint)
            try sender.connect()
            var second: ServerProcess?
            sender.onDisconnect = { _, _ in
                second = try? ServerProcess(
                    executable: Binary.path, directory: place.path + "/data", logPath: place.path + "/server.log",
                    port: first.endpoint.port)
            }
            for number in 0..<20_000 {
                if number == 10_000 { first.stop(signal: SIGKILL) }
                try sender.send(Fixture.purchase(number))
            }
            try sender.finish()
            #expect(sender.totals.acknowledged == 20_000)
            #expect(sender.totals.reconnects == 1)
            #expect(try Fixture.points(at: first.endpoint) == 20_000)
            #expect(second?.stop() == 0)
        }
    }
}
