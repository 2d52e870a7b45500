import Glibc
import GuerdonBench
import GuerdonClient
import Testing

/// The system calls of the real server: nothing leaves before the sync of its record has returned.
struct DurabilityTests {
    @Test func noReplyLeavesBeforeItsRecordIsOnDisk() throws {
        try Place.with { place in
            try #require(access("/usr/bin/strace", X_OK) == 0, "strace is missing: tools/packages strace")
            // With -D the server is this process' child and strace looks on from aside.
            try place.write(
                """
                #!/bin/sh
                exec /usr/bin/strace -D -f -q --seccomp-bpf -y -x -s 16777216 -o \(place.path)/trace \
                    -e trace=pwritev,pwritev2,pwrite64,fdatasync,fsync,write,writev,sendto,sendmsg \
                    \(Shell.quoted(Binary.path)) "$@"

                """, to: "traced")
            chmod(place.path + "/traced", 0o700)
            let server = try ServerProcess(
                executable: place.path + "/traced", directory: place.path + "/data", logPath: place.path + "/server.log"
            )
            // One at a time, some at a time, and enough that batches overlap; reads and repeated actions among them.
            var acknowledged = 0
            for (seed, load) in [(1, 1, 200), (3, 7, 2_000), (8, 512, 20_000)].enumerated() {
                var options = BenchOptions()
                options.members = 300
                options.endpoint = server.endpoint
                options.seed = UInt64(seed + 1)
                (options.connections, options.window) = (load.0, load.1)
                options.actions = load.2
                options.duplicates = 0.1
                options.readRatio = 0.1
                acknowledged += try Bench(options).run().acknowledged
            }
            #expect(acknowledged == 22_200)
            #expect(server.stop() == 0)
            let trace = DurabilityTrace(try wholeTrace(place, of: server.process))
            #expect(trace.violations.isEmpty, "\(trace.violations.count): \(trace.violations.prefix(3))")
            // The trace shows what happened: every action, every member and many reads were answered with a position.
            #expect(trace.positionsTold > 22_200 + 300)
            #expect(trace.lastTold == trace.durable)
            #expect(trace.durable > 20_000)
            #expect(trace.recordCount > 200 && trace.syncCount > 200)
        }
    }

    /// The trace, once it is whole: strace writes the end of the process last.
    private func wholeTrace(_ place: Place, of process: pid_t) throws -> String {
        for _ in 0..<3_000 {
            let trace = try place.read("trace")
            // strace fills the number up to five places.
            if trace.contains(try Regex("\n\(process) +\\+\\+\\+ exited with")) { return trace }
            usleep(20_000)
        }
        throw ClientError(.inputOutput, "strace did not finish its trace")
    }
}

/// The checker of traces finds what it is for: made-up traces, right and wrong.
struct DurabilityTraceTests {
    /// A write of one record as strace shows it.
    private func write(_ thread: Int, _ first: UInt64, count: Int = 1, file: String = "1", tail: String? = nil)
        -> String
    {
        let bytes: [UInt8] =
            Array("GDRC".utf8) + [0, 0, 0, 0, 1, 1, 0, 0] + little(UInt64(count), 4) + little(first, 8)
            + [UInt8](repeating: 0, count: 24) + little(3, 4) + [UInt8](repeating: 0, count: 12)
        let text = bytes.map { #"\x"# + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let call =
            #"\#(thread) pwritev(4</d/wal/\#(file).wal>, [{iov_base="\#(text)", iov_len=64}, {iov_base="#
            + #""\x01\x02\x03", iov_len=3}, {iov_base="\0\0\0\0\0", iov_len=5}], 3, 64"#
        return call + (tail ?? ") = 72")
    }

    private func little(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64($0 * 8)) }
    }

    private func sync(_ thread: Int, file: String = "1", tail: String = ") = 0") -> String {
        "\(thread) fdatasync(4</d/wal/\(file).wal>" + tail
    }

    private func reply(_ position: Int, call: String = "write") -> String {
        #"9 \#(call)(12<socket:[77]>, "{\"ok\":true,\"seq\":\#(position)}\n", 22) = 22"#
    }

    private func check(_ lines: [String]) -> DurabilityTrace { DurabilityTrace(lines.joined(separator: "\n")) }

    @Test func whatIsSyncedMayBeTold() {
        let trace = check([
            write(1, 1, count: 2), sync(1), reply(1), write(1, 3), reply(2, call: "sendto"), sync(1), reply(3),
            reply(1, call: "writev"),
        ])
        #expect(trace.violations == [])
        #expect(trace.positionsTold == 4 && trace.lastTold == 3 && trace.durable == 3)
        #expect(trace.recordCount == 2 && trace.syncCount == 2)
    }

    @Test func severalRecordsInOneWriteAllCount() {
        let one = write(1, 1, tail: "")
        let both = one + write(1, 2).drop { $0 != "[" }.replacing("= 72", with: "= 144")
        #expect(check([both, sync(1), reply(2)]).violations == [])
        #expect(check([both, sync(1)]).recordCount == 2)
    }

    @Test func callsOfSeveralThreadsMayInterleave() {
        let trace = check([
            write(1, 1, tail: " <unfinished ...>"), "2 write(7<anon_inode:[eventfd]>, \"\\x01\", 1) = 1",
            "1 <... pwritev resumed>) = 72", sync(1, tail: " <unfinished ...>"), write(2, 2),
            "1 <... fdatasync resumed>) = 0", reply(1), sync(2), reply(2),
        ])
        #expect(trace.violations == [])
        #expect(trace.durable == 2)
    }

    @Test func whatLeavesTooEarlyIsFound() {
        let early: [(String, [String])] = [
            ("never synced", [write(1, 1), reply(1)]),
            ("never written", [sync(1), reply(1)]),
            (
                "before the sync returned",
                [write(1, 1), sync(1, tail: " <unfinished ...>"), reply(1), "1 <... fdatasync resumed>) = 0"]
            ),
            (
                "written while an earlier sync ran",
                [
                    write(1, 1), sync(1, tail: " <unfinished ...>"), write(2, 2), "1 <... fdatasync resumed>) = 0",
                    reply(2),
                ]
            ),
            (
                "the write returned only after the sync had begun",
                [
                    write(1, 1, tail: " <unfinished ...>"), sync(2, tail: " <unfinished ...>"),
                    "1 <... pwritev resumed>) = 72", "2 <... fdatasync resumed>) = 0", reply(1),
                ]
            ),
            ("the sync failed", [write(1, 1), sync(1, tail: ") = -1 EIO (Input/output error)"), reply(1)]),
            ("another file was synced", [write(1, 1), sync(1, file: "2"), reply(1)]),
            ("an older segment is not durable", [write(1, 1), write(1, 2, file: "2"), sync(1, file: "2"), reply(2)]),
            ("part of the record was written", [write(1, 1, tail: ") = 70"), sync(1), reply(1)]),
            (
                "the second of two replies in one write",
                [write(1, 1), sync(1), reply(1).replacing(#"\n"#, with: #"\n{\"ok\":true,\"seq\":2}\n"#)]
            ),
        ]
        for (what, lines) in early { #expect(!check(lines).violations.isEmpty, "\(what)") }
    }

    @Test func aGapInTheLogIsFound() {
        #expect(!check([write(1, 1), write(1, 3), sync(1)]).violations.isEmpty)
    }
}
