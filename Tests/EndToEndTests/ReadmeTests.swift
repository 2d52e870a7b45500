import GuerdonBench
import GuerdonClient
import Testing

/// What the README tells people to type works as it stands there.
struct ReadmeTests {
    private static func readme() throws -> String {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return try readWhole(here.joined(separator: "/") + "/README.md")
    }

    /// The blocks of shell commands.
    private static func shellBlocks() throws -> [String] {
        try readme().split(separator: "```sh\n").dropFirst().compactMap { block in
            block.split(separator: "```", maxSplits: 1, omittingEmptySubsequences: false).first.map(String.init)
        }
    }

    @Test func theShellExamplesRun() throws {
        let blocks = try Self.shellBlocks()
        #expect(!blocks.isEmpty)
        try Place.with { place in
            let server = try place.server()
            for block in blocks {
                let result = try Shell.run(
                    "set -euo pipefail\n" + block, environment: ["GUERDON_PORT": String(server.endpoint.port)])
                #expect(result.status == 0, "\(block)\n\(result.error)")
            }
            // Twelve whole euros for Bob, and five per cent of them for Ada who invited him.
            let connection = try Connection(to: server.endpoint)
            func balance(_ member: String) throws -> String? {
                let wallet = try connection.request(#"{"op":"wallet","member":"\#(member)"}"#)
                return wallet["balances"]?.elements.first.flatMap { balance in
                    (balance["available"]?.text ?? "") + " " + (balance["currency"]?.text ?? "")
                }
            }
            #expect(try balance("bob") == "12 PTS")
            #expect(try balance("ada") == "0.62 EUR")
            #expect(server.stop() == 0)
        }
    }

    @Test func everyCommandThatItNamesExists() throws {
        let rows = try Self.readme().split(separator: "\n").filter { $0.hasPrefix("| `guerdon ") }
        let names = rows.flatMap { row in
            row.split(separator: "|")[0].split(separator: "`").map { $0.replacing("guerdon ", with: "") }
                .filter { !$0.allSatisfy { " ,".contains($0) } }
        }
        #expect(names.contains("serve") && names.contains("wal cat") && names.count >= 8)
        for name in names {
            let result = try Binary.run(name.split(separator: " ").map(String.init) + ["--help"])
            #expect(result.status == 0, "guerdon \(name)")
        }
    }
}
