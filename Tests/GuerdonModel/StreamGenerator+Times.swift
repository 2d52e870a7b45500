import TestSupport

extension StreamGenerator {
    /// A time near, long past, in the future or on the edge of a local day, written at some offset.
    mutating func moment() -> String {
        var instant = time
        switch has(.backdated) ? random.number(0...9) : 0 {
        case 0...3: instant += Int64(random.number(-20...20)) * nanosPerSecond / 2
        case 4, 5: instant -= Int64(random.number(0...400 * 24)) * 3600 * nanosPerSecond
        case 6: instant += Int64(random.number(0...60 * 24)) * 3600 * nanosPerSecond
        case 7: instant += Int64(random.number(-1_000_000...1_000_000)) * 123_456_789
        default:
            let zone = Zone(random.pick(StreamGenerator.zones))!
            instant = zone.start(of: zone.date(at: time).adding(days: random.number(-20...20)))
            instant += Int64(random.number(-1...1))
        }
        return written(instant)
    }

    /// A time not behind the present one.
    mutating func past() -> String {
        written(time - Int64(random.number(0...100_000)) * nanosPerSecond)
    }

    private mutating func written(_ instant: Int64) -> String {
        instant.text(offset: random.pick([0, 0, 0, 3600, -18_000, 20_700, 50_400, -37_800]))
    }

    /// A date that lies this many days before the present one, or behind it where negative.
    mutating func date(daysBack range: ClosedRange<Int>) -> String {
        Zone.utc.date(at: time).adding(days: -random.number(range)).text
    }

    /// The name of a period near the present, or of one that does not exist.
    mutating func periodName(_ kind: String, weekStart: String) -> String {
        if random.once(in: 20) {
            return random.pick(["2026-W54", "2026-13", "2026-02-30", "2026", "all", "", "2026-W4"])
        }
        let days = random.pick([0, 0, 0, -1, 1, -7, 7, -31, -365, 30])
        let date = Zone.utc.date(at: time).adding(days: days)
        return Period(PeriodKind(rawValue: kind)!, holding: date, weekStart: WeekStart(rawValue: weekStart)!).name
    }
}
