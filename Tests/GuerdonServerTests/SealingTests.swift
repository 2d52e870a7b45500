import Foundation
import GuerdonCore
import TestSupport
import Testing

@testable import GuerdonEngine
@testable import GuerdonStore

/// An engine with few external ids in memory: none is ever forgotten, whatever happens to files and process.
@Suite(.serialized) struct SealingTests {
    /// Hands batches to an engine one at a time.
    private final class Feeder: BatchSource, @unchecked Sendable {
        // Sendable: all that changes is in the monitor.
        struct State {
            var batch: Batch?
            var isReleased = false
            var failure: (any Error)?
        }
        let state = Monitor(State())

        func take(timeoutNanoseconds: Int64) -> (any EngineBatch)? {
            state.wait(nanoseconds: timeoutNanoseconds) { state -> Batch? in
                defer { state.batch = nil }
                return state.batch
            }
        }

        func failed(_ error: any Error) { state.change { $0.failure = error } }

        /// The outcomes once they may be told; throws when the engine has failed.
        func send(_ commands: [Command]) throws -> [CommandOutcome] {
            let batch = Batch(state)
            for command in commands { batch.commands.append(command) }
            state.change {
                $0.isReleased = false
                $0.batch = batch
            }
            let failure: (any Error)?? = state.wait { state in
                if state.isReleased { return .some(nil) }
                return state.failure.map { .some($0) }
            }
            if let failure = failure ?? nil { throw failure }
            return batch.outcomes
        }
    }

    private final class Batch: EngineBatch, @unchecked Sendable {
        // Sendable: handed over as a whole.
        let commands = CommandBatch()
        private let state: Monitor<Feeder.State>
        var outcomes: [CommandOutcome] = []
        var isEmpty: Bool { commands.count == 0 }

        init(_ state: Monitor<Feeder.State>) { self.state = state }
        func applied(_ world: World) { outcomes = Array(commands.outcomes) }
        func released() { state.change { $0.isReleased = true } }
    }

    private static func action(_ id: String, value: Int64 = 1) -> Command {
        .action(
            ActionCommand(
                workspace: "main", externalId: Text(id), performer: "m", type: "t",
                value: DecimalNumber(coefficient: value, scale: 0)))
    }

    private static func options(_ limit: Int) -> EngineOptions {
        var options = EngineOptions()
        options.createIfMissing = true
        options.idsPerGeneration = limit
        options.snapshotEveryLogBytes = 0
        return options
    }

    private static func with(_ body: (String) throws -> Void) throws {
        try TemporaryDirectory.with { try body($0 + "/data") }
    }

