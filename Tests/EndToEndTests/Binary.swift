import Glibc
import GuerdonBench
import GuerdonClient
import TestSupport

/// The `guerdon` that was built with the tests.
enum Binary {
    /// Its path: beside the test bundle, or what GUERDON_BINARY names.
    static let path: String = {
        if let named = getenv("GUERDON_BINARY") { return String(cString: named) }
        // The test runner is told the bundle's path; the products lie beside it.
        let bundle = CommandLine.arguments.first { $0.contains(".xctest") } ?? CommandLine.arguments[0]
        let products = bundle.split(separator: "/", omittingEmptySubsequences: false).prefix {
            !$0.hasSuffix(".xctest")
        }
        return products.joined(separator: "/") + "/guerdon"
    }()

    /// What a command printed, and how it ended.
    struct Result {
        var status: CInt
        var output: String
        var error: String
    }

    /// Runs `guerdon` to its end.
    static func run(_ arguments: [String], input: String = "", environment: [String: String] = [:]) throws -> Result {
        try Shell.run(
            "exec \"$GUERDON\" \(arguments.map(Shell.quoted).joined(separator: " "))", input: input,
            environment: environment)
    }
}

/// Short shell scripts with `guerdon` in reach.
enum Shell {
    /// Runs a script with bash.
    static func run(_ script: String, input: String = "", environment: [String: String] = [:]) throws -> Binary.Result {
        try Place.with { place in
            try place.write(input, to: "input")
            let exports = environment.map { "export \($0.key)=\(quoted($0.value))\n" }.joined()
            let directory = Binary.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            try place.write(
                "GUERDON=\(quoted(Binary.path))\nPATH=\(quoted(directory.joined(separator: "/"))):$PATH\n"
                    + exports + script, to: "script")
            let command =
                "timeout -k 5 300 bash \(place.path)/script <\(place.path)/input >\(place.path)/output 2>\(place.path)/error"
            let status = system(command)
            return Binary.Result(
                status: status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + status & 0x7F,
                output: try place.read("output"), error: try place.read("error"))
        }
    }

    static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}

/// A directory for one test, removed behind it.
final class Place {
    private let directory: TemporaryDirectory
    var path: String { directory.path }

    /// On a disk, which `/tmp` may not be.
    private init() throws { directory = try TemporaryDirectory(in: "/var/tmp") }

    static func with<Result>(_ body: (Place) throws -> Result) throws -> Result {
        let place = try Place()
        return try withExtendedLifetime(place) { try body(place) }
    }

    func write(_ text: String, to name: String) throws {
        guard let file = fopen(path + "/" + name, "w") else { throw ClientError(.inputOutput, "cannot write \(name)") }
        fputs(text, file)
        fclose(file)
    }

    func read(_ name: String) throws -> String { try readWhole(path + "/" + name) }

    /// Starts a server on `data` below this place.
    func server(_ arguments: [String] = []) throws -> ServerProcess {
        try ServerProcess(
            executable: Binary.path, directory: path + "/data", arguments: arguments, logPath: path + "/server.log")
    }

    /// Replays the stopped data directory; the parsed JSON of `guerdon verify`.
    func verify() throws -> JSONValue {
        let result = try Binary.run(["verify", "--data", path + "/data", "--json"])
        guard result.status == 0 else { throw ClientError(.inputOutput, "verify: \(result.error)\(result.output)") }
        return try JSONValue.parse(result.output)
    }
}

/// The whole text of a file.
func readWhole(_ path: String) throws -> String {
    guard let file = fopen(path, "r") else { throw ClientError(.inputOutput, "cannot read \(path)") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
        bytes.append(contentsOf: chunk[..<count])
    }
}

/// The commands that a test begins with: points for purchases, a commission, a board, and members m0 to m7.
enum Fixture {
    static let setup =
        [
            #"{"op":"currency.put","currency":"PTS","kind":"points"}"#,
            #"{"op":"currency.put","currency":"USD","kind":"money","scale":2}"#,
            #"{"op":"plan.put","plan":{"plan":"shop","bonuses":["#
                + #"{"bonus":"points","when":"action.type == 'purchase'","#
                + #""rewards":[{"to":"performer","currency":"PTS","per":"1.00","amount":"1"}]},"#
                + #"{"bonus":"referral","rewards":[{"to":"upline","currency":"USD","levels":[{"rate":"5%"}]}]}]}}"#,
            #"{"op":"board.put","board":"alltime","score":{"currency":"PTS"},"period":"all"}"#,
            #"{"op":"member.put","member":"m0"}"#,
        ] + (1..<8).map { #"{"op":"member.put","member":"m\#($0)","referrer":"m0"}"# }

    /// Purchase number n, by member m(n mod 8), worth 1.00.
    static func purchase(_ number: Int) -> String {
        #"{"op":"action","externalId":"order-\#(number)","performer":"m\#(number % 8)","type":"purchase","#
            + #""value":"1.00","currency":"USD","at":"2026-11-01T10:00:00Z"}"#
    }

    static func apply(to endpoint: Endpoint) throws {
        let connection = try Connection(to: endpoint)
        for line in setup { _ = try connection.request(line) }
    }

    /// The points of all members: the number of purchases that were applied.
    static func points(at endpoint: Endpoint) throws -> Int {
        let connection = try Connection(to: endpoint)
        return try (0..<8).reduce(0) { sum, member in
            let wallet = try connection.request(#"{"op":"wallet","member":"m\#(member)"}"#)
            let points = wallet["balances"]?.elements.first { $0["currency"]?.text == "PTS" }
            return sum + (points?["available"]?.integer ?? 0)
        }
    }
}
