/// One customer's closed world.
struct Workspace {
    let id: Text
    var zone = Zone.utc
    var weekStart = WeekStart.monday
    var template: Text?
    /// Every template that was ever in force: no code by hand may look like one that they can make.
    var templates: [Text] = []
    var createsPerformers = false

    /// In order of creation; the number of each is its position.
    var currencies: [Currency] = []
    var members: [Member] = []
    var accounts: [Text: FundingAccount] = [:]
    /// In order of first put; each with all its versions.
    var plans: [PlanHistory] = []
    var boards: [Text: Board] = [:]

    var remembered: [Text: Remembered] = [:]
    var actions: [Text: ActionRecord] = [:]
    var postings: [Posting] = []
    var scoreEvents: [ScoreEvent] = []
    /// What the accounts other than wallets hold, by currency number. Kept beside the wallets, compared by
    /// invariants.
    var otherAccounts: [AccountName: [Int: Int128]] = [:]

    func currencyNumber(_ id: Text) -> Int? { currencies.firstIndex { $0.id == id } }
    func memberNumber(_ id: Text) -> Int? { memberNumbers[id] }

    private(set) var memberNumbers: [Text: Int] = [:]

    /// Adds a member, with the code of the template in force; answers his number.
    mutating func createMember(_ id: Text) -> Int {
        var member = Member(id: id)
        member.templateCode = template.map { CodeTemplate($0).code(members.count + 1) }
        memberNumbers[id] = members.count
        members.append(member)
        return members.count - 1
    }
}

/// A referral code template: `{seq}` stands for the member's number, counted from 1.
struct CodeTemplate {
    let prefix: String
    let suffix: String

    init(_ template: Text) {
        let parts = template.string.split(separator: "{seq}", maxSplits: 1, omittingEmptySubsequences: false)
        (prefix, suffix) = (String(parts[0]), String(parts[1]))
    }

    func code(_ number: Int) -> Text { Text(prefix + String(number) + suffix) }

    /// Whether some member's number gives this code.
    func canMake(_ code: Text) -> Bool {
        let bytes = code.bytes
        let (before, behind) = (Array(prefix.utf8), Array(suffix.utf8))
        guard bytes.count > before.count + behind.count, bytes.starts(with: before),
            bytes.reversed().starts(with: behind.reversed())
        else { return false }
        let digits = bytes.dropFirst(before.count).dropLast(behind.count)
        return digits.first != UInt8(ascii: "0")
            && digits.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

/// Who is rewarded.
struct Member {
    let id: Text
    var name: Text?
    var email: Text?
    var phone: Text?
    var birthday: CivilDate?
    var registered: CivilDate?
    var kind: Text?
    var tags: [Text] = []
    var attributes: [Text: Attribute] = [:]
    /// The number of the member who invited him.
    var referrer: Int?
    var templateCode: Text?
    var handCode: Text?
    /// By currency number.
    var wallets: [Int: Wallet] = [:]

    var code: Text? { handCode ?? templateCode }

    var facts: MemberFacts {
        MemberFacts(
            id: id, kind: kind, tags: tags, attributes: attributes, registered: registered, birthday: birthday,
            name: name)
    }
}

/// A unit that a wallet holds.
struct Currency {
    let id: Text
    let kind: String
    let scale: Int
    var rounding = Rounding.halfUp
    var color: Text?
    var lifetime: Lifetime?
    /// The sum of all credits ever made to wallets.
    var credited: Int64 = 0

    func text(_ amount: Int64) -> String { ExactDecimal.text(amount, scale: scale) }
}

/// The account of a legal entity that pays.
struct FundingAccount {
    var legalEntity: Text?
    let currency: Int
    var budget: Int64?
    /// What was paid from it less what reversals brought back.
    var spent: Int64 = 0
}

/// An account that is not a wallet.
enum AccountName: Hashable {
    case issuance, redeemed, expired
    case funding(Text)
}

/// An external id that was used, and for what.
struct Remembered {
    let seq: Int
    let content: Content
}

/// What a remembered command said; a resent command must say the same.
struct Content: Equatable {
    var op: String
    var texts: [Text?]
    var number: ExactDecimal?
    var at: Instant?
    var attributes: [Text: Attribute] = [:]
}

/// An accepted action with everything that a reversal needs.
struct ActionRecord {
    let seq: Int
    let externalId: Text
    let performer: Int
    let at: Instant
    /// The scale that `value` and `left` are counted in.
    let valueScale: Int
    /// `nil` for an event.
    let value: Int64?
    /// What of the value was not taken back yet.
    var left: Int64
    var isClosed = false
    let periods: [PeriodKind: String]
    var paid: [PaidReward]
}

/// One reward that an action paid, with the rule as it was then.
struct PaidReward {
    let member: Int
    let currency: Int
    let amount: Int64
    let formula: Formula
    let rounding: Rounding
    let expires: Instant?
    let origin: Origin
    let source: AccountName
    let becomesDebt: Bool
    /// What reversals have taken of it nominally.
    var taken: Int64 = 0
}

/// The plan version, bonus and level that caused a posting.
struct Origin {
    let plan: Text
    let version: Int
    let bonus: Text
    let level: Int
    let description: Text?
}

/// One line of a statement.
struct Posting {
    enum Kind: String { case reward, reversal, adjustment, redemption, expiry }
    enum Source { case of(member: Text, externalId: Text, reversed: Text?) }

    let seq: Int
    let at: Instant
    let recorded: Instant
    let member: Int
    let currency: Int
    let amount: Int64
    /// The available balance behind it.
    let balance: Int64
    let kind: Kind
    var origin: Origin?
    var source: Source?
    var description: Text?
}

/// What a reward added to the boards of its currency, or a reversal took from them.
struct ScoreEvent {
    let seq: Int
    /// The action that it belongs to: boards put later do not count it.
    let actionSeq: Int
    let member: Int
    let currency: Int
    let amount: Int64
    let periods: [PeriodKind: String]
}

/// A leaderboard.
struct Board {
    let currency: Int
    let period: PeriodKind
    var ties: TieStyle
    let putSeq: Int
}
