/// Checks a plan against a workspace and resolves its names.
struct PlanCompiler {
    let workspace: Workspace

    /// Compiles a definition.
    ///
    /// - Parameters:
    ///   - starts: known from a snapshot; otherwise worked out in the workspace's zone.
    ///   - ends: likewise.
    /// - Throws: `plan_invalid` with the path of the field, or `unknown_account`.
    func compile(
        _ plan: PlanDefinition, index: UInt32, version: Int, sequence: UInt64, starts knownStart: Int64? = nil,
        ends knownEnd: Int64? = nil
    ) throws(Refusal) -> PlanVersion {
        guard !plan.bonuses.isEmpty else {
            throw Refusal(.planInvalid, field: "plan.bonuses", "A plan needs at least one bonus.")
        }
        guard plan.bonuses.count <= Limits.bonuses else {
            throw Refusal(.planInvalid, field: "plan.bonuses", "A plan has at most \(Limits.bonuses) bonuses.")
        }
        let funding = plan.funding.flatMap { workspace.accountIndex[$0] }
        let starts = knownStart ?? plan.starts.map { instant($0) } ?? Int64.min
        let ends = knownEnd ?? plan.ends.map { instant($0) } ?? Int64.max
        guard starts < ends || knownEnd != nil else {
            throw Refusal(.planInvalid, field: "plan.ends", "The plan ends before it starts.")
        }
        let audience = try condition(plan.audience, path: "plan.audience")
        var names: Set<Text> = []
        var bonuses: [CompiledBonus] = []
        for (b, bonus) in plan.bonuses.enumerated() {
            let path = "plan.bonuses[\(b)]"
            guard names.insert(bonus.bonus).inserted else {
                throw Refusal(
                    .planInvalid, field: "\(path).bonus", "Two bonuses of the plan are named \"\(bonus.bonus)\".")
            }
            guard !bonus.rewards.isEmpty, bonus.rewards.count <= Limits.bonuses else {
                throw Refusal(
                    .planInvalid, field: "\(path).rewards", "A bonus needs 1 to \(Limits.bonuses) rewards.")
            }
            let when = try condition(bonus.when, path: "\(path).when")
            var rewards: [CompiledReward] = []
            for (r, reward) in bonus.rewards.enumerated() {
                rewards.append(try compile(reward, funding: funding, path: "\(path).rewards[\(r)]"))
            }
            bonuses.append(
                CompiledBonus(
                    name: bonus.bonus, condition: when, rewards: rewards))
        }
        if let name = plan.funding, funding == nil {
            throw Refusal(
                .unknownAccount, field: "plan.funding",
                "There is no account \"\(name)\" in this workspace; create it with account.put.")
        }
        return PlanVersion(
            index: index, version: version, sequence: sequence, definition: plan, starts: starts, ends: ends,
            audience: audience, funding: funding, bonuses: bonuses)
    }

    private func instant(_ instant: PlanInstant) -> Int64 {
        switch instant {
        case .time(let time): return time
        case .date(let day):
            let seconds = workspace.zone.startOfDay(Int64(day))
            let (nanos, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            return overflow ? (seconds < 0 ? Int64.min : Int64.max) : nanos
        }
    }

    private func condition(_ text: Text?, path: String) throws(Refusal) -> Condition? {
        guard let text else { return nil }
        return try Condition.compile(text, path: path)
    }

    private func compile(_ reward: RewardDefinition, funding: Int?, path: String) throws(Refusal) -> CompiledReward {
        if let exchange = reward.exchange { try check(factor: exchange, path: "\(path).exchange") }
        var result = CompiledReward(
            target: .tag(""), currency: -1, account: nil, lifetime: reward.lifetime, description: reward.description,
            exchange: reward.exchange)
        let code: Text
        switch reward.gift {
        case .tag(let tag):
            result.target = .tag(tag)
            return result
        case .performer(let currency, let formula):
            code = currency
            result.target = .performer(formula)
        case .upline(let currency, let levels):
            guard !levels.isEmpty, levels.count <= Limits.levels else {
                throw Refusal(
                    .planInvalid, field: "\(path).levels", "An upline reward has 1 to \(Limits.levels) levels.")
            }
            code = currency
            result.target = .upline(levels)
        }
        guard let currency = workspace.currencyIndex[code] else {
            throw Refusal(
                .unknownCurrency, field: "\(path).currency",
                "There is no currency \"\(code)\" in this workspace; create it with currency.put.")
        }
        result.currency = currency
        if let funding, workspace.accounts[funding].currency == currency { result.account = funding }
        let scale = workspace.currencies[currency].scale
        switch result.target {
        case .performer(let formula): try check(formula, scale: scale, code: code, path: path)
        case .upline(let levels):
            for (k, formula) in levels.enumerated() {
                if let formula { try check(formula, scale: scale, code: code, path: "\(path).levels[\(k)]") }
            }
        case .tag: break
        }
        return result
    }

    private func check(_ formula: Formula, scale: Int, code: Text, path: String) throws(Refusal) {
        func checkAmount(_ amount: DecimalNumber) throws(Refusal) {
            guard let units = amount.units(scale: scale) else {
                throw Refusal(
                    .planInvalid, field: "\(path).amount",
                    "\(code) has \(scale) decimals; the amount has more, or is too large.")
            }
            guard units >= 0 else {
                throw Refusal(.planInvalid, field: "\(path).amount", "A reward cannot be negative.")
            }
        }
        switch formula {
        case .fixed(let amount): try checkAmount(amount)
        case .perUnit(let per, let amount):
            try checkAmount(amount)
            try check(factor: per, path: "\(path).per")
        case .rate(let rate):
            if rate.coefficient != 0 { try check(factor: rate, path: "\(path).rate") }
        }
    }

    private func check(factor: DecimalNumber, path: String) throws(Refusal) {
        guard factor.coefficient > 0, factor.coefficient <= RewardFormula.factorLimit,
            Int(factor.scale) <= RewardFormula.factorScale
        else {
            throw Refusal(
                .planInvalid, field: path,
                "Must be above 0, with at most \(RewardFormula.factorScale) decimals and 12 digits.")
        }
    }
}
