import GuerdonCore

extension ByteSink {
    /// Appends the bytes of a literal, and nothing else.
    @inline(__always) func ascii(_ literal: StaticString) {
        write(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}

/// Integers and amounts as text.
enum Digits {
    @inline(__always) static func write(_ value: UInt64, into out: ByteSink) {
        let count = digits(of: value)
        // From the last digit to the first, two at a time.
        var p = out.reserve(20) + count
        var rest = value
        while rest >= 10 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            p -= 2
            p.storeBytes(of: self.pair(pair), as: UInt16.self)
            rest = quotient
        }
        if count & 1 == 1 { (p - 1).storeBytes(of: 0x30 + UInt8(truncatingIfNeeded: rest), as: UInt8.self) }
        out.advance(count)
    }

    /// How many digits a number has.
    @inline(__always) private static func digits(of value: UInt64) -> Int {
        // Numbers of one kind mostly have as many digits as the one before, so that these jumps are foreseen.
        var (count, limit): (Int, UInt64) = (1, 10)
        while value >= limit {
            count &+= 1
            // The largest number has 20 digits, and ten to the 20th is more than a word holds.
            if count == 20 { break }
            limit &*= 10
        }
        return count
    }

    /// The two digits of a number below 100.
    @inline(__always) private static func pair(_ value: UInt64) -> UInt16 {
        let digits: StaticString = """
            0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849\
            5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899
            """
        return UnsafeRawPointer(digits.utf8Start).loadUnaligned(fromByteOffset: Int(value) * 2, as: UInt16.self)
    }

    @inline(__always) static func write(_ value: Int64, into out: ByteSink) {
        if value < 0 { out.write(UInt8(ascii: "-")) }
        write(value.magnitude, into: out)
    }

    /// `units / 10^scale` with exactly `scale` decimals.
    static func write(_ units: Int64, scale: Int, into out: ByteSink) {
        guard scale > 0 else { return write(units, into: out) }
        if units < 0 { out.write(UInt8(ascii: "-")) }
        let (whole, fraction) = units.magnitude.quotientAndRemainder(dividingBy: UInt64(PowersOfTen.int64[scale]))
        write(whole, into: out)
        out.write(UInt8(ascii: "."))
        write(fraction, digits: scale, into: out)
    }

    /// The last `digits` digits of a number, with zeros in front.
    static func write(_ value: UInt64, digits: Int, into out: ByteSink) {
        let base = out.reserve(digits)
        var rest = value
        for i in stride(from: digits - 1, through: 0, by: -1) {
            base.storeBytes(of: 0x30 + UInt8(rest % 10), toByteOffset: i, as: UInt8.self)
            rest /= 10
        }
        out.advance(digits)
    }
}

extension TimeText {
    /// Writes an RFC 3339 time with as few decimals as show all of it; `offset` in seconds east of UTC, `nil` for `Z`.
    static func write(_ time: Int64, offset: Int32?, into out: ByteSink) {
        let seconds = floor(time, 1_000_000_000)
        let local = seconds + Int64(offset ?? 0)
        let day = floor(local, 86_400)
        date(day, into: out)
        out.write(UInt8(ascii: "T"))
        let second = UInt64(local - day * 86_400)
        for (i, part) in [second / 3600, second / 60 % 60, second % 60].enumerated() {
            if i > 0 { out.write(UInt8(ascii: ":")) }
            Digits.write(part, digits: 2, into: out)
        }
        var nanos = UInt64(time - seconds * 1_000_000_000)
        if nanos != 0 {
            var digits = 9
            while nanos % 10 == 0 {
                nanos /= 10
                digits -= 1
            }
            out.write(UInt8(ascii: "."))
            Digits.write(nanos, digits: digits, into: out)
        }
        guard let offset else { return out.write(UInt8(ascii: "Z")) }
        let minutes = UInt64(offset.magnitude / 60)
        out.write(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        Digits.write(minutes / 60, digits: 2, into: out)
        out.write(UInt8(ascii: ":"))
        Digits.write(minutes % 60, digits: 2, into: out)
    }

    /// Writes a date `YYYY-MM-DD`; `day` in days since 1970.
    static func date(_ day: Int64, into out: ByteSink) {
        let date = CivilDate.date(fromDays: day)
        Digits.write(UInt64(max(0, date.year)), digits: 4, into: out)
        out.write(UInt8(ascii: "-"))
        Digits.write(UInt64(date.month), digits: 2, into: out)
        out.write(UInt8(ascii: "-"))
        Digits.write(UInt64(date.day), digits: 2, into: out)
    }

    private static func floor(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
