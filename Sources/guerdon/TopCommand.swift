import ArgumentParser
import GuerdonClient

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Show the top of a leaderboard.",
        discussion: """
            Examples:
              guerdon top monthly
              guerdon top monthly --period 1997-03 --limit 3
              guerdon top monthly --json
            """)

    @Argument(help: "The board.")
    var board: String

    @Option(help: ArgumentHelp("The period, such as 2026-11 (default: the current one).", valueName: "period"))
    var period: String?

    @Option(help: ArgumentHelp("How many places, 1 to 1000.", valueName: "n"))
    var limit = 10

    func validate() throws { try checkRows(limit, "--limit") }

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try run(reporting: "top", json: output.json) {
            var request = [
                JSONMember("op", .string("board.top")), JSONMember("board", .string(board)),
                JSONMember("limit", .number(String(limit))),
            ]
            if let period { request.append(JSONMember("period", .string(period))) }
            let reply = try server.connect().request(JSONValue.object(request).description)
            if output.json { return Terminal.output.line(reply.description) }
            let total = reply["total"]?.integer ?? 0
            let title = "\(printable(board)) \(reply["period"]?.text ?? "")"
            let ends = reply["ends"]?.text.map { ", ends \($0)" } ?? ""
            Terminal.output.line("\(title): \(grouped(total)) \(total == 1 ? "member" : "members")\(ends)")
            var table = Table(.init("rank", .right), .init("member"), .init("score", .right))
            for entry in reply["entries"]?.elements ?? [] {
                table.add(entry.shown("rank"), entry.shown("member"), entry.shown("score"))
            }
            if !table.isEmpty { table.print() }
        }
    }
}

/// Refuses a number of rows that the server would refuse.
func checkRows(_ count: Int, _ flag: String) throws {
    guard (1...1000).contains(count) else { throw ValidationError("\(flag) must be 1 to 1000, not \(count)") }
}

extension JSONValue {
    /// A field as people read it; `-` where there is nothing.
    func shown(_ key: String) -> String {
        guard let value = self[key], value != .null else { return "-" }
        return printable(value.text ?? value.description)
    }
}
