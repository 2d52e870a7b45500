// Reads that go back into log and history.

extension World {
    /// A page of a member's statement, newest first.
    ///
    /// - Parameter before: the cursor of a page before, or `nil`.
    public func statementRead(
        _ id: Text, in name: Text, currency code: Text?, limit: Int, before: String?
    ) throws(Refusal) -> PastRead {
        let workspace = try workspace(name)
        guard let member = workspace.member(id) else { throw Refusal.unknownMember(id, field: "member") }
        var chosen = Array(workspace.currencies.indices)
        if let code {
            guard let index = workspace.currencyIndex[code] else {
                throw Refusal(
                    .unknownCurrency, field: "currency", "There is no currency \"\(code)\" in this workspace.")
            }
            chosen = [index]
        }
        var walk = StatementWalk(
            workspace: workspace.index, member: member, limit: limit,
            wallets: chosen.map { c in
                let wallet = workspace.wallet(of: member, currency: c)
                return StatementWalk.Wallet(currency: c, balance: wallet.balance, next: wallet.lastSequence)
            })
        if let before { try walk.resume(before, last: sequence) }
        return PastRead(sequence: sequence, workspace: workspace.index, .statement(walk))
    }

    /// A member's balances with their lots, whose sources stand in the log.
    public func walletRead(_ id: Text, in name: Text) throws(Refusal) -> PastRead {
        let found = try walletWithSources(id, in: name, lots: true)
        return PastRead(
            sequence: sequence, workspace: try workspaceIndex(name), .wallet(found.answer, sources: found.sources))
    }

    /// What an action, or another command with an external id, did and why.
    public func explainRead(_ externalId: Text, in name: Text) throws(Refusal) -> PastRead {
        let workspace = try workspace(name)
        let key = externalKey(externalId)
        if let origin = workspace.externalIds.find(key)?.sequence {
            return PastRead(
                sequence: sequence, workspace: workspace.index, .explain(origin, left: workspace.reversals[origin]))
        }
        guard workspace.externalIds.mayBeSealed(key) else { throw Refusal.unknownAction(externalId) }
        // What is left of it is taken from the state as it is now, whatever is found later.
        return PastRead(
            sequence: sequence, workspace: workspace.index,
            .find(key, id: externalId, reversals: workspace.reversals))
    }

    /// Answers a read from what is in memory and what was fetched; `nil` when something must be fetched first.
    ///
    /// To be called right when the read was made, too: what the batch at hand did is not in the log yet.
    public func answer(_ read: inout PastRead) throws -> PastAnswer? {
        switch read.question {
        case .statement(let walk):
            try takeFromMemory(walk, &read.facts)
            return try statement(walk, &read)
        case .wallet(var answer, let sources):
            for (b, positions) in sources.enumerated() {
                for (l, position) in positions.enumerated() {
                    guard let position, let past = try command(at: position, &read.facts) else { continue }
                    answer.balances[b].lots?[l].source = past.command.externalId
                }
            }
            return read.facts.isComplete ? .wallet(answer) : nil
        case .find: return nil
        case .unknown(let id): throw Refusal.unknownAction(id)
        case .explain(let origin, let left):
            if isInMemory(origin), read.facts.postings[origin] == nil {
                read.facts.postings[origin] = try allPostings(at: origin).enumerated().map { ($0, $1) }
            }
            guard let past = try command(at: origin, &read.facts), let postings = read.facts.postings[origin] else {
                return nil
            }
            let all = postings.map(\.posting)
            return .explain(explanation(past, all, left: left, at: origin, in: workspaces[read.workspace]))
        }
    }

    /// A command that is in memory or was fetched; notes that it is missing otherwise.
    private func command(at sequence: UInt64, _ facts: inout PastRead.Facts) throws -> PastCommand? {
        if let known = facts.commands[sequence] { return known }
        guard isInMemory(sequence) else {
            facts.missing.insert(sequence)
            return nil
        }
        let past = try command(at: sequence)
        facts.commands[sequence] = past
        return past
    }

    /// What is remembered of an id, if that is in memory or was fetched; notes that it is missing otherwise.
    private func rememberedOrMissing(
        _ id: Text, _ workspace: Workspace, _ facts: inout PastRead.Facts
    ) -> RememberedId? {
        let key = externalKey(id)
        if let known = workspace.externalIds.find(key) ?? facts.ids[key] { return known }
        if workspace.externalIds.mayBeSealed(key), !facts.sought.contains(key) { facts.missingIds.insert(key) }
        return nil
    }

