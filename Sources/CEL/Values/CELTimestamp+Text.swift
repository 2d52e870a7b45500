extension CELTimestamp: CustomStringConvertible {
    /// Reads RFC 3339, such as `2026-11-01T10:00:00.5+01:00`; nil for anything else or out of range.
    public init?(_ text: String) {
        var reader = DigitReader(text)
        guard let year = reader.number(digits: 4), reader.take("-"), let month = reader.number(digits: 2),
            reader.take("-"), let day = reader.number(digits: 2), reader.take("T") || reader.take("t"),
            let hour = reader.number(digits: 2), reader.take(":"), let minute = reader.number(digits: 2),
            reader.take(":"), let second = reader.number(digits: 2)
        else { return nil }
        var nanoseconds: UInt32 = 0
        if reader.take(".") {
            guard let fraction = reader.fraction() else { return nil }
            nanoseconds = fraction
        }
        guard let offset = reader.zone(), reader.isAtEnd, (1...12).contains(month), day >= 1,
            day <= CivilDate.daysInMonth(year: year, month: month), hour <= 23, minute <= 59, second <= 59
        else { return nil }
        let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
        let seconds = Int64(days * 86_400 + hour * 3_600 + minute * 60 + second - offset)
        self.init(seconds: seconds, nanoseconds: nanoseconds)
    }

    /// RFC 3339 in UTC with as many decimals of a second as needed, none for whole seconds.
    public var description: String {
        let moment = CivilTime(seconds: seconds)
        let date = moment.date
        var text = "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T"
        text += "\(padded(moment.hour, 2)):\(padded(moment.minute, 2)):\(padded(moment.second, 2))"
        if nanoseconds != 0 { text += "." + fractionDigits(nanoseconds) }
        return text + "Z"
    }
}

extension CELDuration: CustomStringConvertible {
    /// Reads a sum of numbers with units, such as `1h30m`, `-1.5s` or `0`; nil for anything else or out of range.
    ///
    /// The units are `h`, `m`, `s`, `ms`, `us` (or `µs`) and `ns`; decimals beyond a nanosecond are dropped.
    public init?(_ text: String) {
        var bytes = Array(text.utf8)[...]
        var negative = false
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            negative = first == UInt8(ascii: "-")
            bytes.removeFirst()
        }
        if bytes.elementsEqual([UInt8(ascii: "0")]) {
            self.init(nanoseconds: 0)
            return
        }
        guard !bytes.isEmpty else { return nil }
        var total: Int128 = 0
        while !bytes.isEmpty {
            guard let part = CELDuration.takePart(&bytes) else { return nil }
            total += part
            guard total <= Int128(Int64.max) + 1 else { return nil }
        }
        guard let nanoseconds = Int64(exactly: negative ? -total : total) else { return nil }
        self.init(nanoseconds: nanoseconds)
    }

    /// Takes one number with its unit, in nanoseconds.
    private static func takePart(_ bytes: inout ArraySlice<UInt8>) -> Int128? {
        let isDigit: (UInt8) -> Bool = { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        let whole = bytes.prefix(while: isDigit)
        bytes = bytes.dropFirst(whole.count)
        var decimals: ArraySlice<UInt8> = []
        if bytes.first == UInt8(ascii: ".") {
            bytes = bytes.dropFirst()
            decimals = bytes.prefix(while: isDigit)
            bytes = bytes.dropFirst(decimals.count)
        }
        guard whole.count + decimals.count > 0, let unit = takeUnit(&bytes) else { return nil }
        var total: Int128 = 0
        for digit in whole {
            total = total * 10 + Int128(digit - UInt8(ascii: "0"))
            guard total <= Int128(Int64.max) + 1 else { return nil }
        }
        total *= unit
        var weight = unit
        for digit in decimals {
            let (next, remainder) = weight.quotientAndRemainder(dividingBy: 10)
            // Units divide by ten down to hours' 3,600,000,000,000; what is left is below a nanosecond.
            guard remainder == 0 else { break }
            weight = next
            total += weight * Int128(digit - UInt8(ascii: "0"))
        }
        return total
    }

    private static let units: [(suffix: String, nanoseconds: Int128)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    private static func takeUnit(_ bytes: inout ArraySlice<UInt8>) -> Int128? {
        for unit in units where bytes.starts(with: unit.suffix.utf8) {
            bytes = bytes.dropFirst(unit.suffix.utf8.count)
            return unit.nanoseconds
        }
        return nil
    }

    /// The span in seconds, such as `1.5s` or `-0.000000001s`.
    public var description: String {
        let (seconds, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        var text = (nanoseconds < 0 ? "-" : "") + String(seconds)
        if rest != 0 {
            text += "." + fractionDigits(UInt32(rest))
        }
        return text + "s"
    }
}

/// `number` in decimal with leading zeros up to `width` digits.
func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(width - digits.utf8.count, 0)) + digits
}

private func fractionDigits(_ nanoseconds: UInt32) -> String {
    var digits = Array(padded(Int(nanoseconds), 9).utf8)
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    return String(decoding: digits, as: UTF8.self)
}

/// Reads fixed-width digits from text.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ text: String) {
        rest = Substring(text).utf8
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digit() -> Int? {
        guard let first = rest.first, first >= UInt8(ascii: "0"), first <= UInt8(ascii: "9") else { return nil }
        rest.removeFirst()
        return Int(first - UInt8(ascii: "0"))
    }

    mutating func number(digits: Int) -> Int? {
        var value = 0
        for _ in 0..<digits {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// One to nine decimals of a second, as nanoseconds.
    mutating func fraction() -> UInt32? {
        var value: UInt32 = 0
        var count = 0
        while let digit = digit() {
            guard count < 9 else { return nil }
            value = value * 10 + UInt32(digit)
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in count..<9 { value *= 10 }
        return value
    }

    /// `Z` or `±hh:mm`, as seconds east of UTC.
    mutating func zone() -> Int? {
        if take("Z") || take("z") { return 0 }
        let west = take("-")
        guard west || take("+"), let hours = number(digits: 2), take(":"), let minutes = number(digits: 2),
            hours <= 23, minutes <= 59
        else { return nil }
        let offset = hours * 3_600 + minutes * 60
        return west ? -offset : offset
    }
}
