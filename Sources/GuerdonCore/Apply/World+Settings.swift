// Commands that set a workspace up.

extension World {
    /// Applies one command that is not an action.
    func apply(
        _ command: Command, sequence: UInt64, batch: CommandBatch, index: Int
    ) throws(Refusal) -> CommandOutcome {
        switch command {
        case .action: preconditionFailure("actions are applied in steps")
        case .tick: tick(sequence: sequence)
        case .workspacePut(let c): try put(c, sequence: sequence)
        case .currencyPut(let c): try put(c, workspace(c.workspace), sequence: sequence)
        case .accountPut(let c): try put(c, workspace(c.workspace))
        case .boardPut(let c): try put(c, workspace(c.workspace), sequence: sequence)
        case .planPut(let c):
            let version = try put(c, workspace(c.workspace), sequence: sequence)
            return outcome(sequence, .plan(id: c.plan.plan, version: version), batch)
        case .planEnd(let c): try end(c, workspace(c.workspace))
        case .memberPut(let c): return outcome(sequence, try put(c, workspace(c.workspace)), batch)
        case .adjust(let c): return try adjust(c, workspace(c.workspace), sequence: sequence)
        case .redeem(let c): return try redeem(c, workspace(c.workspace), sequence: sequence)
        case .reverse(let c):
            return try reverse(c, workspace(c.workspace), sequence: sequence, batch: batch, index: index)
        }
        return CommandOutcome(sequence: sequence)
    }

    func outcome(_ sequence: UInt64, _ extra: CommandExtra, _ batch: CommandBatch) -> CommandOutcome {
        batch.extras.append(extra)
        return CommandOutcome(sequence: sequence, extra: UInt32(batch.extras.count - 1))
    }

    func workspace(_ name: Text) throws(Refusal) -> Workspace {
        guard let index = workspaceIndex[name] else {
            throw Refusal(
                .unknownWorkspace, field: "workspace",
                "There is no workspace \"\(name)\"; create it with workspace.put.")
        }
        return workspaces[index]
    }

    private func put(_ c: WorkspacePut, sequence: UInt64) throws(Refusal) {
        let existing = workspaceIndex[c.workspace].map { workspaces[$0] }
        var template: ReferralCodes.Template?
        if case .set(let text) = c.referralCode {
            guard let parsed = ReferralCodes.Template(text) else {
                throw Refusal(.badRequest, field: "referralCode", "The template must contain {seq} exactly once.")
            }
            template = parsed
        }
        if existing == nil, workspaces.count >= Limits.workspaces {
            throw Refusal(.limitExceeded, field: "workspace", "There are \(Limits.workspaces) workspaces already.")
        }
        let workspace = existing ?? addWorkspace(c.workspace)
        var calendar = workspace.calendar
        if let zone = c.timeZone { calendar.zone = zone }
        if let start = c.weekStart { calendar.weekStart = start }
        workspace.setCalendar(calendar, from: sequence)
        if let auto = c.autoCreateMembers { workspace.autoCreateMembers = auto }
        if c.referralCode != .keep, template != workspace.codes.template {
            let from = UInt32(workspace.memberCount)
            workspace.codes.eras.removeAll { $0.from == from }
            workspace.codes.eras.append(ReferralCodes.Era(from: from, template: template))
        }
        workspace.shapes.removeAll()
    }

    private func put(_ c: CurrencyPut, _ workspace: Workspace, sequence: UInt64) throws(Refusal) {
        if let scale = c.scale, !Limits.currencyScale.contains(Int(scale)) {
            throw Refusal(
                .badRequest, field: "scale", "A currency has 0 to \(Limits.currencyScale.upperBound) decimals.")
        }
        guard let index = workspace.currencyIndex[c.currency] else {
            guard workspace.currencies.count < Limits.namedThings else {
                throw Refusal(
                    .limitExceeded, field: "currency", "A workspace has at most \(Limits.namedThings) currencies.")
            }
            let kind = c.kind ?? .points
            var currency = Currency(
                code: c.currency, kind: kind, scale: Int(c.scale ?? (kind == .money ? 2 : 0)),
                roundings: [(sequence, c.rounding ?? .halfUp)])
            if case .set(let color) = c.color { currency.color = color }
            if case .set(let lifetime) = c.lifetime { currency.lifetimes.append((sequence, lifetime)) }
            workspace.addCurrency(currency)
            return
        }
        let old = workspace.currencies[index]
        if let kind = c.kind, kind != old.kind {
            throw Refusal(.conflict, field: "kind", "The kind of a currency cannot change.")
        }
        if let scale = c.scale, Int(scale) != old.scale {
            throw Refusal(
                .conflict, field: "scale", "\"\(c.currency)\" has \(old.scale) decimals, and that cannot change.")
        }
        if let rounding = c.rounding { workspace.currencies[index].roundings.append((sequence, rounding)) }
        switch c.color {
        case .keep: break
        case .clear: workspace.currencies[index].color = nil
        case .set(let color): workspace.currencies[index].color = color
        }
        switch c.lifetime {
        case .keep: break
        case .clear: workspace.currencies[index].lifetimes.append((sequence, nil))
        case .set(let lifetime): workspace.currencies[index].lifetimes.append((sequence, lifetime))
        }
        workspace.shapes.removeAll()
    }

