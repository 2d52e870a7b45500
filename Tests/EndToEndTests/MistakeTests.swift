import Glibc
import GuerdonBench
import GuerdonClient
import Testing

/// What a new user does wrong: every message says what, where and what to do, and no exit status is 0.
struct MistakeTests {
    /// Arguments below a place, the exit status and what the message must say.
    private static let mistakes: [([String], CInt, [String])] = [
        (["serve", "--bogus"], 64, ["--bogus", "serve --help"]),
        (["serv"], 64, ["serv", "--help"]),
        (["serve", "--port", "99999"], 64, ["--port", "65535", "guerdon serve --help"]),
        (["serve", "--data", "@/nowhere", "--port", "0"], 1, ["@/nowhere", "--init"]),
        (["serve", "--data", "@/empty", "--port", "0"], 1, ["@/empty", "--init"]),
        (["serve", "--data", "@/file", "--port", "0"], 1, ["@/file", "not a file"]),
        (["serve", "--data", "@/file", "--init", "--port", "0"], 1, ["@/file", "not a file"]),
        (["serve", "--data", "@/full", "--init", "--port", "0"], 1, ["@/full", "something"]),
        (["serve", "--config", "@/nothing.json"], 64, ["@/nothing.json", "No such file", "guerdon serve --help"]),
        (["serve", "--config", "@/empty"], 64, ["@/empty", "directory"]),
        (["serve", "--config", "@/file"], 64, ["@/file", "JSON"]),
        (["top", "b", "--limit", "0"], 64, ["--limit", "1000"]),
        (["member", "m", "--limit", "1001"], 64, ["--limit", "1000"]),
        (["top", "b", "--port", "1"], 1, ["127.0.0.1:1", "guerdon serve"]),
        (["member", "m", "--port", "1"], 1, ["127.0.0.1:1", "guerdon serve"]),
        (["snapshot", "--port", "1"], 1, ["127.0.0.1:1", "guerdon serve"]),
        (["send", "--port", "1", "--retry", "0"], 1, ["127.0.0.1:1", "guerdon serve"]),
        (["bench", "--port", "1", "--seconds", "1"], 1, ["127.0.0.1:1", "guerdon serve"]),
        (["bench", "--data", "@/file", "--seconds", "1"], 1, ["@/file", "not a directory"]),
        (["top", "b", "--host", "no.such.invalid"], 1, ["no.such.invalid", "--host"]),
        (["verify", "--data", "@/nowhere"], 1, ["@/nowhere"]), (["verify", "--data", "@/file"], 1, ["@/file"]),
        (["verify", "--data", "@/full"], 1, ["@/full", "no ledger"]),
        (["wal", "cat", "--data", "@/full"], 1, ["@/full", "no ledger"]),
        (["wal", "cat", "--data", "@/nowhere"], 1, ["@/nowhere"]),
        (["snapshot", "--data", "@/nowhere"], 1, ["@/nowhere"]), (["cel", "eval"], 64, ["--expr"]),
    ]

