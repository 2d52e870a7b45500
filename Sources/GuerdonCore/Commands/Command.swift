/// A field of a `…​.put` command: absent, cleared by `null`, or set.
public enum Change<Value: Sendable & Hashable>: Sendable, Hashable {
    case keep
    case clear
    case set(Value)
}

/// Everything that can stand in the log, decoded. The hot path reads actions straight from their bytes instead.
public enum Command: Sendable, Hashable {
    /// Time has come for lots that expire; written by the sequencer, never by a client.
    case tick
    case workspacePut(WorkspacePut)
    case currencyPut(CurrencyPut)
    case accountPut(AccountPut)
    case memberPut(MemberPut)
    case planPut(PlanPut)
    case planEnd(PlanEnd)
    case boardPut(BoardPut)
    case action(ActionCommand)
    case reverse(ReverseCommand)
    case adjust(WalletCommand)
    case redeem(WalletCommand)
}

/// The first byte of every command in the log. Values never change meaning.
public enum CommandTag: UInt8, Sendable, CaseIterable {
    case action = 1
    case reverse = 2
    case adjust = 3
    case redeem = 4
    case memberPut = 5
    case workspacePut = 6
    case currencyPut = 7
    case accountPut = 8
    case planPut = 9
    case planEnd = 10
    case boardPut = 11
    case tick = 12
}

/// Creates or changes a workspace.
public struct WorkspacePut: Sendable, Hashable {
    public var workspace: Text
    /// The zone with its offsets spelled out, so that replay needs no time-zone tables.
    public var timeZone: ZoneTable?
    public var weekStart: WeekStart?
    /// Template of the members' own referral codes, with `{seq}` in it.
    public var referralCode: Change<Text>
    public var autoCreateMembers: Bool?

    public init(
        workspace: Text, timeZone: ZoneTable? = nil, weekStart: WeekStart? = nil, referralCode: Change<Text> = .keep,
        autoCreateMembers: Bool? = nil
    ) {
        self.workspace = workspace
        self.timeZone = timeZone
        self.weekStart = weekStart
        self.referralCode = referralCode
        self.autoCreateMembers = autoCreateMembers
    }
}

/// Whether a currency is cash or a category of points.
public enum CurrencyKind: UInt8, Sendable, CaseIterable {
    case points = 0
    case money = 1
}

/// Creates or changes a currency.
public struct CurrencyPut: Sendable, Hashable {
    public var workspace: Text
    public var currency: Text
    public var kind: CurrencyKind?
    public var scale: UInt8?
    public var rounding: Rounding?
    public var color: Change<Text>
    public var lifetime: Change<CalendarDuration>

    public init(
        workspace: Text, currency: Text, kind: CurrencyKind? = nil, scale: UInt8? = nil, rounding: Rounding? = nil,
        color: Change<Text> = .keep, lifetime: Change<CalendarDuration> = .keep
    ) {
        self.workspace = workspace
        self.currency = currency
        self.kind = kind
        self.scale = scale
        self.rounding = rounding
        self.color = color
        self.lifetime = lifetime
    }
}

/// Creates or changes a legal entity's funding account.
public struct AccountPut: Sendable, Hashable {
    public var workspace: Text
    public var account: Text
    public var legalEntity: Change<Text>
    public var currency: Text?
    public var budget: Change<DecimalNumber>

    public init(
        workspace: Text, account: Text, legalEntity: Change<Text> = .keep, currency: Text? = nil,
        budget: Change<DecimalNumber> = .keep
    ) {
        self.workspace = workspace
        self.account = account
        self.legalEntity = legalEntity
        self.currency = currency
        self.budget = budget
    }
}

/// Creates or changes a member.
public struct MemberPut: Sendable, Hashable {
    public var workspace: Text
    public var member: Text
    public var name: Change<Text> = .keep
    public var email: Change<Text> = .keep
    public var phone: Change<Text> = .keep
    /// `YYYY-MM-DD`.
    public var birthday: Change<Text> = .keep
    /// `YYYY-MM-DD` or RFC 3339.
    public var registered: Change<Text> = .keep
    public var kind: Change<Text> = .keep
    /// The whole new set; `nil` keeps the old one, `null` on the wire is the empty set.
    public var tags: [Text]?
    /// Keys to set, or with `.null` to remove; `nil` keeps, and clears all with ``clearAttributes``.
    public var attributes: [AttributeEntry] = []
    public var clearAttributes = false
    public var referrer: Change<Text> = .keep
    /// The code of whoever invited this member.
    public var referralCode: Text?
    /// The member's own code, set by hand.
    public var code: Change<Text> = .keep

