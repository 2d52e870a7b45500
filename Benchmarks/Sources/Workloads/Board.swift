import GuerdonCore

extension Workload {
    /// The live order of a leaderboard with 100,000 members.
    static let board = [
        Workload("board-insert", unit: "member", operations: 1_000) { InsertSession() },
        Workload("board-move", unit: "move", operations: 1_000) { MoveSession() },
        Workload("board-rank", unit: "rank", operations: 1_000) { RankSession() },
        Workload("board-top-10", unit: "list", operations: 1_000) { TopSession() },
    ]
}

/// Members with their standings, and the index that orders them.
private class BoardSession {
    let index = ScoreIndex(countsDistinctScores: false)
    /// By member.
    private(set) var standings: [ScoreIndex.Standing] = []
    private(set) var since: UInt64 = 0
    private var random: UInt64 = 1

    init(members: Int = 100_000) {
        for member in 0..<members {
            standings.append(newStanding())
            insert(UInt32(member))
        }
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

    func insert(_ member: UInt32) {
        let standing = standings[Int(member)]
        index.insert(member: member, score: standing.score, since: standing.since, precedes: <)
    }

    func remove(_ member: UInt32) {
        let standing = standings[Int(member)]
        index.remove(member: member, score: standing.score, since: standing.since, precedes: <)
    }

    func place(_ member: UInt32, at standing: ScoreIndex.Standing) { standings[Int(member)] = standing }
}

/// Adds members that were taken off before.
private final class InsertSession: BoardSession, Session {
    private var drawn: [UInt32] = []

    func prepare() {
        var members: Set<UInt32> = []
        while members.count < 1_000 { members.insert(UInt32(draw(100_000))) }
        drawn = members.sorted()
        for i in drawn.indices { drawn.swapAt(i, draw(drawn.count)) }
        for member in drawn { remove(member) }
    }

    func run() {
        for member in drawn { insert(member) }
        expect(index.count == 100_000, "\(index.count) entries")
    }
}

/// Adds points to members, whose places are found in runs of 64 as the engine does it.
private final class MoveSession: BoardSession, Session {
    private static let run = 64
    private var members: [UInt32] = []
    private var old: [ScoreIndex.Standing] = []
    private var new: [ScoreIndex.Standing] = []
    private var found = [ScoreIndex.Place](repeating: .unknown, count: 2 * run)
    private var asked = [ScoreIndex.Standing](repeating: (0, 0), count: 2 * run)

    func prepare() {
        for (member, standing) in zip(members, new) { place(member, at: standing) }
        var drawn: Set<UInt32> = []
        while drawn.count < 1_000 { drawn.insert(UInt32(draw(100_000))) }
        members = drawn.sorted()
        for i in members.indices { members.swapAt(i, draw(members.count)) }
        old = members.map { standings[Int($0)] }
        new = old.map { ($0.score + Int64(1 + draw(500)), newStanding().since) }
    }

    func run() {
        for first in stride(from: 0, to: members.count, by: Self.run) {
            let rows = first..<min(first + Self.run, members.count)
            for (i, row) in rows.enumerated() {
                asked[2 * i] = old[row]
                asked[2 * i + 1] = new[row]
            }
            asked.withUnsafeBufferPointer { asked in
                found.withUnsafeMutableBufferPointer { found in
                    index.findPlaces(of: asked, into: found)
                }
            }
            for (i, row) in rows.enumerated() { index.prefetchEntry(member: members[row], at: found[2 * i]) }
            for (i, row) in rows.enumerated() {
                index.move(
                    member: members[row], from: old[row], to: new[row], near: (found[2 * i], found[2 * i + 1]),
                    precedes: <)
            }
        }
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
