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
    /// What many postings share.
    public var shape: PostingShape
    /// The member's creation number in the workspace, from 0.
    public var member: UInt32

    /// Index of the plan version in the workspace, or ``noPlan``.
    public var plan: UInt32 { shape.plan }
    /// Index of the workspace.
    public var workspace: UInt16 { shape.workspace }
    /// Index of the currency in the workspace.
    public var currency: UInt16 { shape.currency }
    /// Index of the bonus in the plan version.
    public var bonus: UInt16 { shape.bonus }
    /// Index of the reward in the bonus.
    public var reward: UInt16 { shape.reward }
    /// Raw value of ``Kind``.
    public var kindCode: UInt8 { shape.kindCode }
    /// 0 for the performer, k for the k-th upline level.
    public var level: UInt8 { shape.level }

    /// What moved the value; `nil` only for damaged data.
    public var kind: Kind? { Kind(rawValue: kindCode) }

    /// Creates a posting from its parts.
    public init(
        sequence: UInt64, previous: UInt64, amount: Int64, workspace: UInt16, member: UInt32, currency: UInt16,
        kind: Kind, plan: UInt32 = Posting.noPlan, bonus: UInt16 = 0, reward: UInt16 = 0, level: UInt8 = 0
    ) {
        self.init(
            sequence: sequence, previous: previous, amount: amount, member: member,
            shape: PostingShape(
                workspace: workspace, currency: currency, kind: kind, plan: plan, bonus: bonus, reward: reward,
                level: level))
    }

    /// Creates a posting from its parts.
    @inline(__always)
    public init(sequence: UInt64, previous: UInt64, amount: Int64, member: UInt32, shape: PostingShape) {
        self.sequence = sequence
        self.previous = previous
        self.amount = amount
        self.shape = shape
        self.member = member
    }
}

/// The part of a posting that few values share: what moved the value, of what, and why.
///
/// Two words, since postings are written, compared and numbered by the million.
public struct PostingShape: BitwiseCopyable, Equatable, Sendable {
    /// Plan version (32 bits), workspace (16) and currency (16).
    public let origin: UInt64
    /// Bonus (16 bits), reward (16), kind (8) and level (8).
    public let detail: UInt64

    /// What the words hold.
    public init(origin: UInt64, detail: UInt64) {
        self.origin = origin
        self.detail = detail
    }

    init(
        workspace: UInt16, currency: UInt16, kind: Posting.Kind, plan: UInt32 = Posting.noPlan, bonus: UInt16 = 0,
        reward: UInt16 = 0, level: UInt8 = 0
    ) {
        origin = UInt64(plan) | UInt64(workspace) << 32 | UInt64(currency) << 48
        detail = UInt64(bonus) | UInt64(reward) << 16 | UInt64(kind.rawValue) << 32 | UInt64(level) << 40
    }

    /// The same shape at another level, for one at level 0.
    @inline(__always)
    func at(level: UInt8) -> PostingShape { PostingShape(origin: origin, detail: detail | UInt64(level) &<< 40) }

    var plan: UInt32 { UInt32(truncatingIfNeeded: origin) }
    var workspace: UInt16 { UInt16(truncatingIfNeeded: origin >> 32) }
    var currency: UInt16 { UInt16(truncatingIfNeeded: origin >> 48) }
    var bonus: UInt16 { UInt16(truncatingIfNeeded: detail) }
    var reward: UInt16 { UInt16(truncatingIfNeeded: detail >> 16) }
    /// Raw value of the kind.
    public var kindCode: UInt8 { UInt8(truncatingIfNeeded: detail >> 32) }
    var level: UInt8 { UInt8(truncatingIfNeeded: detail >> 40) }
}
