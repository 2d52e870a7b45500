extension Model {
    /// Throws `conflict` for an id that was used for something else; answers the reply to a resent command.
    func duplicate(_ id: Text, _ content: Content, in workspace: Int) throws(Refusal) -> [Text: JSON]? {
        guard let first = workspaces[workspace].remembered[id] else { return nil }
        guard first.content == content else { throw Refusal("conflict", "externalId") }
        return ["seq": .int(first.seq), "duplicate": true]
    }

    mutating func act(_ action: PutAction, in workspace: Int, detail: Bool) throws(Refusal) -> [Text: JSON] {
        if let reply = try duplicate(action.externalId, action.content, in: workspace) { return reply }
        let state = workspaces[workspace]
        let known = state.memberNumber(action.performer)
        guard known != nil || state.createsPerformers else { throw Refusal("unknown_member", "performer") }

        var valueScale = 6
        if let currency = action.currency {
            guard let number = state.currencyNumber(currency) else { throw Refusal("unknown_currency", "currency") }
            valueScale = state.currencies[number].scale
        }
        var value: Int64?
        if let decimal = action.value {
            guard let units = decimal.minor(scale: valueScale), units >= 0 else { throw .outOfRange("value") }
            value = units
        }
        let at = action.at ?? now
        let facts = ActionFacts(
            type: action.type, value: value.map { ExactDecimal(units: $0, scale: valueScale) },
            currency: action.currency, at: at, title: action.title, externalId: action.externalId,
            attributes: action.attributes)
        let performer = known ?? state.members.count
        let evaluation = try Evaluation(state, facts, performer: performer, id: action.performer)
        try evaluation.checkTotals()

        if known == nil { _ = workspaces[workspace].createMember(action.performer) }
        workspaces[workspace].members[performer].tags = evaluation.tags
        let date = state.zone.date(at: at)
        let periods = PeriodKind.allCases.map { ($0, Period($0, holding: date, weekStart: state.weekStart).name) }
        let record = ActionRecord(
            seq: lastSequence, externalId: action.externalId, performer: performer, at: at, valueScale: valueScale,
            value: value, left: value ?? 0, periods: Dictionary(uniqueKeysWithValues: periods), paid: evaluation.paid)
        for reward in evaluation.paid { pay(reward, record, in: workspace) }
        expireLots(in: workspace)
        workspaces[workspace].actions[action.externalId] = record
        workspaces[workspace].remembered[action.externalId] = Remembered(seq: lastSequence, content: action.content)
        return detail ? ["rewards": .array(evaluation.paid.map { line($0, amount: $0.amount, in: workspace) })] : [:]
    }

    private mutating func pay(_ reward: PaidReward, _ action: ActionRecord, in workspace: Int) {
        credit(
            reward.amount, to: reward.member, currency: reward.currency, from: reward.source,
            expires: reward.expires, source: action.externalId, in: workspace)
        if case .funding(let account) = reward.source {
            workspaces[workspace].accounts[account]!.spent += reward.amount
        }
        let performer = workspaces[workspace].members[action.performer].id
        post(
            reward.amount, member: reward.member, currency: reward.currency, kind: .reward, at: action.at,
            origin: reward.origin, source: .of(member: performer, externalId: action.externalId, reversed: nil),
            description: reward.origin.description, in: workspace)
        score(reward, action, amount: reward.amount, in: workspace)
    }

    private mutating func score(_ reward: PaidReward, _ action: ActionRecord, amount: Int64, in workspace: Int) {
        guard amount != 0 else { return }
        workspaces[workspace].scoreEvents.append(
            ScoreEvent(
                seq: lastSequence, actionSeq: action.seq, member: reward.member, currency: reward.currency,
                amount: amount, periods: action.periods))
    }

    private func line(_ reward: PaidReward, amount: Int64, in workspace: Int) -> JSON {
        let state = workspaces[workspace]
        let currency = state.currencies[reward.currency]
        return .object([
            "member": .string(state.members[reward.member].id), "currency": .string(currency.id),
            "amount": .text(currency.text(amount)), "plan": .string(reward.origin.plan),
            "bonus": .string(reward.origin.bonus), "level": .int(reward.origin.level),
        ])
    }

    mutating func reverse(_ reversal: Reversal, in workspace: Int, detail: Bool) throws(Refusal) -> [Text: JSON] {
        if let reply = try duplicate(reversal.externalId, reversal.content, in: workspace) { return reply }
        guard var action = workspaces[workspace].actions[reversal.of] else { throw Refusal("unknown_action", "of") }
        guard !action.isClosed else { throw Refusal("already_reversed", "of") }
        if let decimal = reversal.value {
            guard action.value != nil, let value = decimal.minor(scale: action.valueScale),
                value > 0, value <= action.left
            else { throw .outOfRange("value") }
            action.left -= value
            action.isClosed = action.left == 0
        } else {
            action.left = 0
            action.isClosed = true
        }

        var lines: [JSON] = []
        let left = ExactDecimal(units: action.left, scale: action.valueScale)
        for index in action.paid.indices {
            let reward = action.paid[index]
            var remains: Int64 = 0
            if !action.isClosed {
                let scale = workspaces[workspace].currencies[reward.currency].scale
                remains = try reward.formula.amount(for: left, scale: scale, rounding: reward.rounding)
            }
            let due = reward.amount - reward.taken - remains
            guard due > 0 else { continue }
            action.paid[index].taken += due
            let taken = takeBack(due, of: reward, action, by: reversal, in: workspace)
            var fields = line(reward, amount: -taken, in: workspace)
            if taken < due, case .object(var members) = fields {
                members["shortfall"] = .text(workspaces[workspace].currencies[reward.currency].text(due - taken))
                fields = .object(members)
            }
            lines.append(fields)
        }
        workspaces[workspace].actions[reversal.of] = action
        workspaces[workspace].remembered[reversal.externalId] = Remembered(
            seq: lastSequence, content: reversal.content)
        return detail ? ["rewards": .array(lines)] : [:]
    }

    /// Takes from the lot that the action credited, then from the others; answers what was really taken.
    private mutating func takeBack(
        _ due: Int64, of reward: PaidReward, _ action: ActionRecord, by reversal: Reversal, in workspace: Int
    ) -> Int64 {
        var wallet = workspaces[workspace].members[reward.member].wallets[reward.currency]!
        var taken = wallet.take(due, fromLotOf: action.seq, expires: reward.expires)
        taken += wallet.take(due - taken)
        if taken < due && reward.becomesDebt {
            wallet.owe(due - taken)
            taken = due
        }
        workspaces[workspace].members[reward.member].wallets[reward.currency] = wallet
        score(reward, action, amount: -due, in: workspace)
        guard taken > 0 else { return 0 }
        transfer(taken, to: reward.source, currency: reward.currency, in: workspace)
        if case .funding(let account) = reward.source { workspaces[workspace].accounts[account]!.spent -= taken }
        let performer = workspaces[workspace].members[action.performer].id
        let source = Posting.Source.of(
            member: performer, externalId: reversal.externalId, reversed: action.externalId)
        post(
            -taken, member: reward.member, currency: reward.currency, kind: .reversal, at: reversal.at ?? now,
            origin: reward.origin, source: source, description: reward.origin.description, in: workspace)
        return taken
    }
}
