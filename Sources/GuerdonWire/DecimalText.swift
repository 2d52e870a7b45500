import GuerdonCore

/// Why a text is no exact number.
enum NumberFault: Error {
    /// Not digits with at most one point, a sign that is not a minus, or a zero too much in front.
    case malformed
    /// An exponent: the digits would not say how exact the number is.
    case exponent
    /// More decimals than any number may have.
    case decimals
    /// More digits than fit.
    case range
}

/// Decimals as they stand on the wire: a minus or nothing, digits, and digits behind a point or nothing.
enum DecimalText {
    /// The number, or `nil` for whatever is not exactly one; ``fault(_:)`` then says why.
    @inline(__always)
    static func parse(_ text: UnsafeRawBufferPointer) -> DecimalNumber? {
        let count = text.count
        var i = 0
        guard count > 0, count <= 40 else { return nil }
        let negative = text[0] == UInt8(ascii: "-")
        if negative { i = 1 }
        let first = i
        var magnitude: UInt64 = 0
        var point = -1
        // So few digits fit, whatever they are.
        let safe = min(count, 19)
        while i < safe {
            let digit = UInt64(text[i] &- UInt8(ascii: "0"))
            if digit < 10 {
                magnitude = magnitude &* 10 &+ digit
            } else {
                guard text[i] == UInt8(ascii: "."), point < 0, i > first else { return nil }
                point = i
            }
            i &+= 1
        }
        while i < count {
            let digit = UInt64(text[i] &- UInt8(ascii: "0"))
            if digit < 10 {
                let (high, low) = magnitude.multipliedFullWidth(by: 10)
                let (sum, carry) = low.addingReportingOverflow(digit)
                guard high == 0, !carry else { return nil }
                magnitude = sum
            } else {
                guard text[i] == UInt8(ascii: "."), point < 0, i > first else { return nil }
                point = i
            }
            i += 1
        }
        let wholeEnd = point < 0 ? count : point
        let decimals = point < 0 ? 0 : count - point - 1
        guard wholeEnd > first, point < 0 || decimals > 0, decimals <= Limits.decimalScale else { return nil }
        guard wholeEnd == first + 1 || text[first] != UInt8(ascii: "0") else { return nil }
        let coefficient: Int64
        if negative {
            guard magnitude <= 1 << 63 else { return nil }
            coefficient = Int64(truncatingIfNeeded: 0 &- magnitude)
        } else {
            guard magnitude < 1 << 63 else { return nil }
            coefficient = Int64(magnitude)
        }
        return DecimalNumber(coefficient: coefficient, scale: UInt8(decimals))
    }

    /// What is wrong with a text that ``parse(_:)`` does not take.
    static func fault(_ text: UnsafeRawBufferPointer) -> NumberFault {
        var rest = text[...]
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        func digits() -> Slice<UnsafeRawBufferPointer> {
            let run = rest.prefix { $0 &- UInt8(ascii: "0") < 10 }
            rest = rest.dropFirst(run.count)
            return run
        }
        let whole = digits()
        guard let zero = whole.first, whole.count == 1 || zero != UInt8(ascii: "0") else { return .malformed }
        var decimals = 0
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            decimals = digits().count
            guard decimals > 0 else { return .malformed }
        }
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") { return .exponent }
        guard rest.isEmpty else { return .malformed }
        return decimals > Limits.decimalScale ? .decimals : .range
    }
}
