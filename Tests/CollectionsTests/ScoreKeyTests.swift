import TestSupport
import Testing

@testable import GuerdonCore

struct ScoreKeyTests {
    /// Scores and positions around every power of two, and some between.
    static let scores: [Int64] = {
        var random = SplitMix64(seed: 1)
        var scores: Set<Int64> = [0, .max, .max - 1, .max - 15, .max - 16]
        for bit in 0..<63 {
            let power = Int64(1) << Int64(bit)
            scores.formUnion([power - 1, power, power + 1])
            scores.insert(Int64(random.next() >> UInt64(bit + 1)))
        }
        return scores.sorted()
    }()
    static let sinces: [UInt64] = {
        var sinces: Set<UInt64> = []
        for bit in 0..<48 {
            let power = UInt64(1) << UInt64(bit)
            sinces.formUnion([power - 1, power, 2 * power - 1])
        }
        return sinces.sorted()
    }()

    @Test func keysGiveBackWhatTheyWereMadeOf() {
        for score in Self.scores {
            for since in Self.sinces {
                let key = ScoreKey.key(score, since)
                if ScoreKey.score(key) != score || ScoreKey.since(key) != since {
                    Issue.record("\(score), \(since): \(ScoreKey.score(key)), \(ScoreKey.since(key))")
                }
            }
        }
    }

    @Test func keysAreInTheOrderOfBoards() {
        // Higher scores first, of equal ones whoever was there first.
        var previous: UInt128?
        for score in Self.scores.reversed() {
            for since in Self.sinces {
                let key = ScoreKey.key(score, since)
                if let previous, previous >= key { Issue.record("\(score), \(since) is not behind the one before") }
                previous = key
            }
        }
        // Searches take a key whose upper half is all ones for an unused place.
        #expect(previous! >> 64 < UInt128(UInt64.max))
    }
}
