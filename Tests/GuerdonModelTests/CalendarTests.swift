import Foundation
import Testing

@testable import GuerdonModel

/// The model's own calendar against Foundation's, and its numbers against hand-picked ones.
@Suite struct CalendarTests {
    private static let zones = StreamGenerator.zones + ["America/Sao_Paulo", "Africa/Cairo", "Asia/Beirut"]

    @Test func datesCountDaysWithoutGaps() {
        var previous = CivilDate(dayNumber: -120_000)
        #expect(CivilDate(dayNumber: 0) == CivilDate(1970, 1, 1))
        for number in -119_999...120_000 {
            let date = CivilDate(dayNumber: number)
            guard date > previous, date.dayNumber == number else {
                Issue.record("day \(number) became \(date)")
                return
            }
            previous = date
        }
    }

    @Test("A day begins where Foundation says it does", arguments: CalendarTests.zones)
    func daysBeginAsFoundationSays(name: String) throws {
        let zone = try #require(Zone(name))
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: name))
        var faults: [String] = []
        for number in CivilDate(2009, 1, 1).dayNumber...CivilDate(2030, 1, 1).dayNumber {
            let date = CivilDate(dayNumber: number)
            let start = zone.startSecond(of: date)
            let shown = zone.date(at: Int64(start) * nanosPerSecond)
            let before = zone.date(at: Int64(start - 1) * nanosPerSecond)
            if shown < date || before >= date { faults.append(date.text) }
            let noon = Date(timeIntervalSince1970: TimeInterval(start + 36_000))
            if shown == date, calendar.startOfDay(for: noon).timeIntervalSince1970 != TimeInterval(start) {
                faults.append(date.text)
            }
        }
        #expect(faults == [])
    }

    @Test func weeksAreThoseOfIso8601() {
        var calendar = Calendar(identifier: .iso8601)
        calendar.timeZone = .gmt
        var faults: [String] = []
        for number in CivilDate(1999, 12, 1).dayNumber...CivilDate(2033, 2, 1).dayNumber {
            let date = CivilDate(dayNumber: number)
            let day = Date(timeIntervalSince1970: TimeInterval(number) * 86_400)
            let parts = calendar.dateComponents([.weekOfYear, .yearForWeekOfYear], from: day)
            let name = padded(parts.yearForWeekOfYear!, 4) + "-W" + padded(parts.weekOfYear!, 2)
            let period = Period(.week, holding: date, weekStart: .monday)
            if period.name != name || Period(.week, named: name, weekStart: .monday) != period { faults.append(name) }
            // Each week start: the end is a week start, at most seven days away, and the name leads back.
            for (start, weekday) in [(WeekStart.monday, 1), (.sunday, 7), (.saturday, 6)] {
                let week = Period(.week, holding: date, weekStart: start)
                let end = week.next!
                let isWhole = end.isoWeekday == weekday && (1...7).contains(end.dayNumber - number)
                if !isWhole || Period(.week, named: week.name, weekStart: start) != week { faults.append(date.text) }
            }
        }
        #expect(faults == [])
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999999999Z", -1), ("1970-01-01T01:00:00+01:00", 0),
        ("2026-11-01T10:00:00.5-05:30", 1_793_547_000_500_000_000),
        ("2261-12-31T23:59:59.999999999Z", 9_214_646_399_999_999_999),
        ("1678-01-01T00:00:00Z", -9_214_560_000_000_000_000),
    ]) func timesAreRead(text: String, nanos: Int64) {
        #expect(Int64(rfc3339: text) == nanos)
        #expect(Int64(rfc3339: nanos.text()) == nanos)
        #expect(Int64(rfc3339: nanos.text(offset: nanos < 0 ? 34_200 : -34_200)) == nanos)
    }

    @Test(arguments: ["0", "-0", "12.30", "-0.000001", "9223372036854775807", "-9223372036854775808"])
    func decimalsAreRead(text: String) throws {
        let decimal = try ExactDecimal(text)
        #expect(ExactDecimal.text(decimal.units, scale: decimal.scale) == (text == "-0" ? "0" : text))
    }

    @Test func decimalsCompareByValue() throws {
        #expect(try ExactDecimal("1.5") == ExactDecimal("1.50"))
        #expect(try ExactDecimal("-1.5") < ExactDecimal("-1.49"))
        #expect(try ExactDecimal("9223372036854775807") > ExactDecimal("0.000000000000000001"))
    }
}
