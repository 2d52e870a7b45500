/// A point in time: nanoseconds since 1970-01-01T00:00:00Z.
typealias Instant = Int64

/// Nanoseconds in one second.
let nanosPerSecond: Int64 = 1_000_000_000

extension Instant {
    /// Whole seconds since the epoch, rounded down.
    var seconds: Int { Int(self / nanosPerSecond) - (self % nanosPerSecond < 0 ? 1 : 0) }

    /// Reads an RFC 3339 time with offset and at most nine decimals in the years 1678 to 2261, else `nil`.
    init?(rfc3339 text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20, let date = CivilDate(String(decoding: bytes[0..<10], as: UTF8.self)),
            bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"), bytes[16] == UInt8(ascii: ":"),
            let hour = twoDigits(bytes, 11), let minute = twoDigits(bytes, 14), let second = twoDigits(bytes, 17),
            hour < 24, minute < 60, second < 60, (1678...2261).contains(date.year)
        else { return nil }
        var position = 19
        var nanos: Int64 = 0
        if bytes[position] == UInt8(ascii: ".") {
            let digits = bytes[(position + 1)...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            guard (1...9).contains(digits.count) else { return nil }
            let text = String(decoding: digits, as: UTF8.self)
            nanos = Int64(text + String(repeating: "0", count: 9 - digits.count))!
            position += 1 + digits.count
        }
        guard let offset = Instant.offset(bytes[position...]) else { return nil }
        let seconds = date.dayNumber * 86_400 + hour * 3600 + minute * 60 + second - offset
        self = Int64(seconds) * nanosPerSecond + nanos
    }

    private static func offset(_ text: ArraySlice<UInt8>) -> Int? {
        let bytes = Array(text)
        if bytes == [UInt8(ascii: "Z")] { return 0 }
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hours = twoDigits(bytes, 1),
            let minutes = twoDigits(bytes, 4), hours < 24, minutes < 60
        else { return nil }
        switch bytes[0] {
        case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3600 + minutes * 60)
        default: return nil
        }
    }

    /// RFC 3339 at an offset from UTC, with as few decimals as show the whole instant; an offset of 0 is `Z`.
    func text(offset: Int = 0) -> String {
        let local = seconds + offset
        let day = Int((Double(local) / 86_400).rounded(.down))
        let time = local - day * 86_400
        var result = CivilDate(dayNumber: day).text + "T"
        result += [time / 3600, time / 60 % 60, time % 60].map { padded($0, 2) }.joined(separator: ":")
        let nanos = Int(self - Int64(seconds) * nanosPerSecond)
        if nanos > 0 {
            var digits = padded(nanos, 9)
            while digits.last == "0" { digits.removeLast() }
            result += "." + digits
        }
        if offset == 0 { return result + "Z" }
        let minutes = abs(offset) / 60
        return result + (offset < 0 ? "-" : "+") + padded(minutes / 60, 2) + ":" + padded(minutes % 60, 2)
    }
}

private func twoDigits(_ bytes: [UInt8], _ position: Int) -> Int? {
    guard position + 1 < bytes.count else { return nil }
    let digits = bytes[position...position + 1].map { Int($0) - 48 }
    guard digits.allSatisfy({ (0...9).contains($0) }) else { return nil }
    return digits[0] * 10 + digits[1]
}

/// An ISO 8601 duration of whole numbers.
struct Lifetime: Equatable {
    var months = 0
    var days = 0
    var seconds = 0

    /// Reads `P1Y2M3W4DT5H6M7S`, any part of it; `nil` for anything else and for no time at all.
    init?(_ text: String) {
        guard text.first == "P" else { return nil }
        let halves = text.dropFirst().split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard let date = Lifetime.parts(halves[0], units: "YMWD") else { return nil }
        months = date[0] * 12 + date[1]
        days = date[2] * 7 + date[3]
        if halves.count == 2 {
            guard !halves[1].isEmpty, let time = Lifetime.parts(halves[1], units: "HMS") else { return nil }
            seconds = time[0] * 3600 + time[1] * 60 + time[2]
        }
        guard months + days + seconds > 0 else { return nil }
    }

    /// The number before each unit letter, 0 where the letter is missing; `nil` when letters are unknown or
    /// misplaced.
    private static func parts(_ text: Substring, units: String) -> [Int]? {
        var rest = text
        var result: [Int] = []
        for unit in units {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard let number = Int(digits), rest.dropFirst(digits.count).first == unit, number < 100_000_000 else {
                result.append(0)
                continue
            }
            result.append(number)
            rest = rest.dropFirst(digits.count + 1)
        }
        return rest.isEmpty ? result : nil
    }

    /// The instant this long after `start` in UTC: months first (the day clamped), then days of 24 hours, then time.
    /// `nil` when that is later than an instant can say.
    func after(_ start: Instant) -> Instant? {
        let day = Int((Double(start.seconds) / 86_400).rounded(.down))
        let date = CivilDate(dayNumber: day)
        let month = date.year * 12 + date.month - 1 + months
        let (year, monthOfYear) = (month / 12, month % 12 + 1)
        let clamped = min(date.day, CivilDate.days(inMonth: monthOfYear, of: year))
        let moved = CivilDate(year, monthOfYear, clamped).dayNumber - day + days
        let nanos = (Int128(moved) * 86_400 + Int128(seconds)) * Int128(nanosPerSecond) + Int128(start)
        return Instant(exactly: nanos)
    }
}
