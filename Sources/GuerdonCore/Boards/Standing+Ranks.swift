extension Standing {
    /// Calls `body` with the places from `start` on, at most `limit`, in order, and the rank of each by a tie style.
    func forEachRank(
        from start: Int, limit: Int, ties: TieStyle, _ body: (_ rank: Int, _ place: Place) -> Void
    ) {
        var (rank, last, position) = (0, Int64(0), start)
        forEachPlace(from: start, limit: limit) { place in
            if position == start {
                rank = self.rank(score: place.score, ordinal: start, ties: ties)
            } else if ties == .ordinal || place.score != last {
                rank = ties == .dense ? rank + 1 : position + 1
            }
            (last, position) = (place.score, position + 1)
            body(rank, place)
        }
    }
}
