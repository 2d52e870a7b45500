public import GuerdonCore

extension ReplyEncoder {
    /// Answers a question from the state as it is.
    ///
    /// - Parameters:
    ///   - now: tells which period is the current one, in nanoseconds since 1970.
    ///   - counts: what `stats` shows.
    public func answer(
        _ read: ReadRequest, id: UnsafeRawBufferPointer, from world: World, now: Int64,
        counts: @autoclosure () -> [(name: StaticString, value: Int64)]
    ) {
        let sequence = world.sequence
        let workspace = read.workspace
        do {
            switch read.query {
            case .member(let member):
                self.member(id: id, sequence: sequence, try world.member(member, in: workspace))
            case .wallet(let member, let lots):
                self.wallet(id: id, sequence: sequence, try world.wallet(member, in: workspace, lots: lots))
            case .statement(let member, let currency, let limit, let before):
                self.statement(
                    id: id, sequence: sequence,
                    try world.statement(
                        member, in: workspace, currency: currency, limit: limit, before: before?.string))
            case .upline(let member, let levels):
                self.chain(id: id, sequence: sequence, try world.upline(member, in: workspace, levels: levels))
            case .downline(let member, let levels, let limit):
                self.chain(
                    id: id, sequence: sequence,
                    try world.downline(member, in: workspace, levels: levels, limit: limit))
            case .boardTop(let board, let limit, let period):
                self.board(
                    id: id, sequence: sequence,
                    try world.boardTop(board, in: workspace, period: period?.string, limit: limit, now: now))
            case .boardRank(let board, let member, let around, let period):
                self.board(
                    id: id, sequence: sequence,
                    try world.boardRank(
                        board, in: workspace, member: member, period: period?.string, around: around, now: now))
            case .explain(let externalId):
                self.explain(id: id, sequence: sequence, try world.explain(externalId, in: workspace))
            case .stats:
                _ = try world.workspaceIndex(workspace)
                self.stats(id: id, sequence: sequence, counts())
            }
        } catch { self.refusal(id: id, ReplyEncoder.refusal(of: error), number: nil) }
    }

    /// What a failed read says; damage of log or history is told as it is.
    public static func refusal(of error: any Error) -> Refusal {
        error as? Refusal ?? Refusal(.overloaded, "The history could not be read: \(error)")
    }
}
