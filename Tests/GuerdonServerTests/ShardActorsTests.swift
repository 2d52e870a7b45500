import Testing

@testable import GuerdonEngine

/// Phases on several threads. Invariant: the shard count never shows.
@Suite struct ShardActorsTests {
    @Test(arguments: 2...4) func everyShardDoesEveryPhaseOnceAndNothingOutlivesIt(count: Int) {
        let actors = ShardActors(count: count, rowsPerShard: 1)
        let done = Monitor([Int](repeating: 0, count: 4))
        // Many: a task that still held the body when its phase was over ended the process now and then.
        for phase in 0..<20_000 {
            actors.run(count, rows: 1000) { shard in done.changeQuietly { $0[shard] += phase } }
        }
        let expected = 20_000 * 19_999 / 2
        #expect(done.changeQuietly { $0 } == (0..<4).map { $0 < count ? expected : 0 })
    }
}
