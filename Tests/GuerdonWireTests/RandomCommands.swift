import GuerdonCore
import GuerdonWire
import TestSupport

/// Random commands of every kind, with the whole range of what they can hold.
struct RandomCommands {
    var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    mutating func next() -> Command {
        switch Int.random(in: 0..<12, using: &random) {
        case 0: return .workspacePut(workspacePut())
        case 1: return .currencyPut(currencyPut())
        case 2:
            return .accountPut(
                AccountPut(
                    workspace: id(), account: id(), legalEntity: change { $0.text() }, currency: maybe { $0.id() },
                    budget: change { $0.decimal() }))
        case 3, 4: return .memberPut(memberPut())
        case 5: return .planPut(PlanPut(workspace: id(), plan: plan()))
        case 6: return .planEnd(PlanEnd(workspace: id(), plan: id(), at: maybe { $0.time() }))
        case 7:
            return .boardPut(
                BoardPut(
                    workspace: id(), board: id(), currency: maybe { $0.id() },
                    period: maybe { BoardPeriod.allCases.randomElement(using: &$0.random)! },
                    ties: maybe { TieStyle.allCases.randomElement(using: &$0.random)! }))
        case 8:
            return .reverse(
                ReverseCommand(
                    workspace: id(), externalId: id(), of: id(), value: maybe { $0.decimal() }, at: maybe { $0.time() })
            )
        case 9: return .adjust(walletCommand())
        case 10: return .redeem(walletCommand())
        default: return .action(action())
        }
    }

    mutating func action() -> ActionCommand {
        var action = ActionCommand(
            workspace: id(), externalId: id(), performer: id(), type: id(), value: maybe { $0.decimal() },
            at: maybe { $0.time() }, title: maybe { $0.text() })
        if action.value != nil { action.currency = maybe { $0.id() } }
        if flip() { action.attributes = map(depth: 0) }
        return action
    }

    mutating func flip() -> Bool { Bool.random(using: &random) }

    mutating func maybe<T>(_ make: (inout RandomCommands) -> T) -> T? { flip() ? make(&self) : nil }

    mutating func change<T>(_ make: (inout RandomCommands) -> T) -> Change<T> {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: .keep
        case 1: .clear
        default: .set(make(&self))
        }
    }

    private mutating func characters(_ count: ClosedRange<Int>) -> Text {
        let alphabet: [String] = [
            "a", "B", "7", "-", ".", " ", "\"", "\\", "/", "\n", "\t", "\u{0}", "\u{1f}", "\u{7f}", "é", "☕", "😀",
        ]
        let length = Int.random(in: count, using: &random)
        return Text((0..<length).map { _ in alphabet.randomElement(using: &random)! }.joined())
    }

    mutating func id() -> Text {
        if flip() { return characters(1...30) }
        return Text("m\(UInt32.random(in: 0...UInt32.max, using: &random))")
    }

    mutating func text() -> Text { characters(0...40) }

    mutating func decimal() -> DecimalNumber {
        let edges: [Int64] = [0, 1, -1, 5, 1234, .max, .min, .max - 1, 9_007_199_254_740_993]
        let coefficient =
            flip() ? edges.randomElement(using: &random)! : Int64.random(in: .min ... .max, using: &random)
        return DecimalNumber(coefficient: coefficient, scale: UInt8.random(in: 0...18, using: &random))
    }

    mutating func time() -> Int64 {
        let time = Int64.random(in: Int64(Limits.times.lowerBound)..<Int64(Limits.times.upperBound), using: &random)
        return flip() ? time : time / 1_000_000_000 * 1_000_000_000
    }

    mutating func duration() -> CalendarDuration {
        let duration = CalendarDuration(
            months: flip() ? Int32.random(in: 0...5000, using: &random) : 0,
            days: flip() ? Int32.random(in: 0...50_000, using: &random) : 0,
            seconds: flip() ? Int64.random(in: 0...500_000, using: &random) : 0)
        return duration == CalendarDuration() ? CalendarDuration(days: 1) : duration
    }

    mutating func map(depth: Int) -> [AttributeEntry] {
        let keys = Set((0..<Int.random(in: 1...4, using: &random)).map { _ in id() })
        return keys.sorted().map { AttributeEntry(key: $0, value: value(depth: depth + 1)) }
    }

    mutating func value(depth: Int) -> AttributeValue {
        switch Int.random(in: 0..<(depth > 5 ? 4 : 6), using: &random) {
        case 0: return .bool(flip())
        case 1: return .int(flip() ? .min : Int64.random(in: .min ... .max, using: &random))
        case 2:
            var number = decimal()
            if number.scale == 0 { number.scale = 1 }
            return .decimal(number)
        case 3: return .string(text())
        case 4: return .list((0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth: depth + 1) })
        default: return .map(flip() ? [] : map(depth: depth))
        }
    }
}

