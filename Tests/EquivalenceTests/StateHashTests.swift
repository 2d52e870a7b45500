import GuerdonCore
import GuerdonModel
import Testing

/// What must never show in the state: shard count, hash seed, a restart from a snapshot, a replay.
@Suite struct StateHashTests {
    private func steps(_ seed: UInt64) -> [StreamGenerator.Step] {
        var options = StreamGenerator.Options()
        options.excluded = [.malformed]
        var generator = StreamGenerator(seed: seed, options: options)
        return (0..<40).map { _ in generator.next() }
    }

    /// Keeps the pieces of a state, as a snapshot does.
    private struct Pieces: StateSink {
        var all: [(section: UInt32, bytes: [UInt8])] = []
        mutating func write(section: UInt32, _ bytes: UnsafeRawBufferPointer) { all.append((section, Array(bytes))) }
    }

    @Test(arguments: 200...219 as ClosedRange<UInt64>)
    func shardsSeedsSnapshotsAndReplaysDoNotShow(seed: UInt64) throws {
        let first = Harness(shards: 1)
        for step in steps(seed) {
            _ = try first.handle(step.lines, at: step.time)
            let violated = first.world.checkInvariants().filter { !$0.holds }
            #expect(violated.isEmpty, "seed \(seed)")
        }
        let hash = first.world.stateHash()

        for shards in [2, 4, 8] {
            let other = Harness(shards: shards)
            for step in steps(seed) { _ = try other.handle(step.lines, at: step.time) }
            #expect(other.world.stateHash() == hash, "seed \(seed), \(shards) shards")
        }

        let image = first.world.image()
        let pieces = try image.write(to: Pieces()).all
        first.world.release(image)
        let loaded = Harness(shards: 4)
        var loader = WorldLoader(into: loaded.world)
        for piece in pieces { try piece.bytes.withUnsafeBytes { try loader.read(section: piece.section, $0) } }
        try loader.finish()
        #expect(loaded.world.stateHash() == hash, "seed \(seed), from a snapshot")

        let replayed = Harness(shards: 2, seed: 99)
        for batch in first.log { try replayed.replay(batch) }
        #expect(replayed.world.stateHash() == hash, "seed \(seed), replayed")
    }
}
