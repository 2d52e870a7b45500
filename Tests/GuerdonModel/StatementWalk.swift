/// Reads a whole statement page by page, as a client does.
public enum StatementWalk {
    /// All entries of a member's statement, newest first, fetched in pages of `limit` through `ask`, which sends one
    /// line and gives the reply; `nil` as soon as a reply is no page. Compare with
    /// ``Model/statementEntries(workspace:member:currency:)``.
    public static func entries(
        workspace: Text, member: Text, currency: Text? = nil, limit: Int, ask: (String) throws -> String
    ) rethrows -> JSON? {
        var all: [JSON] = []
        var cursor = JSON.null
        // No statement of a test has more pages; a cursor that never ends must not hang the test.
        for _ in 0..<100_000 {
            var line = Line("statement").with("workspace", JSON.string(workspace).line)
                .with("member", JSON.string(member).line).with("limit", String(limit)).with("before", cursor.line)
            if let currency { line["currency"] = JSON.string(currency).line }
            let reply = try ask(line.text)
            guard let page = try? JSONParser.parse(reply), let entries = page["entries"]?.elements,
                let next = page["next"], entries.count <= limit, next == .null || entries.count == limit
            else { return nil }
            all += entries
            if next == .null { return .array(all) }
            cursor = next
        }
        return nil
    }
}
