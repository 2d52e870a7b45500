import GuerdonClient
import Testing

@testable import GuerdonBench

struct ScoringJobTests {
    private let job = ScoringJob(seed: 7, members: 10_000, duplicates: 0.02)

    private func lines(_ source: some LineSource) -> [String] {
        var source = source
        var writer = LineWriter(capacity: 64 << 20)
        while source.writeNext(into: &writer) != nil {}
        let text = writer.withBytes(from: 0) { String(decoding: $0, as: UTF8.self) }
        return text.split(separator: "\n").map(String.init)
    }

    @Test func theStreamDependsOnSeedAlone() {
        let again = ScoringJob(seed: 7, members: 10_000, duplicates: 0.02)
        let other = ScoringJob(seed: 8, members: 10_000, duplicates: 0.02)
        let first = lines(ActionLines(job, from: 0, limit: 1_000, readRatio: 0))
        #expect(first == lines(ActionLines(again, from: 0, limit: 1_000, readRatio: 0)))
        #expect(first != lines(ActionLines(other, from: 0, limit: 1_000, readRatio: 0)))
        #expect(Array(first[500...]) == lines(ActionLines(job, from: 500, limit: 500, readRatio: 0)))
    }

    @Test func valuesAndPerformersStayInRange() {
        for number in UInt64(0)..<100_000 {
            let action = job.action(number)
            #expect(action.cents >= 1 && action.cents <= 50_000)
            #expect(action.performer < 10_000)
        }
    }

    @Test func thePerformerIsTheLesserOfTwoDraws() {
        // The mean of the lesser of two uniform draws is a third.
        let sum = (UInt64(0)..<100_000).reduce(UInt64(0)) { $0 + job.action($1).performer }
        let mean = Double(sum) / 100_000 / 10_000
        #expect(abs(mean - 1.0 / 3) < 0.01)
    }

    @Test func duplicatesAreEarlierActionsInTheAskedShare() {
        var seen: Set<UInt64> = []
        var duplicates = 0
        for position in UInt64(0)..<100_000 {
            let number = job.number(at: position)
            if number == position {
                #expect(seen.insert(number).inserted)
            } else {
                #expect(seen.contains(number))
                duplicates += 1
            }
        }
        let share = Double(duplicates) / 100_000
        #expect(abs(share - 0.02) < 0.003)
    }

    @Test func aResentActionHasTheSameContent() {
        let all = lines(ActionLines(job, from: 0, limit: 20_000, readRatio: 0))
        var byID: [String: String] = [:]
        var resent = 0
        for line in all {
            let id = (try? JSONValue.parse(line))?["externalId"]?.text ?? ""
            if let earlier = byID.updateValue(line, forKey: id) {
                #expect(earlier == line)
                resent += 1
            }
        }
        #expect(resent > 300)
    }

    @Test func everyLineIsWellFormed() throws {
        for line in lines(ActionLines(job, from: 1 << 40, limit: 2_000, readRatio: 0.3)) {
            let value = try JSONValue.parse(line)
            #expect(line.utf8.count < ScoringJob.lineBytesMax)
            #expect(["action", "board.rank", "wallet"].contains(value["op"]?.text))
        }
    }

    @Test(arguments: [(0, 1), (3, 1), (1, 2), (40, 100)])
    func theSetupHasItsPlansAndTheirLevels(levels: Int, plans: Int) throws {
        let setup = try ScoringJob.setupLines(levels: levels, plans: plans).map { try JSONValue.parse($0) }
        let found = setup.compactMap { $0["plan"] }
        #expect(found.count == plans)
        #expect(Set(found.map { $0["plan"]?.text }).count == plans)
        for (number, plan) in found.enumerated() {
            let bonuses = plan["bonuses"]?.elements ?? []
            let type = number == 0 ? "purchase" : "other-\(number)"
            #expect(bonuses.count == (levels == 0 ? 1 : 2))
            #expect(bonuses.allSatisfy { $0["when"]?.text == "action.type == '\(type)'" })
            let paid = bonuses.last?["rewards"]?.elements.first?["levels"]?.elements ?? []
            #expect(paid.count == levels)
            #expect(paid.prefix(4).map { $0["rate"]?.text } == ["5%", "3%", "1%", "1%"].prefix(levels).map { $0 })
        }
    }