extension RandomCommands {
    private mutating func workspacePut() -> WorkspacePut {
        let zones: [Text] = ["UTC", "Europe/Warsaw", "America/New_York", "Pacific/Apia"]
        var put = WorkspacePut(workspace: id())
        put.timeZone = maybe { ZoneTables.table(named: zones.randomElement(using: &$0.random)!)! }
        put.weekStart = maybe { WeekStart.allCases.randomElement(using: &$0.random)! }
        put.referralCode = change { Text("\($0.id())-{seq}") }
        put.autoCreateMembers = maybe { $0.flip() }
        return put
    }

    private mutating func currencyPut() -> CurrencyPut {
        CurrencyPut(
            workspace: id(), currency: id(), kind: maybe { CurrencyKind.allCases.randomElement(using: &$0.random)! },
            scale: maybe { UInt8.random(in: 0...6, using: &$0.random) },
            rounding: maybe { Rounding.allCases.randomElement(using: &$0.random)! }, color: change { _ in "#00ffAA" },
            lifetime: change { $0.duration() })
    }

    private mutating func memberPut() -> MemberPut {
        var put = MemberPut(workspace: id(), member: id())
        put.name = change { $0.text() }
        put.email = change { $0.text() }
        put.phone = change { $0.text() }
        put.birthday = change { _ in "2000-02-29" }
        put.registered = change { $0.flip() ? "2026-01-05" : "2026-01-05T10:00:00.5+01:00" }
        put.kind = change { $0.text() }
        put.tags = maybe { r in Set((0..<Int.random(in: 0...4, using: &r.random)).map { _ in r.id() }).sorted() }
        put.referrer = change { $0.id() }
        put.referralCode = maybe { $0.id() }
        put.code = change { $0.id() }
        switch Int.random(in: 0..<3, using: &random) {
        case 0: put.clearAttributes = true
        case 1:
            put.attributes = map(depth: 0)
            put.attributes[0].value = .null
        default: break
        }
        return put
    }

    private mutating func walletCommand() -> WalletCommand {
        WalletCommand(
            workspace: id(), externalId: id(), member: id(), currency: id(), amount: decimal(),
            reason: maybe { $0.text() }, at: maybe { $0.time() })
    }

    private mutating func plan() -> PlanDefinition {
        PlanDefinition(
            plan: id(), title: maybe { $0.text() }, funding: maybe { $0.id() }, starts: maybe { $0.instant() },
            ends: maybe { $0.instant() }, audience: maybe { $0.id() }, clawback: flip() ? .debt : .available,
            bonuses: (0..<Int.random(in: 0...3, using: &random)).map { _ in
                BonusDefinition(
                    bonus: id(), when: maybe { $0.id() },
                    rewards: (0..<Int.random(in: 0...3, using: &random)).map { _ in reward() })
            })
    }

    private mutating func instant() -> PlanInstant {
        flip() ? .time(time()) : .date(Int32.random(in: -700_000...100_000, using: &random))
    }

    private mutating func reward() -> RewardDefinition {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: return RewardDefinition(gift: .tag(id()))
        case 1: return rest(of: .performer(currency: id(), formula()))
        default:
            let levels = (0..<Int.random(in: 0...4, using: &random)).map { _ in maybe { $0.formula() } }
            return rest(of: .upline(currency: id(), levels: levels))
        }
    }

    private mutating func rest(of gift: RewardDefinition.Gift) -> RewardDefinition {
        RewardDefinition(
            gift: gift, lifetime: maybe { $0.duration() }, description: maybe { $0.text() },
            exchange: maybe { $0.decimal() })
    }

    private mutating func formula() -> Formula {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: .fixed(decimal())
        case 1: .perUnit(per: decimal(), amount: decimal())
        default: .rate(decimal())
        }
    }
}
