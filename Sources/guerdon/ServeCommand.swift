import ArgumentParser
import Glibc

struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the server on a data directory.",
        discussion: """
            Prints "guerdon: ready on HOST:PORT" on standard error when it answers. SIGTERM or Ctrl-C drains and stops.

            Examples:
              guerdon serve
              guerdon serve --data /var/lib/guerdon --init --port 7450
              GUERDON_PORT=8000 guerdon serve --config guerdon.json

            Every setting can also come from the environment (GUERDON_LINE_TIMEOUT, …) or from the file of --config, one \
            JSON object: {"data": "/var/lib/guerdon", "port": 7450, "shards": 2, "lineTimeout": 60, "replyTimeout": 60}
            """)

    @Option(
        help: ArgumentHelp("The data directory (default: \(ServeSettings.defaultData)).", valueName: "dir"),
        completion: .directory)
    var data: String?

    @Flag(name: .customLong("init"), help: "Make the data directory if it does not exist.")
    var initialize = false

    @Option(help: ArgumentHelp("The port; 0 lets the system choose (default: 7450).", valueName: "n"))
    var port: Int?

    @Option(help: ArgumentHelp("The address to listen on (default: 127.0.0.1).", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("How many shards evaluate, a power of two (default: 1).", valueName: "n"))
    var shards: Int?

    @Option(
        help: ArgumentHelp(
            "External ids that stay in memory before they move to a file (default: 4194304).", valueName: "n"))
    var idsPerGeneration: Int?

    @Option(
        help: ArgumentHelp(
            "Close a connection whose line is unfinished for so long; 0 for never (default: 60).",
            valueName: "seconds"))
    var lineTimeout: Int?

    @Option(
        help: ArgumentHelp(
            "Close a connection that leaves its replies unread for so long; 0 for never (default: 60).",
            valueName: "seconds"))
    var replyTimeout: Int?

    @Option(
        help: ArgumentHelp("A file with settings, one JSON object.", valueName: "file"),
        completion: .file(extensions: ["json"]))
    var config: String?

    func run() throws {
        let flags = ServeSettings.Flags(
            data: data, initialize: initialize, host: host, port: port, shards: shards,
            idsPerGeneration: idsPerGeneration, lineTimeout: lineTimeout, replyTimeout: replyTimeout, config: config)
        try run(reporting: "serve") {
            let settings = try ServeSettings(flags, environment: environmentVariable, readFile: readFile)
            try operations.serve(settings) { host, port in
                Terminal.error.line("guerdon: ready on \(host):\(port)")
            }
        }
    }
}

/// The text of a file.
///
/// - Throws: `ValidationError` with the path and the reason.
func readFile(_ path: String) throws -> String {
    guard let file = fopen(path, "r") else {
        throw ValidationError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        guard count > 0 else {
            // A directory opens, and cannot be read.
            guard ferror(file) == 0 else {
                throw ValidationError("cannot read \(path): \(String(cString: strerror(errno)))")
            }
            return String(decoding: bytes, as: UTF8.self)
        }
        bytes.append(contentsOf: chunk[..<count])
    }
}