    /// Takes the part of a statement that the batch at hand made.
    private func takeFromMemory(_ walk: StatementWalk, _ facts: inout PastRead.Facts) throws {
        for wallet in walk.wallets {
            var next = wallet.next
            var count = 0
            while next != 0, isInMemory(next), count <= walk.limit {
                let own = try facts.postings[next] ?? walk.own(allPostings(at: next))
                facts.postings[next] = own
                _ = try command(at: next, &facts)
                let step = StatementWalk.step(own, currency: wallet.currency, at: next)
                count += step.pending.count
                next = step.next
            }
        }
    }

    private func statement(_ walk: StatementWalk, _ read: inout PastRead) throws -> PastAnswer? {
        struct NotFetched: Error {}
        let page: (lines: [StatementWalk.Line], next: String?)
        do {
            page = try walk.page { sequence in
                guard let known = read.facts.postings[sequence] else { throw NotFetched() }
                return known
            }
        } catch is NotFetched { return nil }
        var answer = StatementAnswer(entries: [], next: page.next)
        for line in page.lines {
            guard let past = try command(at: line.posting.sequence, &read.facts) else { continue }
            answer.entries.append(try entry(line, past, workspaces[read.workspace], &read.facts))
        }
        return read.facts.isComplete ? .statement(answer) : nil
    }

    private func entry(
        _ line: StatementWalk.Line, _ past: PastCommand, _ workspace: Workspace, _ facts: inout PastRead.Facts
    ) throws -> StatementAnswer.Entry {
        let posting = line.posting
        let currency = workspace.currencies[Int(posting.currency)]
        var entry = StatementAnswer.Entry(
            sequence: posting.sequence, at: past.time, recorded: past.time, currency: currency.code,
            scale: currency.scale, amount: posting.amount, balance: line.balance, kind: posting.kind ?? .adjustment)
        if posting.plan != Posting.noPlan {
            let plan = workspace.plans[Int(posting.plan)]
            entry.plan = plan.definition.plan
            entry.version = plan.version
            entry.bonus = plan.bonuses[Int(posting.bonus)].name
            entry.level = Int(posting.level)
            entry.description = rewardDescription(workspace: workspace.index, posting: posting)
        }
        guard posting.kind != .expiry else { return entry }
        switch past.command {
        case .action(let c):
            entry.at = c.at ?? past.time
            entry.sourceMember = c.performer
            entry.sourceExternalId = c.externalId
        case .reverse(let c):
            entry.at = c.at ?? past.time
            entry.sourceExternalId = c.externalId
            entry.sourceOf = c.of
            // An id stands for the same command for ever: it can be looked up at any later time.
            if let origin = rememberedOrMissing(c.of, workspace, &facts)?.sequence,
                case .action(let action)? = try command(at: origin, &facts)?.command
            {
                entry.sourceMember = action.performer
            }
        case .adjust(let c), .redeem(let c):
            entry.at = c.at ?? past.time
            entry.sourceMember = c.member
            entry.sourceExternalId = c.externalId
            entry.description = c.reason
        default: break
        }
        return entry
    }

    private func explanation(
        _ past: PastCommand, _ postings: [Posting], left: Int64?, at sequence: UInt64, in workspace: Workspace
    ) -> ExplainAnswer {
        var answer = ExplainAnswer(
            sequence: sequence, command: past.command, recorded: past.time, rewards: [], failures: [], left: left,
            valueScale: ActiveShape.plainScale)
        if case .action(let action) = past.command, let code = action.currency,
            let currency = workspace.currencyIndex[code]
        {
            answer.valueScale = workspace.currencies[currency].scale
        }
        for posting in postings where posting.plan != Posting.noPlan {
            let plan = workspace.plans[Int(posting.plan)]
            let bonus = plan.bonuses[Int(posting.bonus)].name
            if posting.kind == .conditionError {
                answer.failures.append(
                    ExplainAnswer.Failure(
                        plan: plan.definition.plan, version: plan.version, bonus: bonus, level: Int(posting.level)))
                continue
            }
            let currency = workspace.currencies[Int(posting.currency)]
            answer.rewards.append(
                ExplainAnswer.Line(
                    member: workspace.id(of: posting.member), currency: currency.code, scale: currency.scale,
                    amount: posting.amount, plan: plan.definition.plan, version: plan.version, bonus: bonus,
                    level: Int(posting.level)))
        }
        return answer
    }
}
