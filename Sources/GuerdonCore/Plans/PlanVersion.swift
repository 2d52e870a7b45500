/// One version of a plan, checked against the workspace and compiled. Immutable but for the instant it ends.
final class PlanVersion {
    /// Index among all plan versions of the workspace.
    let index: UInt32
    /// Counts the versions of this plan, from 1.
    let version: Int
    /// Log position from which on it is in force.
    let sequence: UInt64
    let definition: PlanDefinition
    /// Occurred-at instants it applies to: `starts <= at < ends`, nanoseconds since 1970.
    let starts: Int64
    var ends: Int64
    let audience: Condition?
    let funding: Int?
    let bonuses: [CompiledBonus]

    init(
        index: UInt32, version: Int, sequence: UInt64, definition: PlanDefinition, starts: Int64, ends: Int64,
        audience: Condition?, funding: Int?, bonuses: [CompiledBonus]
    ) {
        self.index = index
        self.version = version
        self.sequence = sequence
        self.definition = definition
        self.starts = starts
        self.ends = ends
        self.audience = audience
        self.funding = funding
        self.bonuses = bonuses
    }
}

/// A bonus with its condition compiled.
struct CompiledBonus {
    var name: Text
    /// `nil` is always.
    var condition: Condition?
    var rewards: [CompiledReward]
}

/// A reward with its names resolved.
struct CompiledReward {
    enum Target {
        case performer(Formula)
        case upline([Formula?])
        case tag(Text)
    }
    var target: Target
    /// Index of the currency; -1 for a tag.
    var currency: Int
    /// The funding account that pays; `nil` is the currency's issuance.
    var account: Int?
    var lifetime: CalendarDuration?
    var description: Text?
    var exchange: DecimalNumber?
}

/// Where a posting's plan, bonus and reward numbers lead, and what paying it needs. One flat table a workspace.
struct RewardInfo {
    var plan: UInt32
    var bonus: UInt16
    var reward: UInt16
    var currency: UInt16
    /// Index of the funding account, or -1.
    var account: Int32
    var hasLifetime: Bool
    var lifetime: CalendarDuration
}
