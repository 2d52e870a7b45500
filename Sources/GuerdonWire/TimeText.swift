import GuerdonCore

/// Times, dates and durations as they stand on the wire.
enum TimeText {
    /// Two digits at `position`, or a number over 99.
    @inline(__always)
    private static func two(_ text: UnsafeRawBufferPointer, _ position: Int) -> Int {
        let tens = Int(text[position] &- UInt8(ascii: "0"))
        let ones = Int(text[position + 1] &- UInt8(ascii: "0"))
        return tens < 10 && ones < 10 ? tens * 10 + ones : 255
    }

    /// Days since 1970 of the `YYYY-MM-DD` in the first ten bytes.
    @inline(__always)
    private static func day(_ text: UnsafeRawBufferPointer) -> Int64? {
        let century = two(text, 0)
        let yearOfCentury = two(text, 2)
        let month = two(text, 5)
        let day = two(text, 8)
        guard century < 100, yearOfCentury < 100, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"),
            month >= 1, month <= 12, day >= 1
        else { return nil }
        let year = Int64(century * 100 + yearOfCentury)
        guard day <= 28 || Int64(day) <= CivilDate.length(ofMonth: Int64(month), year: year) else { return nil }
        return CivilDate.days(year: year, month: Int64(month), day: Int64(day))
    }

    /// Days since 1970 of a date `YYYY-MM-DD`; `nil` for anything else and for days that do not exist.
    static func date(_ text: UnsafeRawBufferPointer) -> Int64? { text.count == 10 ? day(text) : nil }

    /// Nanoseconds since 1970 of an RFC 3339 time with offset and at most nine decimals; `nil` for anything else and for
    /// times outside ``Limits/times``.
    @inline(__always)
    static func time(_ text: UnsafeRawBufferPointer) -> Int64? {
        let count = text.count
        guard count >= 20, let day = day(text) else { return nil }
        let hour = two(text, 11)
        let minute = two(text, 14)
        let second = two(text, 17)
        guard text[10] == UInt8(ascii: "T"), text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":"), hour < 24,
            minute < 60, second < 60
        else { return nil }
        let seconds = day * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        if count == 20, text[19] == UInt8(ascii: "Z") { return nanoseconds(seconds, 0) }
        return ending(text, seconds: seconds)
    }

    /// What stands behind the seconds: decimals and offset.
    @inline(never)
    private static func ending(_ text: UnsafeRawBufferPointer, seconds: Int64) -> Int64? {
        var i = 19
        var nanos: Int64 = 0
        if text[i] == UInt8(ascii: ".") {
            i += 1
            var unit: Int64 = 100_000_000
            let first = i
            while i < text.count, text[i] &- UInt8(ascii: "0") < 10 {
                guard unit > 0 else { return nil }
                nanos += Int64(text[i] - UInt8(ascii: "0")) * unit
                unit /= 10
                i += 1
            }
            guard i > first else { return nil }
        }
        let left = text.count - i
        if left == 1, text[i] == UInt8(ascii: "Z") { return nanoseconds(seconds, nanos) }
        guard left == 6, text[i + 3] == UInt8(ascii: ":") else { return nil }
        let hours = two(text, i + 1)
        let minutes = two(text, i + 4)
        guard hours < 24, minutes < 60 else { return nil }
        let offset = Int64(hours * 3600 + minutes * 60)
        switch text[i] {
        case UInt8(ascii: "+"): return nanoseconds(seconds - offset, nanos)
        case UInt8(ascii: "-"): return nanoseconds(seconds + offset, nanos)
        default: return nil
        }
    }

    @inline(__always)
    private static func nanoseconds(_ seconds: Int64, _ nanos: Int64) -> Int64? {
        guard seconds.magnitude < 9_223_372_000 else { return nil }
        let time = seconds * 1_000_000_000 + nanos
        return Limits.times.contains(Int(time)) ? time : nil
    }

    /// An ISO 8601 duration of whole numbers, longer than nothing: any part of `P1Y2M3W4DT5H6M7S`.
    static func duration(_ text: UnsafeRawBufferPointer) -> CalendarDuration? {
        guard text.first == UInt8(ascii: "P") else { return nil }
        var parts: [Int64] = []
        var i = 1
        let units = Array("YMWDTHMS".utf8)
        var values = [Int64](repeating: 0, count: units.count)
        var unit = 0
        while i < text.count {
            if text[i] == UInt8(ascii: "T") {
                guard unit <= 4, i + 1 < text.count else { return nil }
                unit = 5
                i += 1
                continue
            }
            let first = i
            var number: Int64 = 0
            while i < text.count, text[i] &- UInt8(ascii: "0") < 10 {
                number = number * 10 + Int64(text[i] - UInt8(ascii: "0"))
                guard number < 100_000_000 else { return nil }
                i += 1
            }
            guard i > first, i < text.count else { return nil }
            let end = unit < 5 ? 4 : units.count
            guard let found = (unit..<max(unit, end)).first(where: { units[$0] == text[i] }) else { return nil }
            values[found] = number
            parts.append(number)
            unit = found + 1
            i += 1
        }
        let seconds = values[5] * 3600 + values[6] * 60 + values[7]
        guard parts.contains(where: { $0 > 0 }) else { return nil }
        return CalendarDuration(
            months: Int32(values[0] * 12 + values[1]), days: Int32(values[2] * 7 + values[3]), seconds: seconds)
    }
}
