public import GuerdonCore

extension ReplyEncoder {
    /// Answers a question from the state as it is, if all that it needs is in memory.
    ///
    /// - Returns: the question when it is not answered yet: what it needs must be fetched, and
    ///   ``answer(_:id:from:)`` be called until it is answered.
    public func answerFromMemory(
        _ read: ReadRequest, id: UnsafeRawBufferPointer, from world: World, now: Int64,
        counts: @autoclosure () -> [(name: StaticString, value: Int64)]
    ) -> PastRead? {
        let sequence = world.sequence
        let workspace = read.workspace
        do {
            switch read.query {
            case .member(let member):
                self.member(id: id, sequence: sequence, try world.member(member, in: workspace))
            case .wallet(let member, lots: false):
                self.wallet(id: id, sequence: sequence, try world.wallet(member, in: workspace))
            case .wallet(let member, lots: true):
                return begin(try world.walletRead(member, in: workspace), id: id, from: world)
            case .statement(let member, let currency, let limit, let before):
                let past = try world.statementRead(
                    member, in: workspace, currency: currency, limit: limit, before: before?.string)
                return begin(past, id: id, from: world)
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
                return begin(try world.explainRead(externalId, in: workspace), id: id, from: world)
            case .stats:
                _ = try world.workspaceIndex(workspace)
                self.stats(id: id, sequence: sequence, counts())
            }
        } catch { self.refusal(id: id, error, number: nil) }
        return nil
    }

    private func begin(_ past: PastRead, id: UnsafeRawBufferPointer, from world: World) -> PastRead? {
        var past = past
        return answer(&past, id: id, from: world) ? nil : past
    }

    /// Answers a question that goes back into log and history, when everything it needs was fetched.
    ///
    /// - Returns: whether it is answered; else fetch and call again.
    public func answer(_ past: inout PastRead, id: UnsafeRawBufferPointer, from world: World) -> Bool {
        do {
            switch try world.answer(&past) {
            case .statement(let answer)?: statement(id: id, sequence: past.sequence, answer)
            case .wallet(let answer)?: wallet(id: id, sequence: past.sequence, answer)
            case .explain(let answer)?: explain(id: id, sequence: past.sequence, answer)
            case nil: return false
            }
        } catch { refusal(id: id, ReplyEncoder.refusal(of: error), number: nil) }
        return true
    }

    /// What a failed read says; damage of log or history is told as it is.
    public static func refusal(of error: any Error) -> Refusal {
        error as? Refusal ?? Refusal(.overloaded, "The history could not be read: \(error)")
    }
}
