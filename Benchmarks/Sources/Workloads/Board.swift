import GuerdonCore

extension Workload {
    /// The live order of a leaderboard with 100,000 members. Changes come by the thousand, as a board gathers them.
    static let board = [
        Workload("board-insert", unit: "member", operations: 8_000) { InsertSession() },
        Workload("board-move", unit: "move", operations: 8_000) { MoveSession() },
        Workload("board-rank", unit: "rank", operations: 1_000) { RankSession() },
        Workload("board-top-10", unit: "list", operations: 1_000) { TopSession() },
    ]
}

/// Members with their standings, and the index that orders them.
private class BoardSession {
    let index = ScoreIndex(countsDistinctScores: false)
    /// By member.
    private(set) var standings: [ScoreIndex.Standing] = []
    private var since: UInt64 = 0
    private var random: UInt64 = 1

    init(members: Int = 100_000) {
        standings = (0..<members).map { _ in newStanding() }
        apply(standings.enumerated().map { .init(member: UInt32($0), old: (0, 0), new: $1) })
    }

    deinit { index.deallocate() }

    /// A score of 1 to 50,000, made now.
    func newStanding() -> ScoreIndex.Standing {
        since += 1
        return (Int64(1 + draw(50_000)), since)
    }

    func draw(_ bound: Int) -> Int {
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int((random >> 33) % UInt64(bound))
    }

    /// Different members in any order.
    func draw(members count: Int) -> [UInt32] {
        var all = Array(standings.indices.map { UInt32($0) })
        for i in 0..<count { all.swapAt(i, i + draw(all.count - i)) }
        return Array(all.prefix(count))
    }

    func apply(_ changes: [ScoreIndex.Change]) {
        changes.withUnsafeBufferPointer { index.apply($0, precedes: <) }
    }

    func place(_ member: UInt32, at standing: ScoreIndex.Standing) { standings[Int(member)] = standing }
}

/// Adds members that were taken off before.
private final class InsertSession: BoardSession, Session {
    private var changes: [ScoreIndex.Change] = []

    func prepare() {
        let drawn = draw(members: 8_000)
        apply(drawn.map { .init(member: $0, old: standings[Int($0)], new: (0, 0)) })
        changes = drawn.map { .init(member: $0, old: (0, 0), new: standings[Int($0)]) }
    }

    func run() {
        apply(changes)
        expect(index.count == 100_000, "\(index.count) entries")
    }
}

/// Adds points to members.
private final class MoveSession: BoardSession, Session {
    private var changes: [ScoreIndex.Change] = []

    func prepare() {
        changes = draw(members: 8_000).map { member in
            let old = standings[Int(member)]
            let new = (score: old.score + Int64(1 + draw(500)), since: newStanding().since)
            place(member, at: new)
            return .init(member: member, old: old, new: new)
        }
    }

    func run() {
        apply(changes)
        expect(index.count == 100_000, "\(index.count) entries")
    }
}

/// Asks for the ranks of members.
private final class RankSession: BoardSession, Session {
    private var members: [UInt32] = []

    func prepare() { members = (0..<1_000).map { _ in UInt32(draw(100_000)) } }

    func run() {
        var sum = 0
        for member in members {
            let standing = standings[Int(member)]
            sum += index.rank(member: member, score: standing.score, since: standing.since, precedes: <)
        }
        // A thousand draws are near the middle on average.
        expect(abs(sum / 1_000 - 50_000) < 10_000, "the mean rank is \(sum / 1_000)")
    }
}

/// Lists the ten best.
private final class TopSession: BoardSession, Session {
    func run() {
        var seen = 0
        for _ in 0..<1_000 {
            index.forEach(from: 0, limit: 10, precedes: <) { _, score, _ in if score > 40_000 { seen += 1 } }
        }
        expect(seen == 10_000, "\(seen) entries")
    }
}
