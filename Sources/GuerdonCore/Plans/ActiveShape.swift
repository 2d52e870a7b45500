/// All that actions of one (workspace, type, currency) need, worked out once: the bonuses that can match, in order.
///
/// Conditions on the type are decided here, so that plans for other types cost an action nothing.
final class ActiveShape {
    /// A bonus that actions of the shape may earn.
    struct Bonus {
        let plan: PlanVersion
        let bonus: Int
        /// Whether this is the first bonus of its plan, where the audience is decided.
        let opensPlan: Bool
        let audience: Condition?
        let condition: Condition?
        /// Whether the condition must be asked again for every recipient.
        let perRecipient: Bool
        let starts: Int64
        let ends: Int64
        /// What it pays, in ``ActiveShape/operations``.
        let operations: Range<Int>
    }

    /// An upper bound of what `rows` actions can be paid: `constant × rows + slope × Σ units`.
    struct Bound {
        let currency: Int
        let account: Int32
        var constant: Double
        var slope: Double
    }

    let workspace: Workspace
    let workspaceIndex: Int
    let shape: ActionShape
    /// Why all actions of this shape are refused; `nil` when they are not.
    let refusal: Refusal?
    /// Index of the value's currency, -1 when the shape names none.
    let currency: Int
    /// Decimals that values of this shape are scaled to.
    let valueScale: Int
    let bonuses: ContiguousArray<Bonus>
    /// What all bonuses pay, reward by reward and level by level.
    let operations: PayOperations
    let bounds: [Bound]
    /// Where no bonus asks anything of an action but when it happened, and all plans run at the same times: those times.
    ///
    /// Then an action earns all or nothing, and what it earns is one run of operations.
    let unconditional: Range<Int64>?
    /// The same times where, besides, nothing that it pays may expire and no tags are given: then rewards are paid as they are
    /// worked out.
    let plainWindow: Range<Int64>?
    /// Levels of the longest upline that is paid.
    let levels: Int
    /// Whether conditions read what other members' actions may change, so that actions go one by one.
    let isOrderSensitive: Bool
    /// Whether something it pays may expire.
    let hasLifetimes: Bool
    /// The lifetimes of what it pays.
    private let lifetimes: [CalendarDuration]
    /// Stands for type and currency in the digest of an action's content.
    let digest: UInt64

    /// Decimals of a value without a currency.
    static let plainScale = 6

    init(_ shape: ActionShape, workspace: Workspace, index: Int) {
        self.workspace = workspace
        self.workspaceIndex = index
        self.shape = shape
        if shape.currency.isEmpty {
            (currency, valueScale, refusal) = (-1, ActiveShape.plainScale, nil)
        } else if let found = workspace.currencyIndex[shape.currency] {
            (currency, valueScale, refusal) = (found, workspace.currencies[found].scale, nil)
        } else {
            (currency, valueScale) = (-1, ActiveShape.plainScale)
            refusal = Refusal(
                .unknownCurrency, field: "currency",
                "There is no currency \"\(shape.currency)\" in this workspace; create it with currency.put.")
        }
        var bonuses = ContiguousArray<Bonus>()
        var bounds: [Bound] = []
        let operations = PayOperations()
        var levels = 0
        var readsOthersTags = false
        for name in workspace.planOrder {
            guard let plan = workspace.newestPlan[name].map({ workspace.plans[Int($0)] }) else { continue }
            if plan.ends <= plan.starts { continue }
            var audience = plan.audience
            switch plan.audience?.resolved(type: shape.type, currency: shape.currency) {
            case .never?: continue
            case .always?: audience = nil
            case .ask(let open)?: audience = open
            case nil: break
            }
            var opens = true
            for (b, bonus) in plan.bonuses.enumerated() {
                var condition = bonus.condition
                switch bonus.condition?.resolved(type: shape.type, currency: shape.currency) {
                case .never?: continue
                case .always?: condition = nil
                case .ask(let open)?: condition = open
                case nil: break
                }
                readsOthersTags = readsOthersTags || (condition?.readsRecipientTags ?? false)
                let first = operations.count
                ActiveShape.addOperations(
                    of: bonus, plan: plan, bonus: b, workspace: workspace, valueScale: valueScale, to: operations,
                    bounds: &bounds)
                for reward in bonus.rewards {
                    if case .upline(let formulas) = reward.target { levels = max(levels, formulas.count) }
                }
                bonuses.append(
                    Bonus(
                        plan: plan, bonus: b, opensPlan: opens, audience: opens ? audience : nil, condition: condition,
                        perRecipient: condition?.readsRecipient ?? false, starts: plan.starts, ends: plan.ends,
                        operations: first..<operations.count))
                opens = false
            }
        }
        self.bonuses = bonuses
        let (starts, ends) = (bonuses.first?.starts ?? Int64.min, bonuses.first?.ends ?? Int64.max)
        let isUnconditional = bonuses.allSatisfy {
            $0.audience == nil && $0.condition == nil && $0.starts == starts && $0.ends == ends
        }
        unconditional = isUnconditional ? starts..<ends : nil
        self.operations = operations
        self.bounds = bounds
        self.levels = levels
        self.isOrderSensitive = readsOthersTags && workspace.grantsTags
        lifetimes = bonuses.flatMap { bonus in
            bonus.plan.bonuses[bonus.bonus].rewards.compactMap { reward in
                reward.lifetime ?? (reward.currency < 0 ? nil : workspace.currencies[reward.currency].lifetime)
            }
        }
        hasLifetimes = !lifetimes.isEmpty
        plainWindow = hasLifetimes || !operations.tags.isEmpty ? nil : unconditional
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in shape.type.bytes + [0] + shape.currency.bytes {
            digest = (digest ^ UInt64(byte)) &* 0x0100_0000_01b3
        }
        self.digest = mix(digest, 0x27d4_eb2f)
    }

    /// Whether an action that happened at `at` may earn value that has expired by now.
    func mayBeBornExpired(at: Int64, now: Int64) -> Bool {
        at < now && lifetimes.contains { ($0.added(to: at) ?? Int64.max) <= now }
    }

    private static func addOperations(
        of bonus: CompiledBonus, plan: PlanVersion, bonus number: Int, workspace: Workspace, valueScale: Int,
        to operations: PayOperations, bounds: inout [Bound]
    ) {
        for (r, reward) in bonus.rewards.enumerated() {
            let info = workspace.rewardIndex(plan: plan.index, bonus: number, reward: r)
            func pay(_ formula: Formula, level: Int) {
                let currency = workspace.currencies[reward.currency]
                let made = RewardFormula(
                    formula, exchange: reward.exchange, valueScale: valueScale, scale: currency.scale,
                    rounding: currency.rounding)
                let bound = made.bound
                let account = Int32(reward.account ?? -1)
                if let at = bounds.firstIndex(where: { $0.currency == reward.currency && $0.account == account }) {
                    bounds[at].constant += bound.constant
                    bounds[at].slope += bound.slope
                } else {
                    bounds.append(
                        Bound(
                            currency: reward.currency, account: account, constant: bound.constant, slope: bound.slope))
                }
                operations.append(PayOperation(formula: made, info: info, level: UInt8(level), tag: -1))
            }
            switch reward.target {
            case .performer(let formula): pay(formula, level: 0)
            case .upline(let levels):
                for (index, formula) in levels.enumerated() {
                    if let formula { pay(formula, level: index + 1) }
                }
            case .tag(let tag): operations.append(tag: tag, info: info)
            }
        }
    }
}
