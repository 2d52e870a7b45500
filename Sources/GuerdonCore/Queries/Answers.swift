// What reads answer, before it is written as JSON.

/// A member's profile.
public struct MemberAnswer: Sendable {
    public var member: Text
    public var name, email, phone, birthday, registered, kind: Text?
    public var tags: [Text]
    public var attributes: [AttributeEntry]
    public var referrer: Text?
    public var referralCode: Text?
}

/// A member's balances.
public struct WalletAnswer: Sendable {
    public struct Balance: Sendable {
        public var currency: Text
        public var scale: Int
        public var available: Int64
        public var debt: Int64
        /// `nil` unless lots were asked for.
        public var lots: [Lot]?
    }
    public struct Lot: Sendable {
        public var amount: Int64
        public var expires: Int64?
        /// External id of the one command that made it.
        public var source: Text?
    }
    public var member: Text
    public var balances: [Balance]
}

/// One page of a statement, newest first.
public struct StatementAnswer: Sendable {
    public struct Entry: Sendable {
        public var sequence: UInt64
        public var at: Int64
        public var recorded: Int64
        public var currency: Text
        public var scale: Int
        public var amount: Int64
        /// Available balance behind this row.
        public var balance: Int64
        public var kind: Posting.Kind
        public var plan: Text?
        public var version: Int?
        public var bonus: Text?
        public var level: Int?
        public var sourceMember: Text?
        public var sourceExternalId: Text?
        /// The reversed action, for reversals.
        public var sourceOf: Text?
        public var description: Text?
    }
    public var entries: [Entry]
    /// Where the next page begins; `nil` at the end.
    public var next: String?
}

/// Members above or below one, with their levels.
public struct ChainAnswer: Sendable {
    public struct Entry: Sendable {
        public var level: Int
        public var member: Text
    }
    public var member: Text
    public var entries: [Entry]
}

/// A part of a board.
public struct BoardAnswer: Sendable {
    public struct Entry: Sendable {
        public var rank: Int
        public var member: Text
        public var score: Int64
    }
    public var board: Text
    public var period: String
    /// End of the period with the zone's offset in seconds; `nil` for "all".
    public var ends: (time: Int64, offset: Int32)?
    public var total: Int
    public var scale: Int
    public var entries: [Entry]
    /// The member asked for, when it was a question about one.
    public var own: (rank: Int?, score: Int64)?
}

/// What became of an action, and why.
public struct ExplainAnswer: Sendable {
    public struct Line: Sendable {
        public var member: Text
        public var currency: Text
        public var scale: Int
        public var amount: Int64
        public var plan: Text
        public var version: Int
        public var bonus: Text
        public var level: Int
    }
    public struct Failure: Sendable {
        public var plan: Text
        public var version: Int
        public var bonus: Text
        public var level: Int
    }
    public var sequence: UInt64
    public var command: Command
    public var recorded: Int64
    public var rewards: [Line]
    /// Bonuses whose condition failed while it was evaluated.
    public var failures: [Failure]
    /// What is left of the value after reversals; `nil` when it was never reversed.
    public var left: Int64?
    public var valueScale: Int
}
