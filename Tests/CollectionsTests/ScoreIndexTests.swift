import GuerdonCore
import TestSupport
import Testing

/// A leaderboard as a sorted array: slow and obvious.
private struct SortedBoard {
    struct Entry: Equatable {
        var member: UInt32
        var score: Int64
        var since: UInt64
    }

    var entries: [Entry] = []

    /// Members in an order that is not that of their numbers.
    static func precedes(_ a: UInt32, _ b: UInt32) -> Bool { tie(a) < tie(b) }

    private static func tie(_ member: UInt32) -> UInt32 { member &* 0x9e37_79b1 }

    static func isBefore(_ a: Entry, _ b: Entry) -> Bool {
        if a.score != b.score { return a.score > b.score }
        if a.since != b.since { return a.since < b.since }
        return tie(a.member) < tie(b.member)
    }

    func position(of entry: Entry) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if Self.isBefore(entries[middle], entry) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    mutating func insert(_ entry: Entry) { entries.insert(entry, at: position(of: entry)) }
    mutating func remove(_ entry: Entry) { entries.remove(at: position(of: entry)) }
}

/// An index and its model, changed alike.
private struct Pair {
    let index = ScoreIndex(countsDistinctScores: true)
    var model = SortedBoard()
    /// Who is in, for choosing at random.
    var present: [SortedBoard.Entry] = []

    mutating func insert(_ entry: SortedBoard.Entry) {
        change(entry.member, from: (0, 0), to: (entry.score, entry.since))
        model.insert(entry)
        present.append(entry)
    }

    mutating func remove(at place: Int) {
        let entry = present[place]
        change(entry.member, from: (entry.score, entry.since), to: (0, 0))
        model.remove(entry)
        present.swapAt(place, present.count - 1)
        present.removeLast()
    }

    mutating func move(at place: Int, score: Int64, since: UInt64) {
        let old = present[place]
        let new = SortedBoard.Entry(member: old.member, score: score, since: since)
        change(old.member, from: (old.score, old.since), to: (score, since))
        model.remove(old)
        model.insert(new)
        present[place] = new
    }

    private func change(_ member: UInt32, from old: ScoreIndex.Standing, to new: ScoreIndex.Standing) {
        let change = ScoreIndex.Change(member: member, old: old, new: new)
        withUnsafePointer(to: change) {
            index.apply(UnsafeBufferPointer(start: $0, count: 1), precedes: SortedBoard.precedes)
        }
    }

    /// All entries, by windows of a size.
    func window(from position: Int, limit: Int) -> [SortedBoard.Entry] {
        var entries: [SortedBoard.Entry] = []
        index.forEach(from: position, limit: limit, precedes: SortedBoard.precedes) { member, score, since in
            entries.append(.init(member: member, score: score, since: since))
        }
        return entries
    }

    func check(_ entry: SortedBoard.Entry) {
        let rank = index.rank(
            member: entry.member, score: entry.score, since: entry.since, precedes: SortedBoard.precedes)
        #expect(rank == model.position(of: entry))
        let above = model.entries.prefix { $0.score > entry.score }
        #expect(index.entries(above: entry.score) == above.count)
        #expect(index.distinctScores(above: entry.score) == Set(above.map(\.score)).count)
    }

    func checkAll() {
        #expect(index.count == model.entries.count)
        #expect(index.distinctScores(above: 0) == Set(model.entries.map(\.score)).count)
        #expect(window(from: 0, limit: .max) == model.entries)
    }
}

struct ScoreIndexTests {
    /// Ranges of scores and of since: from all different to all equal.
    static let shapes: [(scores: Int, sinces: Int)] = [
        (1 << 40, 1 << 40), (1000, 1 << 30), (5, 1 << 30), (5, 3), (1, 1),
    ]

