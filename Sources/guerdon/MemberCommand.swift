import ArgumentParser
import GuerdonClient

struct MemberCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member",
        abstract: "Show a member: profile, wallet, and the statement with the reason of each line.",
        discussion: """
            Examples:
              guerdon member m2
              guerdon member m2 --currency PTS --limit 50
              guerdon member m2 --json
            """)

    @Argument(help: "The member's id.")
    var member: String

    @Option(help: ArgumentHelp("Only statement lines in this currency.", valueName: "code"))
    var currency: String?

    @Option(help: ArgumentHelp("How many statement lines, 1 to 1000.", valueName: "n"))
    var limit = 20

    func validate() throws { try checkRows(limit, "--limit") }

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        try run(reporting: "member", json: output.json) {
            let connection = try server.connect()
            let who = JSONMember("member", .string(member))
            func ask(_ operation: String, _ more: JSONMember...) throws -> JSONValue {
                let members = [JSONMember("op", .string(operation)), who] + more
                return try connection.request(JSONValue.object(members).description)
            }
            let profile = try ask("member.get")
            let wallet = try ask("wallet", JSONMember("lots", .bool(true)))
            var filter = [JSONMember("limit", .number(String(limit)))]
            if let currency { filter.append(JSONMember("currency", .string(currency))) }
            let statement = try connection.request(
                JSONValue.object([JSONMember("op", .string("statement")), who] + filter).description)
            if output.json {
                let all = JSONValue.object([
                    JSONMember("profile", profile), JSONMember("wallet", wallet), JSONMember("statement", statement),
                ])
                return Terminal.output.line(all.description)
            }
            printProfile(profile)
            printWallet(wallet)
            printStatement(statement)
        }
    }

    private func printProfile(_ profile: JSONValue) {
        let terminal = Terminal.output
        terminal.line(terminal.styled("member \(profile.shown("member"))", .bold))
        for member in profile.members where !["id", "ok", "seq", "member"].contains(member.key) {
            guard member.value != .null,
                member.value.elements.count + member.value.members.count > 0
                    || member.value.text != nil || member.value.boolean != nil
            else { continue }
            terminal.line("  \(member.key): \(profile.shown(member.key))")
        }
    }

    private func printWallet(_ wallet: JSONValue) {
        var table = Table(
            .init("currency"), .init("available", .right), .init("pending", .right), .init("reserved", .right),
            .init("expires"))
        for balance in wallet["balances"]?.elements ?? [] {
            let next = balance["lots"]?.elements.first { $0["expires"] != .null }
            let expiry = next.map { "\($0.shown("amount")) on \($0.shown("expires"))" } ?? ""
            table.add(
                balance.shown("currency"), balance.shown("available"), balance.shown("pending"),
                balance.shown("reserved"), expiry)
        }
        Terminal.output.line("")
        if table.isEmpty { return Terminal.output.line("The wallet is empty.") }
        table.print()
    }

    private func printStatement(_ statement: JSONValue) {
        var table = Table(
            .init("at"), .init("amount", .right), .init("currency"), .init("balance", .right), .init("why"))
        for entry in statement["entries"]?.elements ?? [] {
            table.add(
                entry.shown("at"), entry.shown("amount"), entry.shown("currency"), entry.shown("balance"),
                StatementReason.text(entry, of: member))
        }
        guard !table.isEmpty else { return }
        Terminal.output.line("")
        table.print()
        if let next = statement["next"], next != .null { Terminal.output.line("(older lines: --limit)") }
    }
}

/// The reason of a statement line in words.
enum StatementReason {
    /// Such as `loyalty v1: referral, level 1, from m2 by order-1`.
    static func text(_ entry: JSONValue, of member: String) -> String {
        var text = entry.shown("kind")
        if let plan = entry["plan"]?.text {
            text = "\(plan) v\(entry.shown("version")): \(entry.shown("bonus"))"
            if let level = entry["level"]?.integer, level > 0 { text += ", level \(level)" }
            if entry["kind"]?.text == "reversal" { text = "reversal, " + text }
        }
        if let source = entry["source"], source != .null {
            let performer = source["member"]?.text.flatMap { $0 == member ? nil : "from \($0)" }
            let id = source["externalId"]?.text.map { "by \($0)" }
            text += ", " + [performer, id].compactMap { $0 }.joined(separator: " ")
            if let original = source["of"]?.text { text += " of \(original)" }
        }
        if let description = entry["description"]?.text { text += " (\(description))" }
        return text
    }
}