    @Test(arguments: mistakes.indices) func aMistakeIsExplained(number: Int) throws {
        let (arguments, status, words) = Self.mistakes[number]
        try Place.with { place in
            try place.write("{broken", to: "file")
            _ = try Shell.run("mkdir \(place.path)/empty \(place.path)/full && touch \(place.path)/full/something")
            func absolute(_ text: String) -> String { text.replacing("@", with: place.path) }
            let result = try Binary.run(arguments.map(absolute))
            #expect(result.status == status, "\(arguments): \(result.error)")
            #expect(result.output.isEmpty)
            for word in words { #expect(result.error.contains(absolute(word)), "\(arguments): \(result.error)") }
            #expect(!result.error.contains("ptr:") && !result.error.contains("Optional("))
        }
    }

    @Test func withJSONEveryFailureIsOneObject() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            try place.write("", to: "file")
            let port = ["--port", String(server.endpoint.port)]
            let data = ["--data", place.path + "/data"]
            let failures: [([String], String)] = [
                (["top", "nothing"] + port, "unknown_board"), (["member", "nobody"] + port, "unknown_member"),
                (["top", "alltime", "--workspace", "nowhere"] + port, "unknown_workspace"),
                (["send", place.path + "/nothing"] + port, "io_error"), (["top", "x", "--port", "1"], "unreachable"),
                (["verify"] + data, "directory_locked"), (["wal", "cat"] + data, "directory_locked"),
                (["snapshot"] + data, "directory_locked"),
                (["verify", "--data", place.path + "/file"], "not_directory"),
            ]
            for (arguments, code) in failures {
                let result = try Binary.run(arguments + ["--json"])
                #expect(result.status == 1)
                let json = try JSONValue.parse(result.output)
                #expect(json["ok"]?.boolean == false)
                #expect(json["error"]?["code"]?.text == code, "\(arguments): \(result.output)")
                #expect(!result.error.isEmpty)
            }
            for arguments in [["top", "alltime"], ["member", "m0"], ["snapshot"]] {
                let result = try Binary.run(arguments + ["--json"] + port)
                #expect(result.status == 0)
                #expect(throws: Never.self) { try JSONValue.parse(result.output) }
            }
        }
    }

    @Test func refusedLinesAreFoundInTheirFiles() throws {
        try Place.with { place in
            let server = try place.server()
            try place.write("\n{\"op\":\"ping\"}\n\n{broken\n", to: "a.ndjson")
            try place.write("{\"op\":\"ping\"}\nbroken, too", to: "b.ndjson")
            let files = ["a.ndjson", "b.ndjson"].map { place.path + "/" + $0 }
            let result = try Binary.run(["send", "--port", String(server.endpoint.port)] + files)
            #expect(result.status == 1)
            #expect(result.error.contains(files[0] + ":4: bad_json"), "\(result.error)")
            #expect(result.error.contains(files[1] + ":2: bad_json"), "\(result.error)")
        }
    }

    @Test func aPortInUseIsToldInWords() throws {
        try Place.with { place in
            let server = try place.server()
            let result = try Binary.run([
                "serve", "--data", place.path + "/other", "--init", "--port", String(server.endpoint.port),
            ])
            #expect(result.status == 1)
            #expect(result.error.contains(": Address already in use. Choose another --port"), "\(result.error)")
        }
    }

    @Test func damageOfTheLogIsToldWithFileAndOffset() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            _ = try Connection(to: server.endpoint).request(#"{"op":"snapshot"}"#)
            #expect(server.stop() == 0)
            _ = try Shell.run("printf garbage | dd of=$(ls \(place.path)/data/wal/*.wal) bs=1 seek=200 conv=notrunc")
            for command in ["wal cat", "verify", "serve --port 0"] {
                let words = command.split(separator: " ").map(String.init)
                let result = try Binary.run(words + ["--data", place.path + "/data"])
                #expect(result.status == 1, "\(command)")
                #expect(result.error.contains(".wal, offset "), "\(command): \(result.error)")
            }
        }
    }

    @Test func coloursAreForTerminalsThatWantThem() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            _ = try Connection(to: server.endpoint).request(Fixture.purchase(1))
            let port = server.endpoint.port
            let piped = try Binary.run(["top", "alltime", "--port", String(port)])
            #expect(!piped.output.contains("\u{1B}"))
            // `script` gives the command a terminal.
            let command = "script -qec '\"$GUERDON\" top alltime --port \(port)' /dev/null"
            let shown = try Shell.run("export GUERDON\nunset NO_COLOR\n" + command, environment: ["TERM": "xterm"])
            guard shown.status == 0 else { return }
            #expect(shown.output.contains("\u{1B}[1m"))
            let plain = try Shell.run("export GUERDON NO_COLOR=1\n" + command, environment: ["TERM": "xterm"])
            #expect(!plain.output.contains("\u{1B}"))
        }
    }
}
