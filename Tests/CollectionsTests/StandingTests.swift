import TestSupport
import Testing

@testable import GuerdonCore

/// Ranks and windows of a standing on several shards against a sorted array.
@Suite struct StandingTests {
    private let members = IdTable(seed: BitHash.Seed(1, 2, 3, 4))

    private func makeMembers(_ count: Int) {
        for number in 0..<count {
            // In an order that is not that of their numbers.
            "\(number &* 7919 % 1000)-\(number)".withBytes { _ = members.insert(members.hash($0), $0) }
        }
    }

    private func sorted(_ scores: [UInt32: Standing.Score]) -> [(member: UInt32, score: Int64)] {
        scores.filter { $0.value.score > 0 }.sorted { a, b in
            if a.value.score != b.value.score { return a.value.score > b.value.score }
            if a.value.since != b.value.since { return a.value.since < b.value.since }
            return members.precedes(a.key, b.key)
        }.map { ($0.key, $0.value.score) }
    }

    private func check(_ standing: Standing, _ scores: [UInt32: Standing.Score], _ random: inout SplitMix64) {
        let all = sorted(scores)
        #expect(standing.count == all.count)
        var dense = 0
        var first = 0
        for (position, entry) in all.enumerated() {
            if position == 0 || all[position - 1].score != entry.score {
                dense += 1
                first = position
                #expect(standing.rank(score: entry.score, ordinal: position, ties: .dense) == dense)
            }
            if position % 97 == 0 {
                #expect(standing.rank(score: entry.score, ordinal: position, ties: .competition) == first + 1)
            }
        }
        for (start, limit) in [(0, 10), (0, all.count + 5), (all.count, 3), (all.count + 7, 3)]
            + (0..<12).map({ _ in (random.below(all.count + 2), random.below(40)) })
        {
            var places: [Standing.Place] = []
            standing.forEachPlace(from: start, limit: limit) { places.append($0) }
            #expect(places.map(\.member) == all.dropFirst(start).prefix(limit).map(\.member))
            #expect(places.map(\.score) == all.dropFirst(start).prefix(limit).map(\.score))
        }
    }

    @Test(arguments: [1, 2, 4, 8], [3, 2000] as [Int])
    func ranksAndWindowsAreThoseOfTheSortedArray(shards: Int, spread: Int) {
        makeMembers(1500)
        var random = SplitMix64(seed: UInt64(shards))
        let standing = Standing(key: 0, shardCount: shards, members: members, countsDistinct: true)
        var scores: [UInt32: Standing.Score] = [:]
        var sequence: UInt64 = 0
        for round in 0..<12 {
            for _ in 0..<400 {
                let member = UInt32(random.below(1500))
                let old = scores[member]?.score ?? 0
                // Several members change at one position; some lose all they have.
                if random.below(3) > 0 { sequence += 1 }
                let amount = old > 0 && random.below(4) == 0 ? -old : Int64(1 + random.below(spread))
                standing.add(amount, to: member, sequence: sequence)
                scores[member] = Standing.Score(score: old + amount, since: sequence)
            }
            check(standing, scores, &random)
            // What loading and a change of the tie style do.
            if round == 5 { standing.rebuild(countsDistinct: false) }
            if round == 5 || round == 9 { standing.rebuild(countsDistinct: true) }
        }
    }

    @Test func ordersKeptBesideTheOwnerAreThoseOfTheSortedArray() {
        let count = 30_000
        makeMembers(count)
        var random = SplitMix64(seed: 7)
        let runner = Procrastinator()
        let standing = Standing(
            key: 0, shardCount: 1, members: members, countsDistinct: true, side: SideWork(runner))
        var scores: [UInt32: Standing.Score] = [:]
        for round in 0..<3 {
            for step in 0..<20_000 {
                let member = UInt32(random.below(count))
                let amount = Int64(1 + random.below(50))
                let sequence = UInt64(round * 20_000 + step / 2 + 1)
                standing.add(amount, to: member, sequence: sequence)
                scores[member] = Standing.Score(score: (scores[member]?.score ?? 0) + amount, since: sequence)
            }
            check(standing, scores, &random)
            standing.rebuild(countsDistinct: true)
            check(standing, scores, &random)
        }
        #expect(runner.started >= 6)
    }

    @Test(arguments: [1200, 30_000])
    func ordersThatWaitForTheEndOfAReplayAreThoseOfTheSortedArray(changes: Int) {
        let count = 30_000
        makeMembers(count)
        var random = SplitMix64(seed: 8)
        let side = SideWork(Procrastinator())
        let standing = Standing(key: 0, shardCount: 1, members: members, countsDistinct: true, side: side)
        var scores: [UInt32: Standing.Score] = [:]
        var sequence: UInt64 = 0
        func change(_ times: Int) {
            for _ in 0..<times {
                let member = UInt32(random.below(count))
                sequence += 1
                standing.add(1, to: member, sequence: sequence)
                scores[member] = Standing.Score(score: (scores[member]?.score ?? 0) + 1, since: sequence)
            }
        }
        change(count)
        for _ in 0..<3 {
            side.beginReplay(Procrastinator())
            // A few changes are brought into the order as always; many wait, so that it is built once at the end.
            for _ in 0..<4 { change(changes) }
            side.endReplay()
            standing.endReplay()
            check(standing, scores, &random)
            change(changes)
            check(standing, scores, &random)
        }
    }

    @Test(arguments: [2, 8]) func theDenseRankOfTheLastCostsNoMoreThanThatOfTheFirst(shards: Int) {
        let count = 50_000
        let standing = Standing(key: 0, shardCount: shards, members: members, countsDistinct: true)
        for member in 0..<count { standing.add(Int64(member + 1), to: UInt32(member), sequence: UInt64(member + 1)) }
        #expect(standing.rank(score: 1, ordinal: count - 1, ties: .dense) == count)
        func time(score: Int64) -> Duration {
            ContinuousClock().measure {
                for _ in 0..<200 { _ = standing.rank(score: score, ordinal: 0, ties: .dense) }
            }
        }
        // It was some thousand times as much while everything above was read.
        #expect(time(score: 1) < time(score: Int64(count)) * 20 + .milliseconds(20))
    }
}
