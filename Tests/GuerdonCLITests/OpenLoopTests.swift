import Glibc
import GuerdonClient
import Testing

@testable import GuerdonBench

struct OpenLoopTests {
    @Test(arguments: [1.0, 7, 1_000, 333_333, 1e8])
    func linesAreDueEvenlyAndCountedWhenTheyAreDue(rate: Double) {
        let schedule = Schedule(start: 1_000, rate: rate)
        #expect(schedule.count(by: 999) == 0)
        for number in [0, 1, 2, 3, 10, 999, 123_456] {
            let due = schedule.due(number)
            #expect(abs(Double(due - 1_000) - Double(number) * 1e9 / rate) <= 1)
            // Several lines may be due in the same nanosecond.
            #expect(schedule.count(by: due) >= number + 1)
            #expect(schedule.due(schedule.count(by: due) - 1) <= due)
            #expect(schedule.count(by: due - 1) <= number)
        }
    }

    private func options(_ server: FakeServer) -> BenchOptions {
        var options = BenchOptions()
        options.members = 10
        options.endpoint = Endpoint(port: server.port)
        return options
    }

    @Test func everyLineIsSentOnce() throws {
        let server = FakeServer()
        defer { server.stop() }
        var options = options(server)
        options.actions = 1_000
        options.connections = 3
        options.window = 5
        options.rate = 5_000
        options.readRatio = 0.2
        let report = try Bench(options).run()
        #expect(report.acknowledged == 1_000)
        #expect(server.state.lines.filter { $0.contains(#""action""#) }.count == 1_000)
        // 1,250 lines or so at 5,000 a second: the schedule holds the load back.
        #expect(report.seconds >= 0.15)
        #expect(try JSONValue.parse(report.json)["rate"]?.integer == 5_000)
    }

    /// The lines that a closed loop would not even have sent while the server stood still wait as well, and are counted.
    @Test func aPauseIsFeltByEveryLineThatWasDueMeanwhile() throws {
        func waited(rate: Double?) throws -> Int {
            let server = FakeServer(pause: (lines: 100, milliseconds: 400))
            defer { server.stop() }
            let loop = try LoadLoop(to: Endpoint(port: server.port), connections: 1, window: 4, acknowledgement: .each)
            var source = ActionLines(
                ScoringJob(seed: 1, members: 10, duplicates: 0), from: 0, limit: 1_000, readRatio: 0)
            let run = try loop.run(&source, rate: rate) { _, _ in false }
            #expect(run.counts.acknowledged == 1_000)
            // How many waited for more than a tenth of a second.
            return (0..<1_000).count { run.latencies.value(at: (Double($0) + 0.5) / 1_000) > 100_000_000 }
        }
        #expect(try waited(rate: 1_000) >= 200)
        #expect(try waited(rate: nil) >= 1)
    }

    @Test func whoFallsBehindIsTold() throws {
        let server = FakeServer(pause: (lines: 200, milliseconds: 2_000))
        defer { server.stop() }
        var options = options(server)
        options.connections = 1
        options.window = 10
        options.seconds = 0.3
        options.rate = 10_000
        let report = try Bench(options).run()
        #expect(report.fellBehind)
        #expect(report.unsent > 0)
        // What was never sent has waited for the second that it was given, and that is among the latencies.
        #expect(report.latency.max >= 1_000)
        #expect(try JSONValue.parse(report.json)["unsent"]?.integer == report.unsent)
    }

    @Test func aSeedThatTheServerHasHadIsRefusedWithAdvice() throws {
        let server = FakeServer()
        defer { server.stop() }
        var options = options(server)
        options.actions = 100
        _ = try Bench(options).run()
        let error = #expect(throws: ClientError.self) { _ = try Bench(options).run() }
        #expect(error?.message.contains("choose another --seed") == true)
        options.seed = 2
        #expect(try Bench(options).run().acknowledged == 100)
    }

    /// A refusal that answers no line, as a server sends to a connection too many, is told; it ended the program once.
    @Test(arguments: [1, 100]) func aRefusedConnectionIsToldWithItsReason(window: Int) throws {
        let server = FakeServer(connectionsMost: 2)
        defer { server.stop() }
        let loop = try LoadLoop(
            to: Endpoint(port: server.port), connections: 3, window: window, acknowledgement: .each)
        // Its answer is there before the first line is sent.
        usleep(100_000)
        for rate in [nil, 1_000.0] {
            var source = ActionLines(
                ScoringJob(seed: 1, members: 10, duplicates: 0), from: 0, limit: 1_000, readRatio: 0)
            let error = #expect(throws: ClientError.self) { try loop.run(&source, rate: rate) { _, _ in false } }
            #expect(error?.message.contains("overloaded: too many") == true, "\(String(describing: error))")
        }
    }
}
