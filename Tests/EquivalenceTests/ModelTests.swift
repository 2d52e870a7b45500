import Glibc
import GuerdonCore
import GuerdonModel
import GuerdonWire
import Testing

/// A random stream and reads at its end that show everything.
///
/// The decoder is below the line splitter here; lines that are too long belong to the server's tests.
func randomSteps(_ seed: UInt64, count: Int) -> [StreamGenerator.Step] {
    var options = StreamGenerator.Options()
    options.excluded = [.malformed]
    var generator = StreamGenerator(seed: seed, options: options)
    var steps = (0..<count).map { _ in generator.next() }
    if let last = steps.last { steps.append(StreamGenerator.Step(time: last.time, lines: generator.audit())) }
    return steps
}

/// The seeds of a test, or the first so many of them as GUERDON_TEST_STREAMS says: sanitized code is slow.
func streams(_ seeds: ClosedRange<UInt64>) -> ClosedRange<UInt64> {
    guard let text = getenv("GUERDON_TEST_STREAMS"), let count = UInt64(String(cString: text)), count > 0 else {
        return seeds
    }
    return seeds.lowerBound...min(seeds.upperBound, seeds.lowerBound + count - 1)
}

/// The engine against the naive, separately written model: every reply of random command streams.
@Suite struct ModelTests {
    private func check(_ steps: [StreamGenerator.Step], shards: Int, seed: UInt64) throws {
        guard let difference = try firstDifference(steps, shards: shards) else { return }
        let small = Shrinker.minimize(steps) { (try? firstDifference($0, shards: shards)) ?? nil != nil }
        let lines = small.map { "at \($0.time)\n" + $0.lines.joined(separator: "\n") }.joined(separator: "\n")
        let again = try firstDifference(small, shards: shards) ?? difference
        Issue.record("seed \(seed), \(shards) shards: \(again)\nfor\n\(lines)")
    }

    @Test(arguments: streams(1...40))
    func repliesEqualTheModels(seed: UInt64) throws {
        try check(randomSteps(seed, count: 60), shards: 1, seed: seed)
    }

    @Test(arguments: streams(100...115))
    func repliesEqualTheModelsOnAnyShardCount(seed: UInt64) throws {
        for shards in [2, 4, 8] { try check(randomSteps(seed, count: 60), shards: shards, seed: seed) }
    }

    @Test(arguments: streams(1000...1119))
    func repliesEqualTheModelsInShortStreams(seed: UInt64) throws {
        try check(randomSteps(seed, count: 12), shards: 1 << Int(seed % 4), seed: seed)
    }
}
