import Foundation

/// A time zone by its IANA name: the only thing that the model asks of Foundation.
struct Zone {
    let name: String
    private let zone: TimeZone

    static let utc = Zone("UTC")!

    init?(_ name: String) {
        guard let zone = TimeZone(identifier: name) else { return nil }
        (self.name, self.zone) = (name, zone)
    }

    /// Seconds east of UTC at this moment.
    func offset(atSecond second: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second)))
    }

    /// The date that a calendar on the wall shows at this instant.
    func date(at instant: Instant) -> CivilDate {
        let local = instant.seconds + offset(atSecond: instant.seconds)
        return CivilDate(dayNumber: Int((Double(local) / 86_400).rounded(.down)))
    }

    /// The first second of the date; where the clock skips midnight (or the whole day), the first second behind the
    /// gap.
    func startSecond(of date: CivilDate) -> Int {
        let wall = date.dayNumber * 86_400
        // Offsets lie within a day of UTC, so one of the offsets in force around the date is the right one.
        let offsets = Set([-93_600, -43_200, 0, 43_200, 93_600].map { offset(atSecond: wall + $0) })
        let exact = offsets.map { wall - $0 }.filter { $0 + offset(atSecond: $0) == wall }
        if let earliest = exact.min() { return earliest }
        var (before, behind) = (wall - 93_600, wall + 93_600)
        while behind - before > 1 {
            let middle = (before + behind) / 2
            if middle + offset(atSecond: middle) >= wall { behind = middle } else { before = middle }
        }
        return behind
    }

    /// The first instant of the date.
    func start(of date: CivilDate) -> Instant { Int64(startSecond(of: date)) * nanosPerSecond }

    /// The instant with the zone's own offset at it.
    func text(_ instant: Instant) -> String { instant.text(offset: offset(atSecond: instant.seconds)) }
}
