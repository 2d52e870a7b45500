extension Model {
    mutating func putWorkspace(_ id: Text, _ put: PutWorkspace) -> [Text: JSON] {
        if !workspaces.contains(where: { $0.id == id }) { workspaces.append(Workspace(id: id)) }
        let index = workspaces.firstIndex { $0.id == id }!
        if let zone = put.zone { workspaces[index].zone = zone }
        if let weekStart = put.weekStart { workspaces[index].weekStart = weekStart }
        put.template.apply(to: &workspaces[index].template)
        if let template = put.template.value { workspaces[index].templates.append(template) }
        if let creates = put.createsPerformers { workspaces[index].createsPerformers = creates }
        return [:]
    }

    mutating func putCurrency(_ put: PutCurrency, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        let index: Int
        if let known = workspaces[workspace].currencyNumber(put.id) {
            index = known
            let currency = workspaces[workspace].currencies[known]
            if let kind = put.kind, kind != currency.kind { throw Refusal("conflict", "kind") }
            if let scale = put.scale, scale != currency.scale { throw Refusal("conflict", "scale") }
        } else {
            let kind = put.kind ?? "points"
            index = workspaces[workspace].currencies.count
            workspaces[workspace].currencies.append(
                Currency(id: put.id, kind: kind, scale: put.scale ?? (kind == "money" ? 2 : 0)))
        }
        if let rounding = put.rounding { workspaces[workspace].currencies[index].rounding = rounding }
        put.color.apply(to: &workspaces[workspace].currencies[index].color)
        put.lifetime.apply(to: &workspaces[workspace].currencies[index].lifetime)
        return [:]
    }

    mutating func putAccount(_ put: PutAccount, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        let state = workspaces[workspace]
        var account: FundingAccount
        if let known = state.accounts[put.id] {
            account = known
            if let currency = put.currency {
                guard let number = state.currencyNumber(currency) else {
                    throw Refusal("unknown_currency", "currency")
                }
                guard number == known.currency else { throw Refusal("conflict", "currency") }
            }
        } else {
            guard let currency = put.currency else { throw .badRequest("currency") }
            guard let number = state.currencyNumber(currency) else { throw Refusal("unknown_currency", "currency") }
            account = FundingAccount(currency: number)
        }
        put.legalEntity.apply(to: &account.legalEntity)
        switch put.budget {
        case .absent: break
        case .cleared: account.budget = nil
        case .set(let decimal):
            guard let budget = decimal.minor(scale: state.currencies[account.currency].scale), budget >= 0 else {
                throw .outOfRange("budget")
            }
            account.budget = budget
        }
        workspaces[workspace].accounts[put.id] = account
        return [:]
    }

    mutating func putPlan(_ members: [Text: JSON], in workspace: Int) throws(Refusal) -> [Text: JSON] {
        let (id, plan) = try PlanReader(workspace: workspaces[workspace]).read(members)
        if !workspaces[workspace].plans.contains(where: { $0.id == id }) {
            workspaces[workspace].plans.append(PlanHistory(id: id, versions: []))
        }
        let index = workspaces[workspace].plans.firstIndex { $0.id == id }!
        var version = plan
        version.version = workspaces[workspace].plans[index].versions.count + 1
        workspaces[workspace].plans[index].versions.append(version)
        return ["plan": .string(id), "version": .int(version.version)]
    }

    mutating func endPlan(_ id: Text, at end: Instant, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        guard let index = workspaces[workspace].plans.firstIndex(where: { $0.id == id }) else {
            throw Refusal("unknown_plan", "plan")
        }
        let newest = workspaces[workspace].plans[index].versions.count - 1
        workspaces[workspace].plans[index].versions[newest].ends = end
        return [:]
    }

    mutating func putBoard(_ put: PutBoard, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        let state = workspaces[workspace]
        var number: Int?
        if let currency = put.currency {
            guard let known = state.currencyNumber(currency) else {
                throw Refusal("unknown_currency", openField: ())
            }
            number = known
        }
        if let board = state.boards[put.id] {
            if let number, number != board.currency { throw Refusal("conflict", openField: ()) }
            if let period = put.period, period != board.period { throw Refusal("conflict", openField: ()) }
            if let ties = put.ties { workspaces[workspace].boards[put.id]!.ties = ties }
        } else {
            guard let number else { throw .badRequest("score") }
            workspaces[workspace].boards[put.id] = Board(
                currency: number, period: put.period ?? .all, ties: put.ties ?? .competition, putSeq: lastSequence)
        }
        return [:]
    }
}
