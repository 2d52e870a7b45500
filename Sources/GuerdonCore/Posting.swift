/// One change of one wallet: the unit of statements, of reversals and of the double-entry record.
///
/// The other side of the entry follows from ``kind`` and ``plan``: a reward is paid by the plan's funding account, an
/// expiry goes to the currency's breakage account, and so on. Postings are derived from the log; the history on disk
/// keeps them so that a statement need not replay it.
public struct Posting: BitwiseCopyable, Equatable, Sendable {
    /// What moved the value.
    public enum Kind: UInt8, Sendable, CaseIterable {
        case reward = 1
        case reversal = 2
        case adjustment = 3
        case redemption = 4
        case expiry = 5
        /// Not a movement: a condition failed while it was evaluated for ``Posting/member``; `amount` is 0.
        case conditionError = 6
    }

    /// Stands for "no plan" in ``plan``.
    public static let noPlan = UInt32.max

    /// Log position of the command that caused the posting.
    public var sequence: UInt64
    /// Log position of the wallet's previous posting, 0 when this is its first.
    public var previous: UInt64
    /// Signed change of the wallet in the currency's minor units.
    public var amount: Int64
    /// The member's creation number in the workspace, from 0.
    public var member: UInt32
    /// Index of the plan version in the workspace, or ``noPlan``.
    public var plan: UInt32
    /// Index of the workspace.
    public var workspace: UInt16
    /// Index of the currency in the workspace.
    public var currency: UInt16
    /// Index of the bonus in the plan version.
    public var bonus: UInt16
    /// Index of the reward in the bonus.
    public var reward: UInt16
    /// Raw value of ``Kind``.
    public var kindCode: UInt8
    /// 0 for the performer, k for the k-th upline level.
    public var level: UInt8

    /// What moved the value; `nil` only for damaged data.
    public var kind: Kind? { Kind(rawValue: kindCode) }

    /// Creates a posting from its parts.
    public init(
        sequence: UInt64, previous: UInt64, amount: Int64, workspace: UInt16, member: UInt32, currency: UInt16,
        kind: Kind, plan: UInt32 = Posting.noPlan, bonus: UInt16 = 0, reward: UInt16 = 0, level: UInt8 = 0
    ) {
        self.sequence = sequence
        self.previous = previous
        self.amount = amount
        self.member = member
        self.plan = plan
        self.workspace = workspace
        self.currency = currency
        self.bonus = bonus
        self.reward = reward
        self.kindCode = kind.rawValue
        self.level = level
    }
}
