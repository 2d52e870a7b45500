/// Puts a new version of a motivation plan in force.
public struct PlanPut: Sendable, Hashable {
    public var workspace: Text
    public var plan: PlanDefinition

    public init(workspace: Text, plan: PlanDefinition) {
        self.workspace = workspace
        self.plan = plan
    }
}

/// Ends a plan at an instant.
public struct PlanEnd: Sendable, Hashable {
    public var workspace: Text
    public var plan: Text
    /// Nanoseconds since 1970; `nil` means the time of the command.
    public var at: Int64?

    public init(workspace: Text, plan: Text, at: Int64?) {
        self.workspace = workspace
        self.plan = plan
        self.at = at
    }
}

/// A date in the workspace's zone, or an instant.
public enum PlanInstant: Sendable, Hashable {
    /// Days since 1970-01-01.
    case date(Int32)
    /// Nanoseconds since 1970.
    case time(Int64)
}

/// What happens when a reversal finds less than it should take back.
public enum Clawback: UInt8, Sendable, CaseIterable {
    /// Take what is there, report the rest.
    case available = 0
    /// The rest becomes a debt that later credits pay first.
    case debt = 1
}

/// A plan as its author wrote it; checked and compiled when it is applied.
public struct PlanDefinition: Sendable, Hashable {
    public var plan: Text
    public var title: Text?
    /// The account whose legal entity pays.
    public var funding: Text?
    public var starts: PlanInstant?
    public var ends: PlanInstant?
    /// CEL over the member; `nil` is everybody.
    public var audience: Text?
    public var clawback: Clawback
    public var bonuses: [BonusDefinition]

    public init(
        plan: Text, title: Text? = nil, funding: Text? = nil, starts: PlanInstant? = nil, ends: PlanInstant? = nil,
        audience: Text? = nil, clawback: Clawback = .available, bonuses: [BonusDefinition]
    ) {
        self.plan = plan
        self.title = title
        self.funding = funding
        self.starts = starts
        self.ends = ends
        self.audience = audience
        self.clawback = clawback
        self.bonuses = bonuses
    }
}

/// Condition and rewards.
public struct BonusDefinition: Sendable, Hashable {
    public var bonus: Text
    /// CEL; `nil` is always.
    public var when: Text?
    public var rewards: [RewardDefinition]

    public init(bonus: Text, when: Text? = nil, rewards: [RewardDefinition]) {
        self.bonus = bonus
        self.when = when
        self.rewards = rewards
    }
}

/// How much a reward is.
public enum Formula: Sendable, Hashable {
    case fixed(DecimalNumber)
    /// `amount` for each whole `per` of the value.
    case perUnit(per: DecimalNumber, amount: DecimalNumber)
    /// A share of the value: 0.05 is 5 %.
    case rate(DecimalNumber)
}

/// Who gets what.
public struct RewardDefinition: Sendable, Hashable {
    /// What is given.
    public enum Gift: Sendable, Hashable {
        /// To the performer.
        case performer(currency: Text, Formula)
        /// To the ancestors: `levels[k]` is for the one at level k + 1; `nil` pays nothing there.
        case upline(currency: Text, levels: [Formula?])
        /// A tag for the performer.
        case tag(Text)
    }

    public var gift: Gift
    public var lifetime: CalendarDuration?
    public var description: Text?
    /// What the value is multiplied by before `per` and `rate`.
    public var exchange: DecimalNumber?

    public init(
        gift: Gift, lifetime: CalendarDuration? = nil, description: Text? = nil, exchange: DecimalNumber? = nil
    ) {
        self.gift = gift
        self.lifetime = lifetime
        self.description = description
        self.exchange = exchange
    }
}
