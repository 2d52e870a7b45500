import GuerdonBench
import GuerdonClient
import Testing

/// A data directory into which somebody copied the snapshot of another one.
struct ForeignSnapshotTests {
    @Test func theServerSaysWhichFileIsForeignAndTouchesNothing() throws {
        try Place.with { place in
            try Place.with { other in
                for (place, count) in [(place, 3), (other, 30)] {
                    let server = try place.server()
                    try Fixture.apply(to: server.endpoint)
                    let connection = try Connection(to: server.endpoint)
                    for number in 0..<count { _ = try connection.request(Fixture.purchase(number)) }
                    _ = try connection.request(#"{"op":"snapshot"}"#)
                    #expect(server.stop() == 0)
                }
                let before = try place.verify()
                let copy = try Shell.run("cp \(other.path)/data/snapshots/*.snap \(place.path)/data/snapshots/")
                #expect(copy.status == 0)
                for command in ["serve --port 0", "verify", "snapshot"] {
                    let words = command.split(separator: " ").map(String.init)
                    let result = try Binary.run(words + ["--data", place.path + "/data"])
                    #expect(result.status == 1)
                    #expect(result.error.contains("belongs to ledger"), "\(result.error)")
                    #expect(result.error.contains(place.path + "/data/snapshots/"), "\(result.error)")
                }
                let names = try Shell.run("ls \(other.path)/data/snapshots").output.split(separator: "\n")
                _ = try Shell.run("rm \(names.map { "\(place.path)/data/snapshots/\($0)" }.joined(separator: " "))")
                #expect(try place.verify()["hash"] == before["hash"])
            }
        }
    }
}
