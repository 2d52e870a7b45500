/// A unit that wallets hold, and the built-in accounts on the other side of their postings.
struct Currency {
    var code: Text
    var kind: CurrencyKind
    var scale: Int
    /// Rounding rules and the log positions they hold from, in order; never empty.
    var roundings: [(from: UInt64, rounding: Rounding)]
    var color: Text?
    /// Lifetimes of its value and the log positions they hold from, in order.
    var lifetimes: [(from: UInt64, lifetime: CalendarDuration?)] = []
    var books = CurrencyBooks()

    /// The rounding rule in force now.
    var rounding: Rounding { roundings[roundings.count - 1].rounding }

    /// The rounding rule that was in force at a log position.
    func rounding(at sequence: UInt64) -> Rounding {
        (roundings.last { $0.from <= sequence } ?? roundings[0]).rounding
    }

    /// The lifetime in force now.
    var lifetime: CalendarDuration? { lifetimes.last?.lifetime }

    /// The lifetime that was in force at a log position.
    func lifetime(at sequence: UInt64) -> CalendarDuration? {
        lifetimes.last { $0.from <= sequence }?.lifetime
    }
}

/// The built-in accounts of a currency. With the funding accounts of legal entities and all wallets they sum to zero.
struct CurrencyBooks: Equatable, Sendable {
    /// Pays rewards that no funding account pays: ≤ 0.
    var issuance: Int64 = 0
    /// The other side of adjustments.
    var adjustments: Int64 = 0
    /// What was redeemed: ≥ 0.
    var redeemed: Int64 = 0
    /// What expired: ≥ 0.
    var breakage: Int64 = 0
    /// All that was ever credited to wallets; never more than `Int64.max`, so no sum below it can overflow.
    var credited: Int64 = 0
}

/// A legal entity's account that pays rewards.
struct FundingAccount {
    var account: Text
    var legalEntity: Text?
    var currency: Int
    /// The most that may be spent net of reversals; `nil` is no bound.
    var budget: Int64?
    /// Rewards paid minus reversals taken back.
    var spent: Int64 = 0
}
