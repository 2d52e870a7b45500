import Foundation
import GuerdonCore
import TestSupport
import Testing

@testable import GuerdonWire

private func value(_ json: String) -> DecimalNumber? {
    guard case .command(.action(let action)) = decode(action(["value": json])) else { return nil }
    return action.value
}

private func time(_ text: String) -> Int64? { Array(text.utf8).withUnsafeBytes { TimeText.time($0) } }

private func written(_ time: Int64, offset: Int32? = nil) -> String {
    let out = ByteSink()
    defer { out.deallocate() }
    TimeText.write(time, offset: offset, into: out)
    return String(decoding: out.bytes, as: UTF8.self)
}

@Suite struct ValueTests {
    @Test(
        arguments: [
            ("0", 0, 0), ("-0", 0, 0), ("1", 1, 0), ("12.34", 1234, 2), ("-12.34", -1234, 2), ("12.340", 12340, 3),
            ("9007199254740993", 9_007_199_254_740_993, 0), ("0.1", 1, 1), ("0.000000000000000001", 1, 18),
            ("9223372036854775807", Int64.max, 0), ("-9223372036854775808", Int64.min, 0),
            ("9.223372036854775807", Int64.max, 18), ("-9.223372036854775808", Int64.min, 18),
            ("92233720368547758.07", Int64.max, 2), ("0.0", 0, 1), ("100", 100, 0),
        ] as [(String, Int64, UInt8)]) func numberIsExact(_ text: String, _ coefficient: Int64, _ scale: UInt8)
    {
        let expected = DecimalNumber(coefficient: coefficient, scale: scale)
        #expect(value(text) == expected)
        #expect(value("\"\(text)\"") == expected)
        #expect(value("\"\\u00\(String(text.utf8.first!, radix: 16))\(text.dropFirst())\"") == expected)
    }