    private static func files(_ path: String, _ suffix: String = ".ids") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/ids")) ?? []).filter { $0.hasSuffix(suffix) }
            .sorted()
    }

    /// An engine that serves; the directory is free again when it has stopped.
    private final class Session {
        private var engine: Engine?
        private let feeder = Feeder()

        init(_ path: String, _ options: EngineOptions, faults: FaultPlan? = nil) throws {
            let engine = try Engine(directory: path, options: options, faults: faults)
            engine.start(source: feeder)
            self.engine = engine
        }

        func send(_ commands: [Command]) throws -> [CommandOutcome] { try feeder.send(commands) }
        /// Files that the main workspace's ids are in.
        var fileCount: Int { engine?.sealer.ids.files(of: 0).count ?? 0 }
        func takeSnapshot() throws { _ = try engine?.takeSnapshot() }

        func stop() throws {
            defer { engine = nil }
            try engine?.stop()
        }
    }

    private static func start(
        _ path: String, limit: Int, faults: FaultPlan? = nil, report: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> Session {
        var options = options(limit)
        options.report = report
        return try Session(path, options, faults: faults)
    }

    private static func expectSound(_ path: String, _ what: String = "") throws {
        let verdict = try Inspection.verify(directory: path)
        #expect(verdict.invariants.filter { !$0.holds } == [], "\(what)")
    }

    /// Sends until so many files have come about, or ten seconds have passed.
    private static func waitForFiles(_ path: String, _ count: Int) {
        for _ in 0..<1000 where files(path).count < count { usleep(10_000) }
        #expect(files(path).count >= count)
    }

    private static let setup: [Command] = [
        .workspacePut(WorkspacePut(workspace: "main", autoCreateMembers: true)),
        .workspacePut(WorkspacePut(workspace: "other", autoCreateMembers: true)),
    ]

    /// Ids, old and new, in batches of all sizes, through sealing, merging, snapshots and restarts, beside a dictionary.
    @Test(arguments: [1, 2] as [UInt64]) func everyIdIsRememberedThroughSealingSnapshotsAndRestarts(seed: UInt64)
        throws
    {
        try Self.with { path in
            var random = SplitMix64(seed: seed)
            var known: [Int: (sequence: UInt64, value: Int64)] = [:]
            var sequence: UInt64 = 2
            var session = try Self.start(path, limit: 40)
            _ = try session.send(Self.setup)
            for step in 0..<150 {
                let sent = (0..<Int.random(in: 1...90, using: &random)).map { _ in
                    let number =
                        Bool.random(using: &random)
                        ? known.count * 2 + Int.random(in: 0..<50, using: &random)
                        : Int.random(in: 0..<max(1, known.count * 2), using: &random)
                    return (number: number, value: Int64.random(in: 0..<10, using: &random) == 0 ? 2 : 1 as Int64)
                }
                let outcomes = try session.send(sent.map { Self.action("id-\($0.number)", value: $0.value) })
                for (command, outcome) in zip(sent, outcomes) {
                    sequence += 1
                    if let first = known[command.number] {
                        let isSame = first.value == command.value
                        #expect(outcome.isDuplicate == isSame && outcome.code == (isSame ? .none : .conflict))
                        #expect(outcome.sequence == (isSame ? first.sequence : sequence))
                    } else {
                        #expect(outcome.code == .none && !outcome.isDuplicate && outcome.sequence == sequence)
                        known[command.number] = (sequence, command.value)
                    }
                }
                switch Int.random(in: 0..<30, using: &random) {
                case 0: try session.takeSnapshot()
                case 1:
                    try session.stop()
                    session = try Self.start(path, limit: step % 2 == 0 ? 40 : 17)
                default: break
                }
            }
            // Merging keeps the number of filters small that a new id is looked up in.
            for _ in 0..<1000 where session.fileCount > 15 { usleep(10_000) }
            #expect(1...15 ~= session.fileCount)
            try session.takeSnapshot()
            try session.stop()
            try Self.start(path, limit: 1_000_000).stop()
            try Self.expectSound(path)
            // No file is left that none of the two snapshots counts on.
            let directory = try DataDirectory.open(at: path, .readOnly)
            let named = try Snapshots.sealedRuns(in: directory).map { SealedIds.path($0.run.number, in: directory) }
            #expect(Self.files(path).map { path + "/ids/" + $0 } == Set(named).sorted())
            #expect(Self.files(path, ".tmp").isEmpty && Self.files(path, ".damaged").isEmpty)
        }
    }

    @Test func workspacesHaveGenerationsOfTheirOwn() throws {
        try Self.with { path in
            var session = try Self.start(path, limit: 20)
            _ = try session.send(Self.setup)
            func command(_ number: Int, _ workspace: Text) -> Command {
                .action(ActionCommand(workspace: workspace, externalId: Text("a\(number)"), performer: "m", type: "t"))
            }
            var first: [CommandOutcome] = []
            for n in 0..<100 { first += try session.send([command(n, "main"), command(n, "other")]) }
            #expect(!first.contains { $0.isDuplicate || $0.code != .none })
            Self.waitForFiles(path, 2)
            for round in 0..<2 {
                var again: [CommandOutcome] = []
                for n in 0..<100 { again += try session.send([command(n, "main"), command(n, "other")]) }
                #expect(again.map(\.sequence) == first.map(\.sequence) && again.allSatisfy { $0.isDuplicate })
                guard round == 0 else { continue }
                try session.takeSnapshot()
                try session.stop()
                session = try Self.start(path, limit: 20)
            }
            try session.stop()
            try Self.expectSound(path)
        }
    }

    @Test func theStateHashIsThatOfAnEngineThatSealsNothing() throws {
        var hashes: Set<String> = []
        for (limit, snapshots) in [(1000, false), (7, false), (7, true), (30, true)] {
            try Self.with { path in
                var options = Self.options(limit)
                options.clock = Standing()
                let session = try Session(path, options)
                _ = try session.send(Self.setup)
                for n in 0..<60 {
                    _ = try session.send((0..<5).map { Self.action("a\(n * 4 + $0)") })
                    if snapshots, n % 20 == 19 { try session.takeSnapshot() }
                }
                try session.stop()
                hashes.insert(try Inspection.verify(directory: path).hash)
                try Self.expectSound(path)
            }
        }
        #expect(hashes.count == 1)
    }

    private struct Standing: EngineClock {
        func now() -> Int64 { 1_793_527_200_000_000_000 }
    }

    /// A directory with sealed ids and two snapshots that count on them; how many actions it has.
    private static func makeSealed(_ path: String) throws -> Int {
        let session = try start(path, limit: 20)
        _ = try session.send(setup)
        for n in 0..<60 {
            _ = try session.send((0..<10).map { action("a\(n * 10 + $0)") })
            if n == 30 { waitForFiles(path, 1) }
            if n == 35 { try session.takeSnapshot() }
        }
        waitForFiles(path, 2)
        _ = try session.send([action("a600")])
        try session.takeSnapshot()
        try session.stop()
        return 601
    }

    private static func expectAllKnown(_ path: String, _ count: Int, _ what: String = "") throws {
        let session = try start(path, limit: 20)
        let outcomes = try session.send((0..<count).map { action("a\($0)") })
        #expect(outcomes.allSatisfy { $0.isDuplicate }, "\(what)")
        #expect(outcomes.map(\.sequence) == (0..<count).map { UInt64($0 + 3) }, "\(what)")
        try session.stop()
    }

    @Test func filesThatAreMissingOrDamagedAreMadeAgainFromTheLog() throws {
        try Self.with { path in
            let count = try Self.makeSealed(path)
            for round in 0..<3 {
                let files = Self.files(path)
                #expect(!files.isEmpty)
                for file in files {
                    let name = path + "/ids/" + file
                    switch round {
                    case 0: unlink(name)
                    case 1: truncate(name, 5000)
                    default:
                        var bytes = try Data(contentsOf: URL(fileURLWithPath: name))
                        bytes[bytes.count - 3] ^= 1
                        try bytes.write(to: URL(fileURLWithPath: name))
                    }
                }
                let broken = try Inspection.verify(directory: path).invariants.filter { !$0.holds }
                #expect(broken.map(\.name) == ["sealed_ids_match_log"])
                #expect(
                    broken[0].violation.contains(path + "/ids/")
                        && broken[0].violation.contains(round == 0 ? "ids_missing" : "offset"))
                try Self.expectAllKnown(path, count, "round \(round)")
                #expect(Self.files(path, ".damaged").isEmpty == (round == 0))
                for file in Self.files(path, ".damaged") { unlink(path + "/ids/" + file) }
                // Snapshots that count on what is gone are of no use any more; new ones take their places.
                let session = try Self.start(path, limit: 20)
                for n in 0..<2 {
                    _ = try session.send([Self.action("a0"), Self.action("round-\(round)-\(n)")])
                    try session.takeSnapshot()
                }
                try session.stop()
                try Self.expectSound(path)
            }
        }
    }

    @Test func damageMetByALookUpEndsTheEngineAndSaysWhere() throws {
        try Self.with { path in
            let count = try Self.makeSealed(path)
            let session = try Self.start(path, limit: 20)
            for file in Self.files(path) {
                let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/ids/" + file))
                try handle.seek(toOffset: 4096 + 50)
                try handle.write(contentsOf: [7, 7, 7, 7])
            }
            do {
                _ = try session.send((0..<count).map { Self.action("a\($0)") })
                Issue.record("applied without the ids")
            } catch let error as StoreError {
                #expect(
                    error.code == .idsDamaged && error.offset == 4096 && error.file?.hasPrefix(path + "/ids/") == true)
            }
            #expect(throws: StoreError.self) { try session.stop() }
            // Nothing of that batch was acknowledged. Moving the files away lets them be made again.
            for file in Self.files(path) { unlink(path + "/ids/" + file) }
            let again = try Self.start(path, limit: 20)
            #expect(try again.send([Self.action("a0")])[0].isDuplicate)
            try again.stop()
        }
    }

    @Test func anErrorOfTheDiskWhileLookingUpEndsTheEngine() throws {
        try Self.with { path in
            _ = try Self.makeSealed(path)
            let faults = FaultPlan()
            let session = try Self.start(path, limit: 20, faults: faults)
            faults.fail(.read, repeats: true, errorNumber: EIO)
            #expect(throws: StoreError.self) { try session.send([Self.action("a0")]) }
            #expect(throws: StoreError.self) { try session.stop() }
            try Self.expectAllKnown(path, 601)
        }
    }

    @Test func aFullDiskKeepsIdsInMemoryAndIsToldOnce() throws {
        try Self.with { path in
            let faults = FaultPlan()
            let told = Monitor<[String]>([])
            let session = try Self.start(path, limit: 20, faults: faults) { text in
                told.change { $0.append(text) }
            }
            _ = try session.send(Self.setup)
            // Of the first file of ids; the log goes on.
            faults.fail(.open, errorNumber: ENOSPC)
            for n in 0..<30 { _ = try session.send((0..<10).map { Self.action("a\(n * 10 + $0)") }) }
            #expect(told.wait(nanoseconds: 10_000_000_000) { $0.isEmpty ? nil : true } == true)
            let outcomes = try session.send((0..<300).map { Self.action("a\($0)") })
            #expect(outcomes.allSatisfy { $0.isDuplicate })
            #expect(
                told.wait { .some($0.count { $0.contains("stay in memory for now") && $0.contains("disk_full") }) } == 1
            )
            try session.stop()
            try Self.expectAllKnown(path, 300)
        }
    }

    @Test func aCrashAtAnyFileOperationLosesNothing() throws {
        try Self.with { path in
            var point = 0
            var isDone = false
            while !isDone {
                try? FileManager.default.removeItem(atPath: path)
                var acknowledged = 0
                let faults = FaultPlan()
                let session = try Self.start(path, limit: 12, faults: faults)
                _ = try session.send(Self.setup)
                faults.crash(after: point)
                do {
                    for n in 0..<24 {
                        _ = try session.send((0..<5).map { Self.action("a\(n * 5 + $0)") })
                        acknowledged += 5
                        if n % 8 == 7 { try session.takeSnapshot() }
                    }
                    Self.waitForFiles(path, 2)
                    isDone = true
                } catch {}
                // What fails last may be the seal at the end.
                try? session.stop()
                let again = try Self.start(path, limit: 12)
                let outcomes = try again.send((0..<120).map { Self.action("a\($0)") })
                let kept = outcomes.prefix { $0.isDuplicate }
                #expect(kept.count >= acknowledged, "crash after \(point) operations")
                #expect(kept.map(\.sequence) == kept.indices.map { UInt64($0 + 3) }, "crash after \(point) operations")
                #expect(
                    !outcomes.dropFirst(kept.count).contains { $0.isDuplicate }, "crash after \(point) operations")
                try again.takeSnapshot()
                try again.stop()
                try Self.expectSound(path, "crash after \(point) operations")
                #expect(Self.files(path, ".tmp").isEmpty)
                point += point < 60 ? 5 : 13
            }
            #expect(point > 60)
        }
    }
}
