extension Model {
    func answer(_ read: Read, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        let state = workspaces[workspace]
        switch read {
        case .member(let id): return memberFields(state.members[try number(of: id, state)], state)
        case .wallet(let id, let lots):
            let member = state.members[try number(of: id, state)]
            let balances = member.wallets.keys.sorted().map { number in
                balance(member.wallets[number]!, in: state.currencies[number], lots: lots)
            }
            return ["member": .string(member.id), "balances": .array(balances)]
        case .statement(let id, let currency, let limit, let before):
            return try statement(try number(of: id, state), currency, limit, before, state)
        case .upline(let id, let levels):
            let above = state.upline(of: try number(of: id, state)).prefix(levels)
            return [
                "entries": .array(above.enumerated().map { chainEntry(level: $0 + 1, member: state.members[$1].id) })
            ]
        case .downline(let id, let levels, let limit):
            return ["entries": .array(downline(try number(of: id, state), levels, state).prefix(limit).map { $0 })]
        case .top(let id, let limit, let period): return try top(id, limit, period, state)
        case .rank(let id, let member, let around, let period):
            return try rank(id, member, around, period, state)
        case .explain(let id):
            guard state.actions[id] != nil else { throw Refusal("unknown_action", "externalId") }
            return ["*": .anything]
        case .stats: return ["*": .anything]
        }
    }

    private func number(of id: Text, _ state: Workspace) throws(Refusal) -> Int {
        guard let number = state.memberNumber(id) else { throw Refusal("unknown_member", "member") }
        return number
    }

    private func memberFields(_ member: Member, _ state: Workspace) -> [Text: JSON] {
        [
            "member": .string(member.id), "name": .optional(member.name), "email": .optional(member.email),
            "phone": .optional(member.phone), "birthday": .optional(member.birthday.map { Text($0.text) }),
            "registered": .optional(member.registered.map { Text($0.text) }), "kind": .optional(member.kind),
            "tags": .array(member.tags.map { .string($0) }), "attributes": .object(member.attributes.mapValues(\.json)),
            "referrer": .optional(member.referrer.map { state.members[$0].id }),
            "referralCode": .optional(member.code),
        ]
    }

    private func balance(_ wallet: Wallet, in currency: Currency, lots: Bool) -> JSON {
        let zero = JSON.text(currency.text(0))
        var fields: [Text: JSON] = [
            "currency": .string(currency.id), "available": .text(currency.text(wallet.available)), "pending": zero,
            "reserved": zero,
        ]
        if wallet.debt > 0 { fields["debt"] = .text(currency.text(wallet.debt)) }
        guard lots else { return .object(fields) }
        var list: [JSON] = wallet.lots.map { lot in
            [
                "amount": .text(currency.text(lot.amount)), "expires": .text(lot.expires.text()),
                "source": .optional(lot.source),
            ]
        }
        if wallet.undated > 0 {
            list.append([
                "amount": .text(currency.text(wallet.undated)), "expires": nil,
                "source": .optional(wallet.undatedSource?.externalId),
            ])
        }
        fields["lots"] = .array(list)
        return .object(fields)
    }

    private func statement(
        _ member: Int, _ currency: Text?, _ limit: Int, _ before: Int?, _ state: Workspace
    ) throws(Refusal) -> [Text: JSON] {
        var number: Int?
        if let currency {
            number = state.currencyNumber(currency)
            if number == nil { throw Refusal("unknown_currency", "currency") }
        }
        let rows = state.postings.filter { $0.member == member && (number == nil || $0.currency == number) }
        let older = rows.reversed().dropFirst(before ?? 0)
        return [
            "entries": .array(older.prefix(limit).map { row($0, state) }),
            "next": older.count > limit ? .oneOf([.int((before ?? 0) + limit), .something]) : .null,
        ]
    }