    public init(workspace: Text, member: Text) {
        self.workspace = workspace
        self.member = member
    }
}

/// What a leaderboard's score is cut by.
public enum BoardPeriod: UInt8, Sendable, CaseIterable {
    case day = 0
    case week = 1
    case month = 2
    case year = 3
    case all = 4
}

/// How equal scores are numbered: 1224, 1223 or 1234.
public enum TieStyle: UInt8, Sendable, CaseIterable {
    case competition = 0
    case dense = 1
    case ordinal = 2
}

/// Creates a board, or changes its tie style.
public struct BoardPut: Sendable, Hashable {
    public var workspace: Text
    public var board: Text
    /// The currency whose rewards it counts; a new board needs it.
    public var currency: Text?
    /// Month is not assumed: a new board counts for ever unless it says otherwise.
    public var period: BoardPeriod?
    public var ties: TieStyle?

    public init(
        workspace: Text, board: Text, currency: Text? = nil, period: BoardPeriod? = nil, ties: TieStyle? = nil
    ) {
        self.workspace = workspace
        self.board = board
        self.currency = currency
        self.period = period
        self.ties = ties
    }
}

/// What is rewarded.
public struct ActionCommand: Sendable, Hashable {
    public var workspace: Text
    public var externalId: Text
    public var performer: Text
    public var type: Text
    public var value: DecimalNumber?
    public var currency: Text?
    /// When it happened, in nanoseconds since 1970; `nil` means the time of the command.
    public var at: Int64?
    public var title: Text?
    public var attributes: [AttributeEntry]

    public init(
        workspace: Text, externalId: Text, performer: Text, type: Text, value: DecimalNumber? = nil,
        currency: Text? = nil, at: Int64? = nil, title: Text? = nil, attributes: [AttributeEntry] = []
    ) {
        self.workspace = workspace
        self.externalId = externalId
        self.performer = performer
        self.type = type
        self.value = value
        self.currency = currency
        self.at = at
        self.title = title
        self.attributes = attributes
    }
}

/// Takes an action back, wholly or in part.
public struct ReverseCommand: Sendable, Hashable {
    public var workspace: Text
    public var externalId: Text
    public var of: Text
    public var value: DecimalNumber?
    public var at: Int64?

    public init(workspace: Text, externalId: Text, of: Text, value: DecimalNumber? = nil, at: Int64? = nil) {
        self.workspace = workspace
        self.externalId = externalId
        self.of = of
        self.value = value
        self.at = at
    }
}

/// An adjustment by hand or a redemption.
public struct WalletCommand: Sendable, Hashable {
    public var workspace: Text
    public var externalId: Text
    public var member: Text
    public var currency: Text
    public var amount: DecimalNumber
    public var reason: Text?
    /// When it happened, in nanoseconds since 1970; `nil` means the time of the command.
    public var at: Int64?

    public init(
        workspace: Text, externalId: Text, member: Text, currency: Text, amount: DecimalNumber, reason: Text? = nil,
        at: Int64? = nil
    ) {
        self.workspace = workspace
        self.externalId = externalId
        self.member = member
        self.currency = currency
        self.amount = amount
        self.reason = reason
        self.at = at
    }
}

/// One entry of an attributes map.
public struct AttributeEntry: Sendable, Hashable {
    public var key: Text
    public var value: AttributeValue

    public init(key: Text, value: AttributeValue) {
        self.key = key
        self.value = value
    }
}

/// A custom value of an action or a member. Maps are kept in order of their keys' bytes, so equal maps have equal bytes.
public indirect enum AttributeValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case decimal(DecimalNumber)
    case string(Text)
    case list([AttributeValue])
    case map([AttributeEntry])
}
