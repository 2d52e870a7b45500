/// One member's balance in one currency.
public struct Wallet: BitwiseCopyable, Equatable, Sendable {
    /// Minor units: the sum of the lots, or a negative number when the member owes.
    public var balance: Int64 = 0
    /// The part of the balance that never expires.
    public var undated: Int64 = 0
    // Two 48-bit log positions and, in the upper 16 bits of both words, the two halves of `lastLot`: 32 bytes a wallet.
    private var newest: UInt64 = 0xffff << 48
    private var undatedFrom: UInt64 = 0xffff << 48

    private static let positionMask: UInt64 = 0xffff_ffff_ffff

    /// Log position of the newest posting; 0 when there never was one.
    public var lastSequence: UInt64 {
        get { newest & Wallet.positionMask }
        set { newest = newest & ~Wallet.positionMask | newValue }
    }
    /// Log position of the credit that made the undated lot, ``severalSources`` when there were more, 0 when it is empty.
    public var undatedSource: UInt64 {
        get { undatedFrom & Wallet.positionMask }
        set { undatedFrom = undatedFrom & ~Wallet.positionMask | newValue }
    }
    /// The dated lot that expires last; its `next` is the one that expires first. ``Lot/none`` when there is none.
    var lastLot: UInt32 {
        get { UInt32(truncatingIfNeeded: newest >> 48) | UInt32(truncatingIfNeeded: undatedFrom >> 48) << 16 }
        set {
            newest = newest & Wallet.positionMask | UInt64(newValue & 0xffff) << 48
            undatedFrom = undatedFrom & Wallet.positionMask | UInt64(newValue >> 16) << 48
        }
    }

    /// In ``undatedSource``: more than one credit.
    static let severalSources: UInt64 = 0xffff_ffff_ffff

    public init() {}

    /// Adds value that never expires; a debt is paid first and only the rest reaches the undated lot.
    @inline(__always)
    mutating func credit(undated amount: Int64, sequence: UInt64) {
        let toLot = balance < 0 ? max(0, amount + balance) : amount
        balance += amount
        lastSequence = sequence
        if toLot > 0 {
            undatedSource = undatedSource == 0 || undatedSource == sequence ? sequence : Wallet.severalSources
            undated += toLot
        }
    }

    /// What can be spent.
    public var available: Int64 { max(balance, 0) }
    /// What is owed.
    public var debt: Int64 { balance < 0 ? -balance : 0 }
}

/// Credited value with an expiry.
struct Lot: BitwiseCopyable, Equatable, Sendable {
    /// What is left; 0 once spent, until its expiry comes up and the slot is reused.
    var amount: Int64
    /// Nanoseconds since 1970.
    var expires: Int64
    /// Log position of the command that credited it (48 bits) and the currency (16).
    private var origin: UInt64
    /// The wallet's member in this shard.
    var local: UInt32
    /// The next lot of the wallet in order of (expires, sequence), round to the first; or the next free slot.
    var next: UInt32

    var sequence: UInt64 { origin & 0xffff_ffff_ffff }
    var currency: UInt16 { UInt16(origin >> 48) }

    init(
        amount: Int64 = 0, expires: Int64 = 0, sequence: UInt64 = 0, local: UInt32 = 0, next: UInt32 = Lot.none,
        currency: UInt16 = 0
    ) {
        self.amount = amount
        self.expires = expires
        self.origin = sequence | UInt64(currency) << 48
        self.local = local
        self.next = next
    }

    static let none = UInt32.max

    /// Spending order.
    @inline(__always) func precedes(_ other: Lot) -> Bool {
        expires != other.expires ? expires < other.expires : sequence < other.sequence
    }
}

/// A lot as a reader sees it.
public struct LotView: Equatable, Sendable {
    public var amount: Int64
    /// Nanoseconds since 1970; `nil` never.
    public var expires: Int64?
    /// Log position of the one command that made it; `nil` when there were several.
    public var source: UInt64?

    public init(amount: Int64, expires: Int64?, source: UInt64?) {
        self.amount = amount
        self.expires = expires
        self.source = source
    }
}
