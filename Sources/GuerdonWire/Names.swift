import GuerdonCore

// What the wire calls the choices of commands.

extension WeekStart {
    var name: StaticString {
        switch self {
        case .monday: "monday"
        case .sunday: "sunday"
        case .saturday: "saturday"
        }
    }
}

extension CurrencyKind {
    var name: StaticString {
        switch self {
        case .points: "points"
        case .money: "money"
        }
    }
}

extension Rounding {
    var name: StaticString {
        switch self {
        case .halfUp: "halfUp"
        case .halfEven: "halfEven"
        case .halfDown: "halfDown"
        case .up: "up"
        case .down: "down"
        }
    }
}

extension BoardPeriod {
    var name: StaticString {
        switch self {
        case .day: "day"
        case .week: "week"
        case .month: "month"
        case .year: "year"
        case .all: "all"
        }
    }
}

extension TieStyle {
    var name: StaticString {
        switch self {
        case .competition: "competition"
        case .dense: "dense"
        case .ordinal: "ordinal"
        }
    }
}

/// Durations as ISO 8601 text.
enum DurationText {
    /// The shortest text that reads back as the same duration.
    static func text(_ duration: CalendarDuration) -> String {
        var text = "P"
        if duration.months != 0 { text += "\(duration.months)M" }
        if duration.days != 0 { text += "\(duration.days)D" }
        guard duration.seconds != 0 else { return text }
        text += "T"
        let hours = duration.seconds / 3600
        let seconds = duration.seconds % 3600
        if hours != 0 { text += "\(hours)H" }
        if seconds != 0 { text += "\(seconds)S" }
        return text
    }
}
