/// What an action earns, worked out before anything is changed.
struct Evaluation {
    private let state: Workspace
    private let facts: ActionFacts
    private let performer: Int
    private var performerFacts: MemberFacts
    private let upline: [Int]

    /// In paying order.
    private(set) var paid: [PaidReward] = []
    /// The performer's tags behind the action.
    var tags: [Text] { performerFacts.tags }

    /// Evaluates every plan in force. The performer's number may be the one that a new member would get.
    init(_ state: Workspace, _ facts: ActionFacts, performer: Int, id: Text) throws(Refusal) {
        (self.state, self.facts, self.performer) = (state, facts, performer)
        if state.members.indices.contains(performer) {
            performerFacts = state.members[performer].facts
            upline = state.upline(of: performer)
        } else {
            performerFacts = Member(id: id).facts
            upline = []
        }
        for history in state.plans {
            let plan = history.versions.last!
            guard plan.covers(facts.at), holds(plan.audience, level: 0, performerFacts) else { continue }
            for bonus in plan.bonuses { try pay(bonus, of: plan, id: history.id) }
        }
    }

    /// Whether a condition holds for whoever would be paid; one that fails does not.
    private func holds(_ condition: String?, level: Int, _ asSeen: MemberFacts) -> Bool {
        guard let condition else { return true }
        let perRecipient = Conditions.isPerRecipient(condition) && level > 0
        let context = Context(
            action: facts, member: asSeen, recipient: perRecipient ? state.members[upline[level - 1]].facts : asSeen,
            level: perRecipient ? level : 0)
        return Conditions.table[condition]!(context) ?? false
    }

    private mutating func pay(_ bonus: Bonus, of plan: PlanVersion, id: Text) throws(Refusal) {
        // Tags that this bonus grants are seen by later bonuses, not by its own condition.
        let asSeen = performerFacts
        for reward in bonus.rewards {
            switch reward {
            case .tag(let tag):
                guard holds(bonus.when, level: 0, asSeen), !performerFacts.tags.contains(tag) else { continue }
                performerFacts.tags = (performerFacts.tags + [tag]).sorted()
            case .payment(let payment):
                for (index, formula) in payment.formulas.enumerated() {
                    let level = payment.toUpline ? index + 1 : 0
                    guard level <= upline.count, holds(bonus.when, level: level, asSeen) else { continue }
                    let origin = Origin(
                        plan: id, version: plan.version, bonus: bonus.id, level: level,
                        description: payment.description)
                    try credit(formula, payment, origin, plan)
                }
            }
        }
    }

    private mutating func credit(
        _ formula: Formula, _ payment: Payment, _ origin: Origin, _ plan: PlanVersion
    ) throws(Refusal) {
        let currency = state.currencies[payment.currency]
        let amount = try formula.amount(for: facts.value, scale: currency.scale, rounding: currency.rounding)
        guard amount > 0 else { return }
        var source = AccountName.issuance
        if let funding = plan.funding, state.accounts[funding]!.currency == payment.currency {
            source = .funding(funding)
        }
        paid.append(
            PaidReward(
                member: origin.level == 0 ? performer : upline[origin.level - 1], currency: payment.currency,
                amount: amount, formula: formula, rounding: currency.rounding,
                expires: (payment.lifetime ?? currency.lifetime)?.after(facts.at), origin: origin, source: source,
                becomesDebt: plan.clawbackIsDebt))
    }

    /// Refuses the action when a currency's credits would leave `Int64` or an account would pay more than its budget.
    func checkTotals() throws(Refusal) {
        for (number, currency) in state.currencies.enumerated() {
            let credits = paid.filter { $0.currency == number }.reduce(Int128(currency.credited)) {
                $0 + Int128($1.amount)
            }
            guard credits <= Int128(Int64.max) else { throw .outOfRange("value") }
        }
        for (name, account) in state.accounts {
            let payments = paid.filter { $0.source == .funding(name) }
            guard let budget = account.budget, !payments.isEmpty else { continue }
            let spent = payments.reduce(Int128(account.spent)) { $0 + Int128($1.amount) }
            guard spent <= Int128(budget) else { throw Refusal("budget_exhausted", "funding") }
        }
    }
}
