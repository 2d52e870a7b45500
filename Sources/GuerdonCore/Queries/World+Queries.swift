// Reads of members and boards. All show the state behind the last batch.

extension World {
    func find(_ id: Text, _ workspace: Workspace) throws(Refusal) -> UInt32 {
        guard let member = workspace.member(id) else { throw Refusal.unknownMember(id, field: "member") }
        return member
    }

    /// A member's profile.
    public func member(_ id: Text, in name: Text) throws(Refusal) -> MemberAnswer {
        let workspace = try workspace(name)
        let member = try find(id, workspace)
        let profile = workspace.profile(of: member) ?? Profile()
        let referrer = workspace.forest.referrer(of: member)
        return MemberAnswer(
            member: id, name: profile.name, email: profile.email, phone: profile.phone, birthday: profile.birthday,
            registered: profile.registered, kind: profile.kind, tags: profile.tags, attributes: profile.attributes,
            referrer: referrer == Forest.none ? nil : workspace.id(of: referrer),
            referralCode: workspace.referralCode(of: member))
    }

    /// A member's balances in the currencies he ever had a posting in, in order of their creation, without lots.
    public func wallet(_ id: Text, in name: Text) throws(Refusal) -> WalletAnswer {
        try walletWithSources(id, in: name, lots: false).answer
    }

    /// The same, with lots if they are wanted, and by balance and lot the log position of the command that made it.
    func walletWithSources(
        _ id: Text, in name: Text, lots: Bool
    ) throws(Refusal) -> (answer: WalletAnswer, sources: [[UInt64?]]) {
        let workspace = try workspace(name)
        let member = try find(id, workspace)
        var answer = WalletAnswer(member: id, balances: [])
        var sources: [[UInt64?]] = []
        for (c, currency) in workspace.currencies.enumerated() {
            let wallet = workspace.wallet(of: member, currency: c)
            guard wallet.lastSequence != 0 else { continue }
            var views: [WalletAnswer.Lot]?
            if lots {
                let shard = workspace.shards[workspace.shard(of: member)]
                let found = shard.wallets.lotViews(local: workspace.local(of: member), currency: c)
                views = found.map { WalletAnswer.Lot(amount: $0.amount, expires: $0.expires, source: nil) }
                sources.append(found.map(\.source))
            }
            answer.balances.append(
                WalletAnswer.Balance(
                    currency: currency.code, scale: currency.scale, available: wallet.available, debt: wallet.debt,
                    lots: views))
        }
        return (answer, sources)
    }

    /// The members above one, nearest first.
    public func upline(_ id: Text, in name: Text, levels: Int) throws(Refusal) -> ChainAnswer {
        let workspace = try workspace(name)
        var member = try find(id, workspace)
        var answer = ChainAnswer(member: id, entries: [])
        for level in 1...max(1, levels) {
            member = workspace.forest.referrer(of: member)
            if member == Forest.none { break }
            answer.entries.append(ChainAnswer.Entry(level: level, member: workspace.id(of: member)))
        }
        return answer
    }

    /// The members below one, level by level, in order of creation within a level.
    public func downline(_ id: Text, in name: Text, levels: Int, limit: Int) throws(Refusal) -> ChainAnswer {
        let workspace = try workspace(name)
        var level = [try find(id, workspace)]
        var answer = ChainAnswer(member: id, entries: [])
        for number in 1...max(1, levels) {
            // A level beyond the page is never built whole: a popular member has millions below him.
            var next: [UInt32] = []
            for member in level { next.append(contentsOf: workspace.forest.children(of: member)) }
            next.sort()
            for member in next.prefix(limit - answer.entries.count) {
                answer.entries.append(ChainAnswer.Entry(level: number, member: workspace.id(of: member)))
            }
            if answer.entries.count >= limit || next.isEmpty { break }
            level = next
        }
        return answer
    }
}

extension World {
    /// The first places of a board.
    ///
    /// - Parameters:
    ///   - period: a period's name; `nil` for the one that `now` falls into.
    ///   - now: nanoseconds since 1970.
    public func boardTop(
        _ board: Text, in name: Text, period: String?, limit: Int, now: Int64
    ) throws(Refusal) -> BoardAnswer {
        let workspace = try workspace(name)
        let (board, key) = try find(board, workspace, period: period, now: now)
        var answer = frame(board, key, workspace)
        if let standing = board.standings[key] {
            answer.entries = ranked(standing, board, workspace, from: 0, limit: limit)
        }
        return answer
    }

    /// A member's place on a board, and the places around it.
    ///
    /// - Parameter around: size of the window, the member in its middle.
    public func boardRank(
        _ board: Text, in name: Text, member id: Text, period: String?, around: Int, now: Int64
    ) throws(Refusal) -> BoardAnswer {
        let workspace = try workspace(name)
        let (board, key) = try find(board, workspace, period: period, now: now)
        let member = try find(id, workspace)
        var answer = frame(board, key, workspace)
        answer.own = (nil, 0)
        guard let standing = board.standings[key] else { return answer }
        let score = standing.score(of: member)
        guard score.score > 0 else { return answer }
        let ordinal = standing.ordinal(Standing.Place(member: member, score: score.score, since: score.since))
        answer.own = (standing.rank(score: score.score, ordinal: ordinal, ties: board.ties), score.score)
        if around > 0 {
            let above = min(around / 2, ordinal)
            let below = around - 1 - around / 2
            answer.entries = ranked(
                standing, board, workspace, from: ordinal - above, limit: above + 1 + below)
        }
        return answer
    }

    /// A board and the key of one of its periods; `nil` is the one that `now` falls into.
    func find(
        _ name: Text, _ workspace: Workspace, period: String?, now: Int64
    ) throws(Refusal) -> (Board, Int64) {
        guard let index = workspace.boardIndex[name] else {
            throw Refusal(
                .unknownBoard, field: "board",
                "There is no board \"\(name)\" in this workspace; create it with board.put.")
        }
        let board = workspace.boards[index]
        guard let period else {
            return (board, board.period.key(day: workspace.calendar.localDay(at: now), weekStart: workspace.weekStart))
        }
        guard let key = board.period.key(name: period) else {
            throw Refusal(
                .badRequest, field: "period",
                "\"\(period)\" is no period of this board; one is \"\(board.period.name(key: board.period.key(day: workspace.calendar.localDay(at: now), weekStart: workspace.weekStart)))\"."
            )
        }
        return (board, key)
    }

    /// A board without its places.
    func frame(_ board: Board, _ key: Int64, _ workspace: Workspace) -> BoardAnswer {
        var ends: (time: Int64, offset: Int32)?
        if let day = board.period.endDay(key: key, weekStart: workspace.weekStart) {
            let seconds = workspace.zone.startOfDay(day)
            let (nanos, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            if !overflow { ends = (nanos, workspace.zone.offset(at: seconds).offset) }
        }
        return BoardAnswer(
            board: board.name, period: board.period.name(key: key), ends: ends,
            total: board.standings[key]?.count ?? 0, scale: workspace.currencies[board.currency].scale, entries: [],
            own: nil)
    }

    private func ranked(
        _ standing: Standing, _ board: Board, _ workspace: Workspace, from start: Int, limit: Int
    ) -> [BoardAnswer.Entry] {
        var entries: [BoardAnswer.Entry] = []
        standing.forEachRank(from: start, limit: limit, ties: board.ties) { rank, place in
            entries.append(
                BoardAnswer.Entry(rank: rank, member: workspace.id(of: place.member), score: place.score))
        }
        return entries
    }
}
