/// A leaderboard: members in order of what rewards in one currency brought them, period by period.
///
/// Finished periods stay as they are. Each period has one table a shard; a global rank is the sum of the shards' ranks.
final class Board {
    let name: Text
    let index: Int
    let currency: Int
    let period: BoardPeriod
    private(set) var ties: TieStyle
    /// Log position from which on it counts.
    let sequence: UInt64
    private let shardCount: Int
    private let members: IdTable
    private let side: SideWork?
    private(set) var standings: [Int64: Standing] = [:]
    // The periods of recent days: actions mostly fall into few of them.
    private var recent: ContiguousArray<(day: Int64, standing: Standing)?>

    init(
        name: Text, index: Int, currency: Int, period: BoardPeriod, ties: TieStyle, sequence: UInt64, shardCount: Int,
        members: IdTable, side: SideWork?
    ) {
        self.name = name
        self.index = index
        self.currency = currency
        self.period = period
        self.ties = ties
        self.sequence = sequence
        self.shardCount = shardCount
        self.members = members
        self.side = side
        recent = ContiguousArray(repeating: nil, count: 64)
    }

    /// Numbers equal scores differently from now on.
    func setTies(_ style: TieStyle) {
        let changes = (style == .dense) != (ties == .dense)
        ties = style
        if changes { for standing in standings.values { standing.rebuild(countsDistinct: style == .dense) } }
    }

    /// The standing of the period that a local day falls into; made when it is new.
    func standing(day: Int64, weekStart: WeekStart) -> Standing {
        let slot = Int(day & 63)
        if let hit = recent[slot], hit.day == day {
            hit.standing.settle()
            return hit.standing
        }
        let key = period.key(day: day, weekStart: weekStart)
        let standing = standing(key: key)
        recent[slot] = (day, standing)
        return standing
    }

    /// The standing that ``standing(day:weekStart:)`` made before; safe to ask from several shards at once.
    func existingStanding(day: Int64, weekStart: WeekStart) -> Standing {
        if let hit = recent[Int(day & 63)], hit.day == day { return hit.standing }
        guard let found = standings[period.key(day: day, weekStart: weekStart)] else {
            preconditionFailure("a standing was not made before the shards' phase")
        }
        return found
    }

    /// The standing of a period; made when it is new.
    func standing(key: Int64) -> Standing {
        if let found = standings[key] {
            // Every change begins here or at a day, so what shards note never grows beyond one step's changes.
            found.settle()
            return found
        }
        let made = Standing(
            key: key, shardCount: shardCount, members: members, countsDistinct: ties == .dense, side: side)
        standings[key] = made
        return made
    }

    /// To be called when the workspace's first day of the week changes.
    func forgetRecentDays() { recent = ContiguousArray(repeating: nil, count: 64) }
}

extension BoardPeriod {
    /// Numbers the period that a local day (days since 1970-01-01) falls into.
    func key(day: Int64, weekStart: WeekStart) -> Int64 {
        switch self {
        case .all: return 0
        case .day: return day
        case .week: return floorDivide(day + weekStart.shift + 3, 7)
        case .month:
            let date = CivilDate.date(fromDays: day)
            return date.year * 12 + date.month - 1
        case .year: return CivilDate.date(fromDays: day).year
        }
    }

    /// The period's name: `2026-11-01`, `2026-W45`, `2026-11`, `2026`, `all`.
    func name(key: Int64) -> String {
        func padded(_ n: Int64, _ width: Int) -> String {
            let digits = String(n)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        switch self {
        case .all: return "all"
        case .day:
            let date = CivilDate.date(fromDays: key)
            return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
        case .week:
            // The week belongs to the year of its Thursday; key 0 is the week of Thursday 1970-01-01.
            let thursday = key * 7
            let year = CivilDate.date(fromDays: thursday).year
            let week = (thursday - CivilDate.days(year: year, month: 1, day: 1)) / 7 + 1
            return "\(padded(year, 4))-W\(padded(week, 2))"
        case .month: return "\(padded(floorDivide(key, 12), 4))-\(padded(key - floorDivide(key, 12) * 12 + 1, 2))"
        case .year: return padded(key, 4)
        }
    }

    /// The key of a name; `nil` when it is not the name of such a period.
    func key(name: String) -> Int64? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        func number(_ text: String, _ width: Int) -> Int64? {
            guard text.utf8.count == width, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
            return Int64(text)
        }
        var key: Int64?
        switch (self, parts.count) {
        case (.all, 1): key = name == "all" ? 0 : nil
        case (.year, 1): key = number(parts[0], 4)
        case (.month, 2):
            if let y = number(parts[0], 4), let m = number(parts[1], 2), (1...12).contains(m) { key = y * 12 + m - 1 }
        case (.day, 3):
            if let y = number(parts[0], 4), let m = number(parts[1], 2), let d = number(parts[2], 2),
                (1...12).contains(m)
            {
                key = CivilDate.days(year: y, month: m, day: d)
            }
        case (.week, 2):
            if let y = number(parts[0], 4), parts[1].utf8.first == UInt8(ascii: "W"),
                let w = number(String(parts[1].dropFirst()), 2), (1...53).contains(w)
            {
                // 4 January is always in week 1.
                key = floorDivide(CivilDate.days(year: y, month: 1, day: 4) + 3, 7) + w - 1
            }
        default: key = nil
        }
        return key.flatMap { self.name(key: $0) == name ? $0 : nil }
    }

    /// The local day on which the period after this one begins; `nil` for "all".
    func endDay(key: Int64, weekStart: WeekStart) -> Int64? {
        switch self {
        case .all: return nil
        case .day: return key + 1
        case .week: return (key + 1) * 7 - 3 - weekStart.shift
        case .month:
            let next = key + 1
            return CivilDate.days(year: floorDivide(next, 12), month: next - floorDivide(next, 12) * 12 + 1, day: 1)
        case .year: return CivilDate.days(year: key + 1, month: 1, day: 1)
        }
    }
}
