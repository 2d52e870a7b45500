/// How equal scores are numbered: 1224, 1223 or 1234.
public enum TieStyle: String, CaseIterable, Sendable {
    case competition, dense, ordinal
}

/// One place on a board.
public struct Standing: Equatable, Sendable {
    /// The rank under the board's tie style, from 1.
    public let rank: Int
    /// The member's id.
    public let member: Text
    /// The score as text in the board's currency.
    public let score: String
}

extension Model {
    /// Everybody on a board in a period by name, best first, under a tie style (the board's own when `nil`).
    ///
    /// Computed from nothing but what was ever credited and taken back. Empty when there is no such workspace or
    /// board.
    public func standings(
        workspace: Text, board: Text, period: String, ties: TieStyle? = nil
    ) -> [Standing] {
        guard let state = workspaces.first(where: { $0.id == workspace }), var board = state.boards[board] else {
            return []
        }
        board.ties = ties ?? board.ties
        return state.standings(of: board, in: period)
    }
}

extension Workspace {
    func standings(of board: Board, in period: String) -> [Standing] {
        var scores: [Int: (score: Int64, lastSeq: Int)] = [:]
        for event in scoreEvents
        where event.currency == board.currency && event.actionSeq > board.putSeq
            && event.periods[board.period] == period
        {
            scores[event.member, default: (0, 0)].score += event.amount
            scores[event.member]!.lastSeq = event.seq
        }
        let ordered = scores.filter { $0.value.score > 0 }.sorted { left, right in
            if left.value.score != right.value.score { return left.value.score > right.value.score }
            if left.value.lastSeq != right.value.lastSeq { return left.value.lastSeq < right.value.lastSeq }
            return members[left.key].id < members[right.key].id
        }
        return ordered.enumerated().map { index, entry in
            let better = ordered.prefix { $0.value.score > entry.value.score }
            let rank =
                switch board.ties {
                case .ordinal: index + 1
                case .competition: better.count + 1
                case .dense: Set(better.map(\.value.score)).count + 1
                }
            return Standing(
                rank: rank, member: members[entry.key].id, score: currencies[board.currency].text(entry.value.score))
        }
    }
}
