import GuerdonCore
import GuerdonStore

extension Workload {
    /// All of a world of 100,000 members, to disk and back.
    static let snapshot = [
        Workload("snapshot-write", unit: "snapshot", operations: 1, warmUp: 1, calls: 2) { try SnapshotSession() },
        Workload("snapshot-load", unit: "snapshot", operations: 1, warmUp: 1, calls: 2) { try LoadSession() },
    ]
}

/// Takes a snapshot, up to its synced and checked file.
private class SnapshotSession: Session {
    let scratch: Scratch
    let scoring: ScoringWorld
    let directory: DataDirectory

    init() throws {
        scratch = try Scratch()
        scoring = try ScoringWorld()
        for _ in 0..<20 { try scoring.applyActions() }
        directory = try scratch.dataDirectory()
    }

    func write() throws {
        let image = scoring.world.image()
        defer { scoring.world.release(image) }
        let writer = try SnapshotWriter(in: directory, sequence: image.sequence, chain: 0, time: image.time)
        _ = try image.write(to: writer)
        try writer.finish()
        expect(writer.rawBytes > 10 * UInt64(ScoringWorld.members), "\(writer.rawBytes) bytes")
    }

    func prepare() throws {}
    func run() throws { try write() }
}

/// Checks a snapshot and builds a world from it.
private final class LoadSession: SnapshotSession {
    override init() throws {
        try super.init()
        try write()
    }

    override func run() throws {
        guard let reader = try Snapshots.newestValid(in: directory).reader else {
            return expect(false, "the snapshot is not valid")
        }
        let world = World(log: NoLog())
        var loader = WorldLoader(into: world)
        while let chunk = try reader.next() { try loader.read(section: chunk.section, chunk.bytes) }
        try loader.finish()
        expect(world.sequence == scoring.world.sequence, "the world stands at \(world.sequence)")
    }
}