    @Test(arguments: [5, 1, 3])
    func membersComeBehindTheirReferrer(fanout: Int) throws {
        let small = ScoringJob(seed: 1, members: 100, duplicates: 0, fanout: fanout)
        var known: Set<String> = []
        for (index, line) in lines(MemberLines(small)).enumerated() {
            let value = try JSONValue.parse(line)
            #expect(value["member"]?.text == "m\(index)")
            if index > 0 { #expect(value["referrer"]?.text == "m\((index - 1) / fanout)") }
            if let referrer = value["referrer"]?.text { #expect(known.contains(referrer)) }
            known.insert(value["member"]?.text ?? "")
        }
        #expect(known.count == 100)
    }

    @Test(arguments: [(UInt64(0), "0"), (9, "9"), (10, "10"), (1_234_567, "1234567"), (.max, "18446744073709551615")])
    func numbersAreWrittenInDecimal(number: UInt64, text: String) {
        var writer = LineWriter(capacity: 32)
        writer.number(number)
        #expect(writer.withBytes(from: 0) { String(decoding: $0, as: UTF8.self) } == text)
    }
}

struct LoadLoopTests {
    @Test(arguments: [(1, 1), (3, 7), (8, 512)])
    func everyActionIsAcknowledgedOnce(connections: Int, window: Int) throws {
        let server = FakeServer()
        defer { server.stop() }
        var options = BenchOptions()
        options.members = 50
        options.actions = 5_000
        options.connections = connections
        options.window = window
        options.endpoint = Endpoint(port: server.port)
        let report = try Bench(options).run()
        #expect(report.acknowledged == 5_000)
        #expect(report.refused == 0)
        let expected = server.state.lines.filter { $0.contains(#""action""#) }
        #expect(expected.count == 5_000)
        #expect(5_000 - server.state.externalIDs.count == report.duplicates)
        #expect(report.latency.p50 > 0 && report.latency.p50 <= report.latency.p999)
        let json = try JSONValue.parse(report.json)
        #expect(json["acked"]?.integer == 5_000)
        #expect(json["latencyMs"]?["p50"] != nil)
        #expect(json["snapshotPauseMs"] == .null)
    }

    @Test func readsAreCountedApart() throws {
        let server = FakeServer()
        defer { server.stop() }
        var options = BenchOptions()
        options.members = 50
        options.actions = 2_000
        options.readRatio = 0.5
        options.endpoint = Endpoint(port: server.port)
        let report = try Bench(options).run()
        #expect(report.acknowledged == 2_000)
        #expect(report.reads > 1_500 && report.reads < 2_500)
    }

    @Test func theTimeLimitHolds() throws {
        let server = FakeServer()
        defer { server.stop() }
        var options = BenchOptions()
        options.members = 10
        options.seconds = 0.2
        options.endpoint = Endpoint(port: server.port)
        let report = try Bench(options).run()
        #expect(report.seconds >= 0.2 && report.seconds < 5)
        #expect(report.acknowledged > 0)
    }

    @Test(arguments: [
        "--members", "--window", "--connections", "--duplicates", "--read-ratio", "--seconds", "--actions",
        "--rate", "--levels", "--plans", "--fanout",
    ])
    func optionsOutOfRangeAreNamed(option: String) {
        var options = BenchOptions()
        switch option {
        case "--members": options.members = 0
        case "--window": options.window = 0
        case "--connections": options.connections = 0
        case "--duplicates": options.duplicates = 1
        case "--read-ratio": options.readRatio = -0.1
        case "--seconds": options.seconds = 0
        case "--rate": options.rate = 0
        case "--levels": options.levels = 101
        case "--plans": options.plans = 0
        case "--fanout": options.fanout = 0
        default: options.actions = 0
        }
        #expect(options.complaint?.contains(option) == true)
    }
}
