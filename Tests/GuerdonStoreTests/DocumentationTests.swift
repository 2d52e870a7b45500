import Glibc
import GuerdonCore
import Testing

@testable import GuerdonStore

/// The hex dumps on the format pages are what this release writes.
struct DocumentationTests {
    /// As `hexdump -C` prints it.
    static func dump(_ bytes: [UInt8]) -> [String] {
        stride(from: 0, to: bytes.count, by: 16).map { start in
            let line = bytes[start..<min(start + 16, bytes.count)]
            var text = hexadecimal(UInt64(start)).suffix(8) + " "
            for (place, byte) in line.enumerated() {
                text += (place == 8 ? "  " : " ") + hexadecimal(UInt64(byte)).suffix(2)
            }
            while text.count < 59 { text += " " }
            return text + " |" + String(line.map { (32..<127).contains($0) ? Character(UnicodeScalar($0)) : "." }) + "|"
        }
    }

    /// The lines of a page that look like lines of a dump.
    static func dumpOnPage(_ name: String) throws -> [String] {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        let page = here.joined(separator: "/") + "/Sources/GuerdonStore/Documentation.docc/" + name
        let text = String(decoding: try contents(page), as: UTF8.self)
        return text.split(separator: "\n").map(String.init).filter { line in
            line.count > 60 && line.hasSuffix("|") && line.prefix(8).allSatisfy(\.isHexDigit)
        }
    }

    @Test func theLogPageShowsARealSegment() throws {
        let scratch = Scratch()
        let path = try scratch.ledger()
        let wal = try WriteAheadLog.open(in: DataDirectory.open(at: path, .readWrite), segmentBytes: 4096)
        try Array("hello, world".utf8).withUnsafeBytes { bytes in
            _ = try wal.append(firstSequence: 1, count: 2, time: 1_000_000_000, bytes)
        }
        try wal.seal()
        let segment = Array(try contents(path + LogDamageTests.first)[..<(64 + 64 + 16 + 64)])
        #expect(try DocumentationTests.dumpOnPage("WALFormat.md") == DocumentationTests.dump(segment))
    }

    @Test func theSnapshotPageShowsARealSnapshot() throws {
        let scratch = Scratch()
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        let writer = try SnapshotWriter(in: directory, sequence: 2, chain: 0x1122_3344_5566_7788, time: 1_000_000_000)
        try writer.write(section: 7, Array("hello, world".utf8))
        try writer.finish()
        let bytes = try contents(Snapshots.path(2, in: directory))
        #expect(try DocumentationTests.dumpOnPage("SnapshotFormat.md") == DocumentationTests.dump(bytes))
    }

    @Test func thePageOfSealedIdsShowsARealFile() throws {
        let scratch = Scratch()
        let directory = try DataDirectory.open(at: scratch.ledger(), .readWrite)
        let table = ExternalIdTable(generationLimit: 1)
        defer { table.deallocate() }
        table.insert(
            ExternalIdKey(high: 0x1122_3344_5566, low: 0x7788_99aa_bbcc_ddee),
            RememberedId(sequence: 2, content: 0x1122_3344_5566_7788))
        _ = table.closeGeneration()
        let closed = ClosedGeneration(workspace: 0, generation: table.takeClosedGeneration()!)
        let file = try SealedIds(in: directory).seal(closed, isCancelled: { false })
        // Rows of equal bytes are left out.
        let bytes = try contents(file.path)
        let lines = DocumentationTests.dump(bytes).enumerated().filter { number, _ in
            let row = bytes[(number * 16)..<min(number * 16 + 16, bytes.count)]
            return Set(row).count > 1 || row.count < 16
        }
        #expect(try DocumentationTests.dumpOnPage("SealedIdFormat.md") == lines.map(\.1))
    }
}
