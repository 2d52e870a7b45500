import Glibc
import GuerdonBench
import GuerdonClient
import Testing

struct CommandLineTests {
    private func port(_ server: ServerProcess) -> [String] { ["--port", String(server.endpoint.port)] }

    @Test func sendStreamsFilesAndStandardInput() throws {
        try Place.with { place in
            let server = try place.server()
            try place.write(Fixture.setup.joined(separator: "\n"), to: "setup.ndjson")
            try place.write((0..<500).map { Fixture.purchase($0) + "\n" }.joined(), to: "actions.ndjson")
            let files = ["setup.ndjson", "actions.ndjson"].map { place.path + "/" + $0 }
            let first = try Binary.run(["send", "--json"] + port(server) + files)
            #expect(first.status == 0, "\(first.error)")
            let totals = try JSONValue.parse(first.output)
            #expect(totals["acked"]?.integer == 500 + Fixture.setup.count)
            let input = (499..<501).map { Fixture.purchase($0) + "\n" }.joined()
            let second = try Binary.run(["send", "--json"] + port(server), input: input)
            #expect(try JSONValue.parse(second.output)["duplicates"]?.integer == 1)
            #expect(try Fixture.points(at: server.endpoint) == 501)
        }
    }

    @Test func aRefusedLineIsPrintedWithItsNumberAndEndsInOne() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            let unknown = #"{"op":"action","externalId":"x","performer":"nobody","type":"purchase","value":"1"}"#
            let input = [Fixture.purchase(1), unknown, "{", Fixture.purchase(2)].joined(separator: "\n")
            let result = try Binary.run(["send"] + port(server), input: input)
            #expect(result.status == 1)
            #expect(result.error.contains("line 2: unknown_member"))
            #expect(result.error.contains("line 3: bad_json"))
            #expect(try Fixture.points(at: server.endpoint) == 2)
        }
    }

    @Test func boardsAndMembersArePrintedForPeopleAndPrograms() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            let connection = try Connection(to: server.endpoint)
            for number in [1, 9, 17, 2] { _ = try connection.request(Fixture.purchase(number)) }
            let top = try Binary.run(["top", "alltime"] + port(server))
            #expect(top.output.contains("   1  m1          3\n"), "\(top.output)")
            let json = try Binary.run(["top", "alltime", "--json"] + port(server))
            #expect(try JSONValue.parse(json.output)["entries"]?.elements.count == 2)
            let member = try Binary.run(["member", "m0"] + port(server))
            #expect(member.output.contains("shop v1: referral, level 1, from m2 by order-2"), "\(member.output)")
            let none = try Binary.run(["member", "nobody"] + port(server))
            #expect(none.status == 1)
            #expect(none.error.contains("unknown_member"))
        }
    }

    @Test func theLogIsPrintedAsOneObjectACommand() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            _ = try Connection(to: server.endpoint).request(Fixture.purchase(1))
            #expect(server.stop() == 0)
            let log = try Binary.run(["wal", "cat", "--data", place.path + "/data", "--json"])
            #expect(log.status == 0, "\(log.error)")
            let commands = try log.output.split(separator: "\n").map { try JSONValue.parse($0) }
            #expect(commands.count == Fixture.setup.count + 1)
            #expect(commands.last?["externalId"]?.text == "order-1")
        }
    }

    @Test func aSnapshotIsTakenFromARunningAndFromAStoppedServer() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            let running = try Binary.run(["snapshot"] + port(server))
            #expect(running.status == 0, "\(running.error)")
            #expect(server.stop() == 0)
            let hash = try place.verify()["hash"]
            let stopped = try Binary.run(["snapshot", "--data", place.path + "/data", "--json"])
            #expect(stopped.status == 0, "\(stopped.error)")
            #expect(try place.verify()["hash"] == hash)
        }
    }

    @Test func benchMeasuresAServerOfItsOwn() throws {
        let result = try Binary.run([
            "bench", "--members", "200", "--actions", "2000", "--connections", "2", "--window", "32", "--json",
        ])
        #expect(result.status == 0, "\(result.error)")
        let report = try JSONValue.parse(result.output)
        #expect(report["acked"]?.integer == 2_000)
        #expect(report["invariantsHold"]?.boolean == true)
        for name in [
            "seconds", "actionsPerSecond", "serverCpuMicrosPerAction", "bytesPerMember", "logBytesPerAction",
            "replayPerSecond", "snapshotPauseMs",
        ] {
            #expect(report[name]?.text != nil, "\(name)")
        }
    }

    @Test func benchMayHaveARateAndDeepUplinesAndManyPlans() throws {
        let result = try Binary.run([
            "bench", "--members", "100", "--actions", "500", "--rate", "5000", "--levels", "40", "--fanout", "1",
            "--plans", "20", "--duplicates", "0", "--json",
        ])
        #expect(result.status == 0, "\(result.error)")
        let report = try JSONValue.parse(result.output)
        #expect(report["acked"]?.integer == 500)
        #expect(report["rate"]?.integer == 5_000)
        #expect(report["invariantsHold"]?.boolean == true)
    }

    @Test func benchPaysAsManyLevelsAsWereAskedFor() throws {
        try Place.with { place in
            let server = try place.server()
            let arguments = [
                "bench", "--members", "100", "--actions", "300", "--levels", "7", "--fanout", "1", "--duplicates", "0",
            ]
            let result = try Binary.run(arguments + port(server))
            #expect(result.status == 0, "\(result.error)")
            let connection = try Connection(to: server.endpoint)
            let deepest = try (0..<300).map { number in
                let rewards = try connection.request(#"{"op":"explain","externalId":"s1-\#(number)"}"#)["rewards"]
                return rewards?.elements.compactMap { $0["level"]?.integer }.max() ?? 0
            }
            #expect(deepest.max() == 7)
            // The same actions again would be duplicates, and measure something else.
            let again = try Binary.run(arguments + port(server))
            #expect(again.status == 1)
            #expect(again.error.contains("choose another --seed"), "\(again.error)")
        }
    }

    @Test func benchMayMixReadsAndAcknowledgeCumulatively() throws {
        let result = try Binary.run([
            "bench", "--members", "200", "--actions", "2000", "--read-ratio", "0.3", "--ack", "cumulative", "--json",
        ])
        #expect(result.status == 0, "\(result.error)")
        let report = try JSONValue.parse(result.output)
        #expect(report["acked"]?.integer == 2_000)
        #expect((report["reads"]?.integer ?? 0) > 500)
    }

    @Test(arguments: [
        (["cel", "eval", "--expr", "1 + 2"], CInt(0), #"{"type":"int","value":"3"}"#),
        (["cel", "eval", "--expr", "x > 2", "--vars", #"{"x":{"type":"int","value":"3"}}"#], 0, #""value":true"#),
        (["cel", "eval", "--expr", "1 / 0"], 1, #""error":"#),
        (["cel", "eval", "--expr", "1 +"], 2, #""invalid":"syntax""#),
    ])
    func anExpressionIsEvaluated(arguments: [String], status: CInt, output: String) throws {
        let result = try Binary.run(arguments)
        #expect(result.status == status)
        #expect(result.output.contains(output))
    }
}

/// The examples of README.md, run as they stand there.
struct ReadmeTests {
    /// The root of the repository: this file lies in Tests/EndToEndTests.
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/")

    @Test func theExampleOfTheReadmeRuns() throws {
        let readme = try readWhole(Self.root + "/README.md")
        let blocks = readme.components(between: "```sh\n", and: "```")
        let example = try #require(blocks.first { $0.contains("guerdon send") })
        try Place.with { place in
            let server = try place.server()
            let result = try Shell.run(
                "set -e\n" + example, environment: ["GUERDON_PORT": String(server.endpoint.port)])
            #expect(result.status == 0, "\(result.error)")
            #expect(result.output.contains("loyalty v1: referral, level 1, from bob by order-1"), "\(result.output)")
        }
    }
}

extension String {
    /// The texts between each `start` and the next `end`.
    fileprivate func components(between start: String, and end: String) -> [String] {
        var found: [String] = []
        var rest = self[...]
        while let open = rest.firstRange(of: start) {
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: end) else { break }
            found.append(String(rest[..<close.lowerBound]))
            rest = rest[close.upperBound...]
        }
        return found
    }
}
