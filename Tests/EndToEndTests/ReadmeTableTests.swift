import Testing

/// The README's table of commands; ``ReadmeTests`` runs its example.
struct ReadmeTableTests {
    @Test func everyCommandThatTheReadmeNamesExists() throws {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        let readme = try readWhole(here.joined(separator: "/") + "/README.md")
        // | `guerdon verify`, `wal cat`, `snapshot` | what they do |
        let names = readme.split(separator: "\n").filter { $0.hasPrefix("| `guerdon ") }.flatMap { row in
            row.split(separator: "|")[0].split(separator: "`").map { $0.replacing("guerdon ", with: "") }
                .filter { !$0.allSatisfy { " ,".contains($0) } }
        }
        #expect(names.contains("serve") && names.contains("wal cat") && names.count >= 8)
        for name in names {
            let result = try Binary.run(name.split(separator: " ").map(String.init) + ["--help"])
            #expect(result.status == 0, "guerdon \(name)")
        }
    }
}
