import ArgumentParser
import GuerdonClient

struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Take a snapshot now, so that the next start has little to replay.",
        discussion: """
            Asks the running server; with --data it takes the snapshot of a directory that no server uses.

            Examples:
              guerdon snapshot
              guerdon snapshot --data guerdon-data
            """)

    @Option(help: ArgumentHelp("A data directory that is not in use.", valueName: "dir"), completion: .directory)
    var data: String?

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try run(reporting: "snapshot", json: output.json) {
            let sequence: String
            if let data {
                sequence = String(try operations.snapshot(directory: data))
            } else {
                sequence = try server.connect().request(#"{"op":"snapshot"}"#).shown("seq")
            }
            Terminal.output.line(
                output.json ? #"{"ok":true,"seq":\#(sequence)}"# : "snapshot taken at command \(sequence)")
        }
    }
}
