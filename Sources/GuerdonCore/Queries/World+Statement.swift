// Reads that go back into log and history.

extension World {
    /// One wallet's way back through its postings.
    private struct Walk {
        let currency: Int
        /// Balance behind the newest posting not yet passed.
        var balance: Int64
        /// Postings of the command at hand that are not yet passed, oldest first, with their places among all its postings.
        var pending: [(place: Int, posting: Posting)] = []
        var next: UInt64
        /// After a cursor: how many postings of the command at ``next`` are not yet passed; 0 for all.
        var resumeCount = 0
    }

    /// A page of a member's statement, newest first.
    ///
    /// - Parameter before: the cursor of a page before, or `nil`.
    /// - Throws: a `Refusal`, or what the log throws.
    public func statement(
        _ id: Text, in name: Text, currency code: Text?, limit: Int, before: String?
    ) throws -> StatementAnswer {
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
        var walks = chosen.map { c in
            let wallet = workspace.wallet(of: member, currency: c)
            return Walk(currency: c, balance: wallet.balance, next: wallet.lastSequence)
        }
        if let before { try resume(&walks, before, workspace) }
        var answer = StatementAnswer(entries: [], next: nil)
        while answer.entries.count < limit, let posting = try pop(&walks, member, workspace) {
            answer.entries.append(try entry(posting.posting, balance: posting.balance, workspace))
        }
        if try peek(&walks, member, workspace) != nil { answer.next = cursor(walks) }
        return answer
    }

    private func load(_ walk: inout Walk, _ member: UInt32, _ workspace: Workspace) throws {
        guard walk.pending.isEmpty, walk.next != 0 else { return }
        let sequence = walk.next
        walk.pending = try allPostings(at: sequence).enumerated().filter { _, posting in
            posting.member == member && Int(posting.currency) == walk.currency
                && Int(posting.workspace) == workspace.index && posting.kind != .conditionError
        }.map { (place: $0.offset, posting: $0.element) }
        // Several postings of one command all but the first name the command itself as the one before.
        walk.next = walk.pending.map(\.posting.previous).min() ?? 0
        if walk.next >= sequence { walk.next = 0 }
        if walk.resumeCount > 0 {
            walk.pending.removeLast(max(0, walk.pending.count - walk.resumeCount))
            walk.resumeCount = 0
        }
    }

    /// The walk whose newest posting is the newest of all.
    private func peek(_ walks: inout [Walk], _ member: UInt32, _ workspace: Workspace) throws -> Int? {
        var best: Int?
        for i in walks.indices {
            try load(&walks[i], member, workspace)
            guard let last = walks[i].pending.last else { continue }
            guard let other = best, let top = walks[other].pending.last else {
                best = i
                continue
            }
            // Within one command, the order in which it posted.
            if (last.posting.sequence, last.place) > (top.posting.sequence, top.place) { best = i }
        }
        return best
    }

    private func pop(
        _ walks: inout [Walk], _ member: UInt32, _ workspace: Workspace
    ) throws -> (posting: Posting, balance: Int64)? {
        guard let i = try peek(&walks, member, workspace) else { return nil }
        let posting = walks[i].pending.removeLast().posting
        let balance = walks[i].balance
        walks[i].balance -= posting.amount
        return (posting, max(balance, 0))
    }

    // A cursor names, for each wallet, where to go on: currency:position:postings left there:balance.
    private func cursor(_ walks: [Walk]) -> String {
        walks.filter { !$0.pending.isEmpty || $0.next != 0 }
            .map { walk in
                let at = walk.pending.last?.posting.sequence ?? walk.next
                return "\(walk.currency):\(at):\(walk.pending.count):\(walk.balance)"
            }
            .joined(separator: "/")
    }

    private func resume(_ walks: inout [Walk], _ cursor: String, _ workspace: Workspace) throws {
        let malformed = Refusal(
            .badRequest, field: "before", "Not a cursor of this statement; give the `next` of the page before.")
        var places: [Int: (next: UInt64, left: Int, balance: Int64)] = [:]
        for part in cursor.split(separator: "/", omittingEmptySubsequences: false) {
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 4, let currency = Int(fields[0]), let next = UInt64(fields[1]),
                let left = Int(fields[2]), let balance = Int64(fields[3]), next > 0, next <= sequence, left >= 0
            else { throw malformed }
            places[currency] = (next, left, balance)
        }
        for i in walks.indices {
            guard let place = places[walks[i].currency] else {
                walks[i].next = 0
                continue
            }
            walks[i].balance = place.balance
            walks[i].next = place.next
            walks[i].resumeCount = place.left
        }
    }
}

extension World {
    private func entry(
        _ posting: Posting, balance: Int64, _ workspace: Workspace
    ) throws -> StatementAnswer.Entry {
        let past = try command(at: posting.sequence)
        let currency = workspace.currencies[Int(posting.currency)]
        var entry = StatementAnswer.Entry(
            sequence: posting.sequence, at: past.time, recorded: past.time, currency: currency.code,
            scale: currency.scale, amount: posting.amount, balance: balance, kind: posting.kind ?? .adjustment)
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
            entry.sourceMember = try performer(of: c.of, workspace)
        case .adjust(let c), .redeem(let c):
            entry.at = c.at ?? past.time
            entry.sourceMember = c.member
            entry.sourceExternalId = c.externalId
            entry.description = c.reason
        default: break
        }
        return entry
    }

    private func performer(of id: Text, _ workspace: Workspace) throws -> Text? {
        guard let origin = remembered(id, workspace)?.sequence,
            case .action(let action) = try command(at: origin).command
        else { return nil }
        return action.performer
    }

    /// What an action, or another command with an external id, did and why.
    ///
    /// - Throws: a `Refusal`, or what the log throws.
    public func explain(_ externalId: Text, in name: Text) throws -> ExplainAnswer {
        let workspace = try workspace(name)
        guard let sequence = remembered(externalId, workspace)?.sequence else {
            throw Refusal(
                .unknownAction, field: "externalId",
                "Nothing with the external id \"\(externalId)\" was accepted in this workspace.")
        }
        let past = try command(at: sequence)
        var answer = ExplainAnswer(
            sequence: sequence, command: past.command, recorded: past.time, rewards: [], failures: [],
            left: workspace.reversals[sequence], valueScale: ActiveShape.plainScale)
        if case .action(let action) = past.command, let code = action.currency,
            let currency = workspace.currencyIndex[code]
        {
            answer.valueScale = workspace.currencies[currency].scale
        }
        for posting in try allPostings(at: sequence) where posting.plan != Posting.noPlan {
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
