import ArgumentParser
import GuerdonClient
import Testing

@testable import guerdon

struct ServeSettingsTests {
    private func settings(
        _ flags: ServeSettings.Flags = .init(), environment: [String: String] = [:], file: String = "{}"
    ) throws -> ServeSettings {
        try ServeSettings(flags, environment: { environment[$0] }, readFile: { _ in file })
    }

    @Test func withoutAnythingTheDefaultsHoldAndTheDirectoryIsMade() throws {
        let settings = try settings()
        #expect(settings.port == 7450)
        #expect(settings.host == "127.0.0.1")
        #expect(settings.data == ServeSettings.defaultData)
        #expect(settings.createsData)
        #expect(settings.shards == nil)
    }

    @Test func flagsWinOverTheEnvironmentAndThatOverTheFile() throws {
        let file = #"{"port": 1, "host": "file", "data": "/file", "shards": 3, "idsPerGeneration": 500}"#
        let environment = ["GUERDON_PORT": "2", "GUERDON_HOST": "environment", "GUERDON_CONFIG": "x.json"]
        let settings = try settings(.init(port: 3), environment: environment, file: file)
        #expect(settings.port == 3)
        #expect(settings.host == "environment")
        #expect(settings.data == "/file")
        #expect(settings.shards == 3)
        #expect(settings.idsPerGeneration == 500)
    }

    @Test func timeoutsHaveTheirOwnNamesInEachSource() throws {
        #expect(try settings().lineTimeout == 60 && settings().replyTimeout == 60)
        let file = #"{"lineTimeout": 5, "replyTimeout": 6}"#
        let environment = ["GUERDON_REPLY_TIMEOUT": "7", "GUERDON_CONFIG": "x.json"]
        let settings = try settings(environment: environment, file: file)
        #expect(settings.lineTimeout == 5 && settings.replyTimeout == 7)
        #expect(try self.settings(.init(lineTimeout: 0), environment: environment, file: file).lineTimeout == 0)
    }

    @Test func aNamedDirectoryIsMadeOnlyWhenAskedFor() throws {
        #expect(try !settings(.init(data: "/somewhere")).createsData)
        #expect(try settings(.init(data: "/somewhere", initialize: true)).createsData)
    }

    @Test(arguments: [
        (#"{"prot": 1}"#, "prot"), (#"{"port": "x"}"#, "port"), (#"{"shards": 0}"#, "shards"),
        (#"{"idsPerGeneration": 99}"#, "idsPerGeneration"), ("[]", "JSON object"),
        ("port: 1", "JSON"), (#"{"port": true}"#, "port"),
    ])
    func mistakesInTheFileAreNamed(file: String, word: String) {
        do {
            _ = try settings(.init(config: "x.json"), file: file)
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(word))
            #expect("\(error)".contains("x.json"))
        }
    }

    @Test func aWrongVariableIsNamed() {
        do {
            _ = try settings(environment: ["GUERDON_PORT": "many"])
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains("GUERDON_PORT"))
        }
    }
}

struct PrintingTests {
    @Test func tablesAlignNumbersToTheRight() {
        var table = Table(.init("rank", .right), .init("member"), .init("score", .right))
        table.add("1", "m9", "5120")
        table.add("10", "żółw", "7")
        let lines = table.lines(for: .error).map { $0.split(separator: "\u{1B}[0m").joined() }
        #expect(lines.last == "  10  żółw        7")
        #expect(lines[1] == "   1  m9       5120")
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1_000, "1,000"), (69_659, "69,659"), (-1_234_567, "-1,234,567")])
    func countsAreGrouped(count: Int, text: String) {
        #expect(grouped(count) == text)
    }

    @Test func theProgressBarFitsItsShare() {
        let half = ProgressBar.text(title: "sending", fraction: 0.5, note: "10", columns: 80)
        #expect(half.contains("50 %"))
        #expect(half.count { $0 == "█" } == half.count { $0 == "░" })
        #expect(ProgressBar.text(title: "sending", fraction: nil, note: "10", columns: 80) == "sending  10")
        #expect(ProgressBar.text(title: "x", fraction: 7, note: "", columns: 10).contains("100 %"))
    }

    @Test func aStatementLineTellsItsReason() throws {
        let entry = try JSONValue.parse(
            #"{"kind":"reward","plan":"loyalty","version":2,"bonus":"referral","level":1,"#
                + #""source":{"member":"m2","externalId":"order-1"},"description":null}"#)
        #expect(StatementReason.text(entry, of: "m1") == "loyalty v2: referral, level 1, from m2 by order-1")
        let spent = try JSONValue.parse(
            #"{"kind":"redemption","plan":null,"source":{"member":"m1","externalId":"spend-1"},"description":"mug"}"#)
        #expect(StatementReason.text(spent, of: "m1") == "redemption, by spend-1 (mug)")
    }

    @Test func verifyPrintsTheWiresNames() throws {
        let found = Verification(
            hash: "ab", sequence: 9, members: 2, actions: 3,
            invariants: [.init(name: "sums", holds: true), .init(name: "lots", holds: false, detail: "m1")],
            replayed: 9, replaySeconds: 0.5)
        let json = try JSONValue.parse(found.json)
        #expect(json.members.prefix(6).map(\.key) == ["ok", "hash", "seq", "members", "actions", "invariants"])
        #expect(json["ok"]?.boolean == false)
        #expect(json["invariants"]?.elements.last?["detail"]?.text == "m1")
    }
}

struct HelpTests {
    @Test(arguments: [
        ["serve"], ["send"], ["top"], ["member"], ["verify"], ["wal"], ["wal", "cat"], ["snapshot"], ["cel"],
        ["cel", "eval"], ["bench"],
    ])
    func everyCommandHasHelp(path: [String]) {
        do {
            var command = try Guerdon.parseAsRoot(path + ["--help"])
            try command.run()
            Issue.record("no help")
        } catch {
            let text = Guerdon.fullMessage(for: error)
            #expect(text.contains("USAGE: guerdon \(path.joined(separator: " "))"))
            #expect(["wal", "cel"].contains(path.last ?? "") || text.contains("Example"))
        }
    }
}
