// Taking an action back, wholly or in part.

extension World {
    func reverse(
        _ c: ReverseCommand, _ workspace: Workspace, sequence: UInt64, batch: CommandBatch, index: Int
    ) throws(Refusal) -> CommandOutcome {
        var content = mix(UInt64(CommandTag.reverse.rawValue), digest(c.of, salt: 1))
        if let value = c.value?.normalized {
            content = mix(content, UInt64(bitPattern: value.coefficient) &* 31 &+ UInt64(value.scale))
        }
        content = mix(content, UInt64(bitPattern: c.at ?? ActionRecord.noTime))
        if let repeated = try repetition(c.externalId, content: content, workspace) { return repeated }

        guard let origin = remembered(c.of, workspace)?.sequence, let action = fetch(origin),
            action.command.workspace == workspace.name
        else {
            throw Refusal(.unknownAction, field: "of", "There is no action \"\(c.of)\" in this workspace.")
        }
        let scale = valueScale(action.command, workspace)
        let whole = action.command.value?.units(scale: scale)
        let left = workspace.reversals[origin] ?? whole ?? 1
        guard left > 0 || (workspace.reversals[origin] == nil) else {
            throw Refusal(.alreadyReversed, field: "of", "Nothing is left of \"\(c.of)\"; it was reversed before.")
        }
        var after: Int64 = 0
        if let value = c.value {
            guard whole != nil, let units = value.units(scale: scale), units > 0, units <= left else {
                throw Refusal(
                    .amountOutOfRange, field: "value",
                    whole == nil
                        ? "\"\(c.of)\" is an event without a value; reverse it without one."
                        : "Between 0 and \(AmountText.string(left, scale: scale)) can be reversed.")
            }
            after = left - units
        }
        var lines: [RewardLine] = []
        for posting in action.postings where posting.kind == .reward {
            takeBack(
                posting, of: action, workspace, whole: whole, left: left, after: after, sequence: sequence,
                lines: &lines)
        }
        workspace.settle()
        workspace.reversals[origin] = after
        remember(c.externalId, content: content, sequence: sequence, workspace)
        if batch.wantsLines {
            for var line in lines {
                line.command = UInt32(index)
                batch.lines.append(line)
            }
        }
        return CommandOutcome(sequence: sequence, hasRewards: true)
    }

    private func valueScale(_ action: ActionCommand, _ workspace: Workspace) -> Int {
        guard let code = action.currency, let currency = workspace.currencyIndex[code] else {
            return ActiveShape.plainScale
        }
        return workspace.currencies[currency].scale
    }

    /// Takes back what one reward is less for the value that is left.
    private func takeBack(
        _ posting: Posting, of action: PastAction, _ workspace: Workspace, whole: Int64?, left: Int64, after: Int64,
        sequence: UInt64, lines: inout [RewardLine]
    ) {
        let plan = workspace.plans[Int(posting.plan)]
        let reward = plan.bonuses[Int(posting.bonus)].rewards[Int(posting.reward)]
        let currency = Int(posting.currency)
        // An action without a value, or of value 0, goes as a whole.
        let hasShares = (whole ?? 0) > 0
        func nominal(_ units: Int64) -> Int64 {
            if units == 0 { return 0 }
            // What was paid for the whole is known; the formula is asked only for parts.
            if units == whole { return posting.amount }
            return formula(reward, level: Int(posting.level), action.command, workspace, posting)?.amount(units: units)
                ?? posting.amount
        }
        let take = hasShares ? max(0, nominal(left) - nominal(after)) : posting.amount
        guard take > 0 else { return }
        let member = posting.member
        let shard = workspace.shards[workspace.shard(of: member)]
        let lifetime = reward.lifetime ?? workspace.currencies[currency].lifetime(at: posting.sequence)
        let expires = lifetime?.added(to: action.command.at ?? action.time)
        let previous = workspace.wallet(of: member, currency: currency).lastSequence
        let taken = shard.wallets.takeBack(
            local: workspace.local(of: member), currency: currency, amount: take, origin: posting.sequence,
            expires: expires, becomesDebt: plan.definition.clawback == .debt, sequence: sequence)
        if taken > 0 {
            postings.append(
                Posting(
                    sequence: sequence, previous: previous, amount: -taken, workspace: posting.workspace,
                    member: member, currency: posting.currency, kind: .reversal, plan: posting.plan,
                    bonus: posting.bonus, reward: posting.reward, level: posting.level))
            if let account = reward.account {
                workspace.accounts[account].spent -= taken
            } else {
                workspace.currencies[currency].books.issuance += taken
            }
        }
        lines.append(
            RewardLine(
                command: 0, workspace: posting.workspace, currency: posting.currency, member: member,
                plan: posting.plan, bonus: posting.bonus, level: posting.level, amount: -taken,
                shortfall: take - taken))
        for board in workspace.boardsOfCurrency[currency] where board.sequence < posting.sequence {
            // The period is the one it was counted in, whatever zone the workspace has moved to since.
            let calendar = workspace.calendar(at: posting.sequence)
            let day = calendar.localDay(at: action.command.at ?? action.time)
            let key = board.period.key(day: day, weekStart: calendar.weekStart)
            board.standing(key: key).add(-take, to: member, sequence: sequence)
        }
    }

    private func formula(
        _ reward: CompiledReward, level: Int, _ action: ActionCommand, _ workspace: Workspace, _ posting: Posting
    ) -> RewardFormula? {
        let formula: Formula?
        switch reward.target {
        case .performer(let only): formula = only
        case .upline(let levels): formula = level >= 1 && level <= levels.count ? levels[level - 1] : nil
        case .tag: formula = nil
        }
        guard let formula else { return nil }
        let currency = workspace.currencies[Int(posting.currency)]
        return RewardFormula(
            formula, exchange: reward.exchange, valueScale: valueScale(action, workspace), scale: currency.scale,
            rounding: currency.rounding(at: posting.sequence))
    }

    /// The action at a log position; `nil` when another command stands there, or the log failed.
    private func fetch(_ origin: UInt64) -> PastAction? {
        do {
            let past = try command(at: origin)
            guard case .action(let action) = past.command else { return nil }
            return PastAction(command: action, time: past.time, postings: try allPostings(at: origin))
        } catch {
            logFailure = error
            return nil
        }
    }
}

/// An action of the past with what it paid: all that its reversal needs.
struct PastAction {
    var command: ActionCommand
    /// When its batch was taken.
    var time: Int64
    /// Its postings, in order.
    var postings: [Posting]
}