    /// All lines of a member's statement, newest first, as the wire shows them; `nil` when workspace, member or
    /// currency are unknown. For comparing a statement that was read page by page.
    public func statementEntries(workspace: Text, member: Text, currency: Text? = nil) -> [JSON]? {
        guard let state = workspaces.first(where: { $0.id == workspace }), let number = state.memberNumber(member)
        else { return nil }
        return try? statement(number, currency, Int.max, nil, state)["entries"]?.elements
    }

    private func row(_ posting: Posting, _ state: Workspace) -> JSON {
        let currency = state.currencies[posting.currency]
        var source = JSON.null
        if case .of(let member, let externalId, let reversed)? = posting.source {
            var fields: [Text: JSON] = ["member": .string(member), "externalId": .string(externalId)]
            if let reversed { fields["of"] = .string(reversed) }
            source = .object(fields)
        }
        return [
            "seq": .int(posting.seq), "at": .text(posting.at.text()), "recorded": .text(posting.recorded.text()),
            "currency": .string(currency.id), "amount": .text(currency.text(posting.amount)),
            "balance": .text(currency.text(posting.balance)), "kind": .text(posting.kind.rawValue),
            "plan": .optional(posting.origin?.plan), "version": posting.origin.map { .int($0.version) } ?? .null,
            "bonus": .optional(posting.origin?.bonus), "level": posting.origin.map { .int($0.level) } ?? .null,
            "source": source, "description": .optional(posting.description),
        ]
    }

    private func chainEntry(level: Int, member: Text) -> JSON {
        ["level": .int(level), "member": .string(member)]
    }

    private func downline(_ member: Int, _ levels: Int, _ state: Workspace) -> [JSON] {
        var result: [JSON] = []
        var generation = [member]
        for level in 1...levels {
            generation = state.members.indices.filter { state.members[$0].referrer.map(generation.contains) ?? false }
            if generation.isEmpty { break }
            result += generation.map { chainEntry(level: level, member: state.members[$0].id) }
        }
        return result
    }

    private func board(
        _ id: Text, _ name: String?, _ state: Workspace
    ) throws(Refusal) -> (board: Board, period: Period) {
        guard let board = state.boards[id] else { throw Refusal("unknown_board", "board") }
        guard let name else {
            let today = state.zone.date(at: now)
            return (board, Period(board.period, holding: today, weekStart: state.weekStart))
        }
        guard let period = Period(board.period, named: name, weekStart: state.weekStart) else {
            throw .badRequest("period")
        }
        return (board, period)
    }

    private func entry(_ standing: Standing) -> JSON {
        ["rank": .int(standing.rank), "member": .string(standing.member), "score": .text(standing.score)]
    }

    private func top(
        _ id: Text, _ limit: Int, _ name: String?, _ state: Workspace
    ) throws(Refusal) -> [Text: JSON] {
        let (board, period) = try board(id, name, state)
        let standings = state.standings(of: board, in: period.name)
        let ends = period.next.map { JSON.text(state.zone.text(state.zone.start(of: $0))) }
        return [
            "board": .string(id), "period": .text(period.name), "ends": ends ?? .null, "total": .int(standings.count),
            "entries": .array(standings.prefix(limit).map(entry)),
        ]
    }

    private func rank(
        _ id: Text, _ member: Text, _ around: Int, _ name: String?, _ state: Workspace
    ) throws(Refusal) -> [Text: JSON] {
        let (board, period) = try board(id, name, state)
        _ = try number(of: member, state)
        let standings = state.standings(of: board, in: period.name)
        guard let place = standings.firstIndex(where: { $0.member == member }) else {
            return ["rank": nil, "score": .text(state.currencies[board.currency].text(0)), "entries": []]
        }
        var window: [JSON] = []
        if around > 0 {
            let first = max(0, place - around / 2)
            let last = min(standings.count - 1, place + around - 1 - around / 2)
            window = standings[first...last].map(entry)
        }
        return [
            "rank": .int(standings[place].rank), "score": .text(standings[place].score), "entries": .array(window),
        ]
    }
}
