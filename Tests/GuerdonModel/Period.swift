/// The day on which a workspace's week begins.
enum WeekStart: String {
    case monday, sunday, saturday

    /// How many days a date is shifted so that its ISO week is the week of the workspace.
    var shift: Int {
        switch self {
        case .monday: 0
        case .sunday: 1
        case .saturday: 2
        }
    }
}

/// What one table of a board spans.
enum PeriodKind: String, CaseIterable {
    case day, week, month, year, all
}

/// One period: its first date and the first date behind it. `all` has neither.
struct Period: Hashable {
    let name: String
    let next: CivilDate?

    /// The period of this kind that holds the date.
    init(_ kind: PeriodKind, holding date: CivilDate, weekStart: WeekStart) {
        switch kind {
        case .all: (name, next) = ("all", nil)
        case .year: (name, next) = (padded(date.year, 4), CivilDate(date.year + 1, 1, 1))
        case .month:
            name = padded(date.year, 4) + "-" + padded(date.month, 2)
            next = date.month == 12 ? CivilDate(date.year + 1, 1, 1) : CivilDate(date.year, date.month + 1, 1)
        case .day: (name, next) = (date.text, date.adding(days: 1))
        case .week:
            let shifted = date.adding(days: weekStart.shift)
            // An ISO week belongs to the year that its Thursday lies in.
            let thursday = shifted.adding(days: 4 - shifted.isoWeekday)
            let first = CivilDate(thursday.year, 1, 1)
            name = padded(thursday.year, 4) + "-W" + padded((thursday.dayNumber - first.dayNumber) / 7 + 1, 2)
            next = shifted.adding(days: 8 - shifted.isoWeekday - weekStart.shift)
        }
    }

    /// The period of this kind with this name, `nil` when no period has it.
    init?(_ kind: PeriodKind, named name: String, weekStart: WeekStart) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        let date: CivilDate?
        switch (kind, parts.count) {
        case (.all, 1): date = name == "all" ? CivilDate(2000, 1, 1) : nil
        case (.year, 1): date = CivilDate(name + "-01-01")
        case (.month, 2): date = CivilDate(name + "-01")
        case (.day, 3): date = CivilDate(name)
        case (.week, 2):
            guard let first = CivilDate(parts[0] + "-01-04"), parts[1].count == 3, parts[1].first == "W",
                let week = Int(parts[1].dropFirst())
            else { return nil }
            let monday = first.adding(days: 1 - first.isoWeekday + (week - 1) * 7)
            date = monday.adding(days: -weekStart.shift)
        default: date = nil
        }
        guard let date else { return nil }
        self.init(kind, holding: date, weekStart: weekStart)
        guard self.name == name else { return nil }
    }
}
