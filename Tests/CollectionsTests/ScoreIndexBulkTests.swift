import GuerdonCore
import TestSupport
import Testing

/// Many changes at once against a sorted array.
@Suite struct ScoreIndexBulkTests {
    private typealias Standing = (score: Int64, since: UInt64)

    /// Members in an order that is not that of their numbers.
    private static func precedes(_ a: UInt32, _ b: UInt32) -> Bool { a &* 0x9e37_79b1 < b &* 0x9e37_79b1 }

    @Test(arguments: [4, 1_000_000] as [Int64], [false, true])
    func changesAtOnceGiveTheSortedArray(spread: Int64, dense: Bool) {
        let index = ScoreIndex(countsDistinctScores: dense)
        defer { index.deallocate() }
        var random = SplitMix64(seed: UInt64(spread))
        var standings = [Standing](repeating: (0, 0), count: 12_000)
        var since: UInt64 = 0
        for size in [1, 3, 9_000, 64, 65, 5_000, 12_000, 200, 12_000, 2_000] {
            var members = Array(0..<standings.count)
            members.shuffle(using: &random)
            var changes: [ScoreIndex.Change] = []
            for member in members.prefix(size) {
                // Some change at one position, some lose all they have, some come back.
                if random.below(3) > 0 { since += 1 }
                let score = random.below(5) == 0 ? 0 : 1 + Int64(random.below(Int(spread)))
                changes.append(.init(member: UInt32(member), old: standings[member], new: (score, since)))
                standings[member] = (score, since)
            }
            changes.withUnsafeBufferPointer { index.apply($0, precedes: Self.precedes) }
            check(index, standings, dense: dense)
        }
    }

    /// Scores are few, so that many members share one and all come in behind those who have it; in the end most are taken off.
    @Test(arguments: [300, 4_096])
    func membersWhoClimbTogetherAndLeaveGiveTheSortedArray(size: Int) {
        let index = ScoreIndex(countsDistinctScores: false)
        defer { index.deallocate() }
        var random = SplitMix64(seed: UInt64(size))
        var standings = [Standing](repeating: (0, 0), count: 30_000)
        var members = Array(0..<standings.count)
        var since: UInt64 = 0
        let rounds = 200_000 / size
        for round in 0..<rounds {
            let leaves = round > rounds * 2 / 3
            members.shuffle(using: &random)
            var changes: [ScoreIndex.Change] = []
            for member in members.prefix(size) {
                since += 1
                let score = leaves ? 0 : standings[member].score + Int64(random.below(20))
                changes.append(.init(member: UInt32(member), old: standings[member], new: (score, since)))
                standings[member] = (score, since)
            }
            changes.withUnsafeBufferPointer { index.apply($0, precedes: Self.precedes) }
            if round % (rounds / 8) == 0 { check(index, standings, dense: false) }
        }
        check(index, standings, dense: false)
    }

    private func check(_ index: ScoreIndex, _ standings: [Standing], dense: Bool) {
        let sorted = standings.indices.filter { standings[$0].score > 0 }.sorted { a, b in
            let (first, second) = (standings[a], standings[b])
            if first.score != second.score { return first.score > second.score }
            if first.since != second.since { return first.since < second.since }
            return Self.precedes(UInt32(a), UInt32(b))
        }
        var order: [Int] = []
        index.forEach(from: 0, limit: .max, precedes: Self.precedes) { member, score, since in
            order.append(Int(member))
            #expect((score, since) == standings[Int(member)])
        }
        #expect(order == sorted)
        #expect(index.count == sorted.count)
        for (position, member) in sorted.enumerated() where position % 331 == 0 {
            let (score, since) = standings[member]
            #expect(
                index.rank(member: UInt32(member), score: score, since: since, precedes: Self.precedes) == position)
            if dense {
                #expect(
                    index.distinctScores(above: score)
                        == Set(sorted[..<position].map { standings[$0].score }).subtracting([score]).count)
            }
        }
    }
}