    private func put(_ c: AccountPut, _ workspace: Workspace) throws(Refusal) {
        let existing = workspace.accountIndex[c.account]
        let currency: Int
        if let existing {
            currency = workspace.accounts[existing].currency
            if let code = c.currency, code != workspace.currencies[currency].code {
                throw Refusal(.conflict, field: "currency", "The currency of an account cannot change.")
            }
        } else {
            guard let code = c.currency else {
                throw Refusal(.badRequest, field: "currency", "A new account needs its currency.")
            }
            guard let found = workspace.currencyIndex[code] else {
                throw Refusal(
                    .unknownCurrency, field: "currency",
                    "There is no currency \"\(code)\"; create it with currency.put.")
            }
            guard workspace.accounts.count < Limits.namedThings else {
                throw Refusal(
                    .limitExceeded, field: "account", "A workspace has at most \(Limits.namedThings) accounts.")
            }
            currency = found
        }
        var budget: Int64?
        if case .set(let amount) = c.budget {
            guard let units = amount.units(scale: workspace.currencies[currency].scale), units >= 0 else {
                throw Refusal(
                    .amountOutOfRange, field: "budget",
                    "The budget must be 0 or more with at most \(workspace.currencies[currency].scale) decimals.")
            }
            budget = units
        }
        let index: Int
        if let existing {
            index = existing
        } else {
            workspace.addAccount(FundingAccount(account: c.account, currency: currency))
            index = workspace.accounts.count - 1
        }
        switch c.legalEntity {
        case .keep: break
        case .clear: workspace.accounts[index].legalEntity = nil
        case .set(let entity): workspace.accounts[index].legalEntity = entity
        }
        if c.budget != .keep { workspace.accounts[index].budget = budget }
    }

    private func put(_ c: BoardPut, _ workspace: Workspace, sequence: UInt64) throws(Refusal) {
        var currency: Int?
        if let code = c.currency {
            guard let found = workspace.currencyIndex[code] else {
                throw Refusal(
                    .unknownCurrency, field: "score.currency",
                    "There is no currency \"\(code)\"; create it with currency.put.")
            }
            currency = found
        }
        if let index = workspace.boardIndex[c.board] {
            let board = workspace.boards[index]
            if let currency, board.currency != currency {
                throw Refusal(.conflict, field: "score", "What a board counts cannot change; put another board.")
            }
            if let period = c.period, board.period != period {
                throw Refusal(.conflict, field: "period", "The period of a board cannot change; put another board.")
            }
            if let ties = c.ties { board.setTies(ties) }
            return
        }
        guard let currency else {
            throw Refusal(.badRequest, field: "score", "A new board needs its score, as {\"currency\":\"PTS\"}.")
        }
        guard workspace.boards.count < Limits.namedThings else {
            throw Refusal(.limitExceeded, field: "board", "A workspace has at most \(Limits.namedThings) boards.")
        }
        workspace.addBoard(
            Board(
                name: c.board, index: workspace.boards.count, currency: currency, period: c.period ?? .all,
                ties: c.ties ?? .competition,
                sequence: sequence, shardCount: shardCount, members: workspace.members, side: workspace.side))
    }

    private func put(_ c: PlanPut, _ workspace: Workspace, sequence: UInt64) throws(Refusal) -> Int {
        let previous = workspace.newestPlan[c.plan.plan].map { workspace.plans[Int($0)] }
        guard previous != nil || workspace.planOrder.count < Limits.namedThings else {
            throw Refusal(.limitExceeded, field: "plan", "A workspace has at most \(Limits.namedThings) plans.")
        }
        let version = try PlanCompiler(workspace: workspace).compile(
            c.plan, index: UInt32(workspace.plans.count), version: (previous?.version ?? 0) + 1, sequence: sequence)
        workspace.addPlan(version)
        return version.version
    }

    private func end(_ c: PlanEnd, _ workspace: Workspace) throws(Refusal) {
        guard let index = workspace.newestPlan[c.plan] else {
            throw Refusal(.unknownPlan, field: "plan", "There is no plan \"\(c.plan)\" in this workspace.")
        }
        workspace.plans[Int(index)].ends = c.at ?? time
        workspace.shapes.removeAll()
    }
}
