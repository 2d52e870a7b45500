import ArgumentParser
import GuerdonBench
import GuerdonClient

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Replay a data directory, check every invariant, and print the hash of the state.",
        discussion: """
            The directory must not be in use. The hash depends on the logical state alone: not on shards, memory or \
            files. The exit status is 1 when an invariant is broken.

            Examples:
              guerdon verify --data guerdon-data
              guerdon verify --data /var/lib/guerdon --json
            """)

    @Option(help: ArgumentHelp("The data directory.", valueName: "dir"), completion: .directory)
    var data: String

    @OptionGroup var output: OutputOptions

    func run() throws {
        try run(reporting: "verify", json: output.json) {
            let bar = ProgressBar("replaying")
            let found = try operations.verify(directory: data) { bar.show(fraction: $0, note: "") }
            bar.clear()
            if output.json { Terminal.output.line(found.json) } else { printTable(found) }
            if !found.isFine { throw ExitCode(1) }
        }
    }

    private func printTable(_ found: Verification) {
        let terminal = Terminal.output
        terminal.line("state hash  \(found.hash)")
        terminal.line("commands    \(grouped(Int(clamping: found.sequence)))")
        terminal.line("members     \(grouped(found.members))")
        terminal.line("actions     \(grouped(found.actions))")
        if found.replaySeconds > 0 {
            let rate = Int(Double(found.replayed) / found.replaySeconds)
            terminal.line(
                "replayed    \(grouped(Int(clamping: found.replayed))) commands in "
                    + "\(fixed(found.replaySeconds, digits: 2)) s, \(grouped(rate)) a second")
        }
        for invariant in found.invariants {
            let mark = invariant.holds ? terminal.styled("holds ", .green) : terminal.styled("BROKEN", .red)
            terminal.line("\(mark)      \(invariant.name)\(invariant.detail.map { ": \($0)" } ?? "")")
        }
    }
}

extension Verification {
    /// The result as one line of JSON, under the names of the wire document.
    var json: String {
        JSONValue.object([
            JSONMember("ok", .bool(isFine)),
            JSONMember("hash", .string(hash)),
            JSONMember("seq", .number(String(sequence))),
            JSONMember("members", .number(String(members))),
            JSONMember("actions", .number(String(actions))),
            JSONMember(
                "invariants",
                .array(
                    invariants.map { invariant in
                        var members = [
                            JSONMember("name", .string(invariant.name)), JSONMember("ok", .bool(invariant.holds)),
                        ]
                        if let detail = invariant.detail { members.append(JSONMember("detail", .string(detail))) }
                        return .object(members)
                    })),
            JSONMember("replayed", .number(String(replayed))),
            JSONMember("replaySeconds", .number(fixed(replaySeconds, digits: 6))),
        ]).description
    }
}