    @Test(arguments: shapes, 1...3)
    fileprivate func randomChangesMatchASortedArray(shape: (scores: Int, sinces: Int), seed: Int) {
        var random = SplitMix64(seed: UInt64(seed))
        var pair = Pair()
        defer { pair.index.deallocate() }
        var nextMember: UInt32 = 0
        // Grows, shrinks and grows again, so that leaves and groups split and join.
        for target in [3000, 200, 9000, 20, 500] {
            while pair.present.count != target {
                let grow = pair.present.count < target
                let choice = random.below(10)
                if pair.present.isEmpty || (grow ? choice < 6 : choice < 2) {
                    pair.insert(
                        .init(
                            member: nextMember, score: Int64(random.below(shape.scores)) + 1,
                            since: UInt64(random.below(shape.sinces))))
                    nextMember += 1
                } else if grow ? choice < 7 : choice < 8 {
                    pair.remove(at: random.below(pair.present.count))
                } else {
                    pair.move(
                        at: random.below(pair.present.count), score: Int64(random.below(shape.scores)) + 1,
                        since: UInt64(random.below(shape.sinces)))
                }
                if choice == 0, random.below(20) == 0, let entry = pair.present.randomElement(using: &random) {
                    pair.check(entry)
                    pair.check(.init(member: nextMember + 1, score: entry.score, since: entry.since))
                    let start = random.below(pair.model.entries.count)
                    let limit = random.below(150)
                    #expect(
                        pair.window(from: start, limit: limit)
                            == Array(pair.model.entries.dropFirst(start).prefix(limit)))
                }
            }
            pair.checkAll()
        }
    }

    @Test func everyOrderOfSevenInsertionsAndRemovalsIsRight() {
        // Three scores and two sinces among seven members: every tie there is.
        let entries = (0..<7).map {
            SortedBoard.Entry(member: UInt32($0), score: Int64($0 % 3) + 1, since: UInt64($0 % 2))
        }
        var order = Array(0..<7)
        var permutations = 0
        func visit(_ depth: Int) {
            if depth == order.count {
                permutations += 1
                var pair = Pair()
                defer { pair.index.deallocate() }
                for number in order { pair.insert(entries[number]) }
                pair.checkAll()
                for entry in entries { pair.check(entry) }
                while !pair.present.isEmpty {
                    pair.remove(at: pair.present.count / 2)
                    if permutations % 50 == 0 { pair.checkAll() }
                }
                return
            }
            for place in depth..<order.count {
                order.swapAt(depth, place)
                visit(depth + 1)
                order.swapAt(depth, place)
            }
        }
        visit(0)
        #expect(permutations == 5040)
    }

    @Test func extremesAreOrdered() {
        var pair = Pair()
        defer { pair.index.deallocate() }
        let scores: [Int64] = [.max, .max - 1, 1, 3, 1, .max, 2, .max]
        let last: UInt64 = (1 << 48) - 1
        let sinces: [UInt64] = [last, 0, last, 0, 5, last, 1, 0]
        for (member, (score, since)) in zip(scores, sinces).enumerated() {
            pair.insert(.init(member: UInt32(member), score: score, since: since))
        }
        pair.checkAll()
        for entry in pair.present { pair.check(entry) }
        pair.move(at: 0, score: 1, since: 0)
        pair.checkAll()
    }

    @Test(arguments: [0, 1, 47, 48, 49, 48 * 48, 48 * 48 + 1, 20_000])
    func buildingFromSortedEntriesGivesTheSameIndex(count: Int) {
        var random = SplitMix64(seed: 9)
        var pair = Pair()
        defer { pair.index.deallocate() }
        var entries = (0..<count).map { member in
            SortedBoard.Entry(
                member: UInt32(member), score: Int64(random.below(300)) + 1, since: UInt64(random.below(20)))
        }
        entries.sort(by: SortedBoard.isBefore)
        pair.index.build(count: count, precedes: SortedBoard.precedes) { index in
            (entries[index].member, entries[index].score, entries[index].since)
        }
        pair.model.entries = entries
        pair.present = entries
        pair.checkAll()
        for number in 0..<min(count, 300) {
            pair.check(entries[random.below(count)])
            pair.move(at: random.below(count), score: Int64(random.below(300)) + 1, since: UInt64(number))
        }
        pair.checkAll()
        let position = count / 2
        let selected = pair.index.select(position, precedes: SortedBoard.precedes)
        #expect(selected?.member == (position < count ? pair.model.entries[position].member : nil))
    }

    @Test(arguments: shapes, [0, 1, 24, 25, 300, 30_000])
    fileprivate func rebuildingSortsEntriesInAnyOrder(shape: (scores: Int, sinces: Int), count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        var pair = Pair()
        defer { pair.index.deallocate() }
        let entries = (0..<count).map { member in
            SortedBoard.Entry(
                member: UInt32(member), score: Int64(random.below(shape.scores)) + 1,
                since: UInt64(random.below(shape.sinces)))
        }
        pair.index.rebuild(count: count, precedes: SortedBoard.precedes) { index in
            (entries[index].member, entries[index].score, entries[index].since)
        }
        pair.model.entries = entries.sorted(by: SortedBoard.isBefore)
        pair.checkAll()
    }

    @Test(arguments: shapes)
    fileprivate func shardsAreCutWhereTheWholeBoardWouldBe(shape: (scores: Int, sinces: Int)) {
        var random = SplitMix64(seed: 4)
        var shards = (0..<4).map { _ in Pair() }
        defer { for shard in shards { shard.index.deallocate() } }
        var entries: [SortedBoard.Entry] = []
        for member in 0..<3000 {
            let entry = SortedBoard.Entry(
                member: UInt32(member), score: Int64(random.below(shape.scores)) + 1,
                since: UInt64(random.below(shape.sinces)))
            // The third shard stays empty.
            shards[[0, 1, 3][member % 7 % 3]].insert(entry)
            entries.append(entry)
        }
        entries.sort(by: SortedBoard.isBefore)
        for position in [0, 1, 17, 1500, 2999, 3000] {
            let cut = ScoreIndex.cut(at: position, of: shards.map(\.index), precedes: SortedBoard.precedes)
            #expect(cut.reduce(0, +) == position)
            var above: [UInt32] = []
            for (shard, count) in zip(shards, cut) {
                shard.index.forEach(from: 0, limit: count, precedes: SortedBoard.precedes) { member, _, _ in
                    above.append(member)
                }
            }
            #expect(Set(above) == Set(entries.prefix(position).map(\.member)))
        }
    }

    @Test(arguments: [true, false])
    func oneDirectionOfGrowthIsRight(descending: Bool) {
        var pair = Pair()
        defer { pair.index.deallocate() }
        for number in 0..<20_000 {
            let score = Int64(descending ? 30_000 - number : number + 1)
            pair.insert(.init(member: UInt32(number), score: score, since: UInt64(number)))
        }
        pair.checkAll()
        // Newcomers at the end leave no half-empty leaves behind.
        if descending { #expect(pair.index.storageBytes < 20_000 * 32 * 2) }
        while pair.present.count > 100 { pair.remove(at: pair.present.count - 1) }
        pair.checkAll()
    }
}
