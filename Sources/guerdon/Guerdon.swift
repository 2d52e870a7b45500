import ArgumentParser

/// The command line: every command parses its arguments, calls one library, and prints.
@main
struct Guerdon: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "guerdon",
        abstract: "A rewards engine: exact points, commissions and ranks for every action, once, and never lost.",
        discussion: """
            Start a server, stream actions into it, look at the result:

              guerdon serve
              guerdon send actions.ndjson
              guerdon top monthly
              guerdon member m2

            Settings come from flags, then from the environment (GUERDON_PORT, GUERDON_HOST, …), then from the file \
            named by --config.
            """,
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, SendCommand.self, TopCommand.self, MemberCommand.self, VerifyCommand.self,
            LogCommand.self, SnapshotCommand.self, CELCommand.self, BenchCommand.self,
        ])
}