    @Test(arguments: [
        "9223372036854775808", "-9223372036854775809", "9.223372036854775808", "18446744073709551616",
        "18446744073709551617.5", "184467440737095516150", "99999999999999999999999999999999999999999",
        "999999999999999999999999999999999999999999999999999999999999",
    ]) func numberBeyond64BitsIsOutOfRange(_ text: String) {
        #expect(refusal(action(["value": text]))?.code == .amountOutOfRange)
        #expect(refusal(action(["value": "\"\(text)\""]))?.code == .amountOutOfRange)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-01T10:00:00Z", 1_793_527_200_000_000_000),
            ("2026-11-01T10:00:00+01:00", 1_793_523_600_000_000_000),
            ("2026-11-01T10:00:00-12:34", 1_793_572_440_000_000_000),
            ("2026-11-01T10:00:00.5Z", 1_793_527_200_500_000_000),
            ("2026-11-01T10:00:00.123456789Z", 1_793_527_200_123_456_789),
            ("2026-11-01T10:00:00.000000001+00:00", 1_793_527_200_000_000_001),
            ("1969-12-31T23:59:59.5Z", -500_000_000),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000_000_000), ("1678-01-01T00:00:00Z", -9_214_560_000_000_000_000),
            ("2261-12-31T23:59:59.999999999Z", 9_214_646_399_999_999_999),
            ("2000-02-29T23:59:59Z", 951_868_799_000_000_000),
            ("2262-01-01T00:30:00+01:00", 9_214_644_600_000_000_000),
        ] as [(String, Int64)]) func timeIsRead(_ text: String, _ expected: Int64)
    {
        #expect(time(text) == expected)
        guard case .command(.action(let action)) = decode(action(["at": "\"\(text)\""])) else {
            Issue.record("refused")
            return
        }
        #expect(action.at == expected)
    }

    @Test func writtenTimeReadsBack() {
        var random = SplitMix64(seed: 3)
        for _ in 0..<20_000 {
            var time = Int64.random(
                in: Int64(Limits.times.lowerBound)..<Int64(Limits.times.upperBound) - 90_000_000_000_000, using: &random
            )
            let unit = [1, 1000, 1_000_000, 1_000_000_000, 86_400_000_000_000].randomElement(using: &random)! as Int64
            time = max(time, Int64(Limits.times.lowerBound) + 90_000_000_000_000) / unit * unit
            #expect(GuerdonWireTests.time(written(time)) == time)
            let offset = Int32.random(in: -1000...1000, using: &random) * 60
            #expect(GuerdonWireTests.time(written(time, offset: offset)) == time)
        }
    }

    @Test(
        arguments: [
            (0, nil, "1970-01-01T00:00:00Z"), (-1, nil, "1969-12-31T23:59:59.999999999Z"),
            (1_500_000_000, nil, "1970-01-01T00:00:01.5Z"),
            (1_796_079_600_000_000_000, 3600, "2026-12-01T00:00:00+01:00"),
            (0, -12_600, "1969-12-31T20:30:00-03:30"), (0, 0, "1970-01-01T00:00:00+00:00"),
        ] as [(Int64, Int32?, String)]) func timeIsWritten(_ time: Int64, _ offset: Int32?, _ expected: String)
    {
        #expect(written(time, offset: offset) == expected)
    }

    @Test(
        arguments: [
            ("P15D", 0, 15, 0), ("PT1H", 0, 0, 3600), ("P1Y2M3W4DT5H6M7S", 14, 25, 18_367), ("P1Y", 12, 0, 0),
            ("P2W", 0, 14, 0),
            ("PT90M", 0, 0, 5400), ("P1M", 1, 0, 0), ("PT1M", 0, 0, 60), ("P1YT1S", 12, 0, 1), ("P0Y1D", 0, 1, 0),
            ("P99999999Y", 1_199_999_988, 0, 0),
        ] as [(String, Int32, Int32, Int64)])
    func durationIsRead(_ text: String, _ months: Int32, _ days: Int32, _ seconds: Int64) {
        let put = decode("{\"op\":\"currency.put\",\"currency\":\"P\",\"lifetime\":\"\(text)\"}")
        guard case .command(.currencyPut(let currency)) = put else {
            Issue.record("refused: \(put)")
            return
        }
        #expect(currency.lifetime == .set(CalendarDuration(months: months, days: days, seconds: seconds)))
    }

    @Test func everyDateThatExistsIsReadAndNoOther() {
        for year in [1678, 1900, 1999, 2000, 2023, 2024, 2261] {
            for month in 0...13 {
                for day in 0...32 {
                    let padded = { (n: Int) in (n < 10 ? "0" : "") + String(n) }
                    let text = "\(year)-\(padded(month))-\(padded(day))"
                    let exists =
                        (1...12).contains(month) && day >= 1
                        && day <= CivilDate.length(ofMonth: Int64(month), year: Int64(year))
                    let read = Array(text.utf8).withUnsafeBytes { TimeText.date($0) }
                    #expect((read != nil) == exists, "\(text)")
                }
            }
        }
    }
}

@Suite struct ZoneTests {
    @Test(arguments: [
        "Europe/Warsaw", "America/New_York", "Asia/Kolkata", "Africa/Casablanca", "Pacific/Apia", "Australia/Lord_Howe",
        "UTC",
    ])
    func offsetsAreThoseOfTheZone(_ name: String) throws {
        let table = try #require(ZoneTables.table(named: Text(name)))
        let zone = try #require(TimeZone(identifier: name))
        var random = SplitMix64(seed: 5)
        var seconds = table.spans.flatMap { [$0.start - 1, $0.start, $0.start + 1] }.filter { $0 >= 0 }
        for _ in 0..<3000 { seconds.append(Int64.random(in: 0..<4_102_444_800, using: &random)) }
        for second in seconds {
            let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(second)))
            #expect(Int(table.offset(at: second).offset) == expected, "\(second)")
        }
        #expect(zip(table.spans, table.spans.dropFirst()).allSatisfy { $0.start < $1.start && $0.offset != $1.offset })
    }

    @Test func unknownZoneIsNone() {
        for name: Text in ["", "Mars/Olympus", "Europe/", "/etc/passwd", "../UTC", "\u{0}"] {
            #expect(ZoneTables.table(named: name) == nil)
        }
    }
}
