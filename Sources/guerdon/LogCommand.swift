import ArgumentParser

struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wal",
        abstract: "Look into the write-ahead log.",
        subcommands: [CatCommand.self])

    struct CatCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cat",
            abstract: "Print the log, one command a line.",
            discussion: """
                The directory must not be in use.

                Examples:
                  guerdon wal cat --data guerdon-data
                  guerdon wal cat --data guerdon-data --from 1000 --json | head
                """)

        @Option(help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
        var data: String

        @Option(help: ArgumentHelp("The first sequence number to print.", valueName: "seq"))
        var from: UInt64 = 1

        @OptionGroup var output: OutputOptions

        func run() throws {
            try run(reporting: "wal cat", json: output.json) {
                var pending = ""
                var isEmpty = true
                try operations.readLog(directory: data, from: from) { sequence, json in
                    isEmpty = false
                    pending += output.json ? json : "\(sequence)  \(json)"
                    pending += "\n"
                    if pending.utf8.count > 64 << 10 {
                        Terminal.output.write(pending)
                        pending = ""
                    }
                }
                Terminal.output.write(pending)
                if isEmpty { Terminal.error.line("guerdon wal cat: the log holds nothing from \(from) on") }
            }
        }
    }
}
