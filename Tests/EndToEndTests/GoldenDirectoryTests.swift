import GuerdonBench
import GuerdonClient
import Testing

/// Data directories of released formats, in `snapshots/`: each opens, and its state is what it was.
struct GoldenDirectoryTests {
    /// One for each format that was ever released.
    static let versions = ["v1"]

    /// The directory that holds them.
    private static let home: String = {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        return here.joined(separator: "/") + "/snapshots"
    }()

    private static func expected(_ version: String) throws -> JSONValue {
        try JSONValue.parse(try readWhole("\(home)/\(version)/expected.json"))
    }

    /// Unpacks a version's data directory into a place.
    private static func unpack(_ version: String, into place: Place) throws {
        let archive = "\(home)/\(version)/data.tar.zst"
        let result = try Shell.run("tar --zstd -xf \(Shell.quoted(archive)) -C \(place.path)")
        guard result.status == 0 else { throw ClientError(.inputOutput, "cannot unpack \(archive): \(result.error)") }
    }

    /// Where `found` lacks something of `expected`; nil when everything is there. Further fields may have been added.
    private static func difference(_ expected: JSONValue, _ found: JSONValue?, at path: String = "") -> String? {
        guard let found else { return "\(path) is missing" }
        switch (expected, found) {
        case (.object(let members), .object):
            for member in members {
                if let place = difference(member.value, found[member.key], at: "\(path).\(member.key)") { return place }
            }
            return nil
        case (.array(let left), .array(let right)):
            guard left.count == right.count else { return "\(path) has \(right.count) elements, not \(left.count)" }
            for (index, pair) in zip(left, right).enumerated() {
                if let place = difference(pair.0, pair.1, at: "\(path)[\(index)]") { return place }
            }
            return nil
        default: return expected == found ? nil : "\(path) is \(found), not \(expected)"
        }
    }

    /// Serves a directory and compares every reply.
    private static func compareReplies(_ version: String, _ place: Place, shards: Int) throws {
        let server = try place.server(["--shards", String(shards)])
        let connection = try Connection(to: server.endpoint)
        let examples = try expected(version)["replies"]?.elements ?? []
        #expect(!examples.isEmpty)
        for example in examples {
            let request = try #require(example["request"])
            let reply = try connection.requests([request.description])[0]
            let place = difference(try #require(example["reply"]), reply)
            #expect(place == nil, "\(request): \(place ?? "")")
        }
        #expect(server.stop() == 0)
    }

    @Test func everyReleasedFormatIsTested() throws {
        let found = try Shell.run("ls \(Shell.quoted(Self.home))").output.split(separator: "\n").map(String.init)
        #expect(found == Self.versions)
    }

    @Test(arguments: versions) func aReplayFindsTheSameStateHash(_ version: String) throws {
        try Place.with { place in
            try Self.unpack(version, into: place)
            let expected = try #require(try Self.expected(version)["verify"])
            let found = try place.verify()
            for field in ["ok", "hash", "seq", "members", "actions"] {
                #expect(found[field] == expected[field], "\(field)")
            }
            let kept = found["invariants"]?.elements ?? []
            for invariant in expected["invariants"]?.elements ?? [] {
                #expect(kept.contains(invariant), "\(invariant)")
            }
        }
    }

    @Test(arguments: versions, [1, 2]) func aServerGivesTheSameReplies(_ version: String, shards: Int) throws {
        try Place.with { place in
            try Self.unpack(version, into: place)
            try Self.compareReplies(version, place, shards: shards)
        }
    }

    @Test(arguments: versions) func theLogAloneIsEnough(_ version: String) throws {
        try Place.with { place in
            try Self.unpack(version, into: place)
            let removal = try Shell.run("rm \(place.path)/data/snapshots/*.snap \(place.path)/data/history/*.hist")
            #expect(removal.status == 0, "\(removal.error)")
            try Self.compareReplies(version, place, shards: 1)
        }
    }
}
