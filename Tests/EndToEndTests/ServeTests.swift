import Glibc
import GuerdonBench
import GuerdonClient
import Testing

struct ServeTests {
    @Test func aCleanStopExitsWithZeroAndKeepsTheState() throws {
        try Place.with { place in
            let server = try place.server()
            try Fixture.apply(to: server.endpoint)
            let connection = try Connection(to: server.endpoint)
            for number in 0..<100 { _ = try connection.request(Fixture.purchase(number)) }
            #expect(server.stop() == 0)
            let before = try place.verify()
            let again = try place.server(["--shards", "4"])
            #expect(try Fixture.points(at: again.endpoint) == 100)
            #expect(again.stop(signal: SIGINT) == 0)
            let after = try place.verify()
            #expect(before["hash"] == after["hash"])
            #expect(after["actions"]?.integer == 100)
            #expect(after["members"]?.integer == 8)
        }
    }

    @Test func aDirectoryThatDoesNotExistIsMadeOnlyWithInit() throws {
        try Place.with { place in
            let result = try Binary.run(["serve", "--data", place.path + "/nowhere", "--port", "0"])
            #expect(result.status != 0)
            #expect(result.error.contains("--init"))
            #expect(result.error.contains(place.path + "/nowhere"))
            #expect(access(place.path + "/nowhere", F_OK) != 0)
        }
    }

    @Test func twoServersNeverShareADirectory() throws {
        try Place.with { place in
            let server = try place.server()
            let result = try Binary.run(["serve", "--data", place.path + "/data", "--port", "0"])
            #expect(result.status != 0)
            #expect(!result.error.isEmpty)
            let verify = try Binary.run(["verify", "--data", place.path + "/data"])
            #expect(verify.status != 0)
            #expect(try Connection(to: server.endpoint).request(#"{"op":"ping"}"#)["ok"]?.boolean == true)
        }
    }

    @Test func aPortInUseIsToldByItsNumber() throws {
        try Place.with { place in
            let server = try place.server()
            let port = String(server.endpoint.port)
            let result = try Binary.run(["serve", "--data", place.path + "/other", "--init", "--port", port])
            #expect(result.status != 0)
            #expect(result.error.contains(port))
        }
    }

    @Test func anAddressBeyondLoopbackIsRefusedWithoutTokens() throws {
        try Place.with { place in
            let result = try Binary.run([
                "serve", "--data", place.path + "/data", "--init", "--port", "0", "--host", "0.0.0.0",
            ])
            #expect(result.status != 0)
            #expect(result.error.contains("loopback"))
        }
    }
}
