/// A decimal number with at most eighteen decimals whose digits fit `Int64`: the value is `units / 10^scale`.
public struct ExactDecimal: Sendable {
    /// The digits as one integer.
    public let units: Int64
    /// How many of the digits stand behind the point.
    public let scale: Int

    /// The number `units / 10^scale`.
    public init(units: Int64, scale: Int) {
        self.units = units
        self.scale = scale
    }

    /// Why a text is not such a number.
    public enum Fault: Error { case malformed, tooLong }

    /// Reads the text of a JSON number without exponent: an optional minus, digits without a leading zero, decimals.
    public init(_ text: String) throws(Fault) {
        var rest = Substring(text)
        let negative = rest.first == "-"
        if negative { rest.removeFirst() }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let whole = parts[0]
        let fraction = parts.count == 2 ? parts[1] : nil
        let allDigits = (whole + (fraction ?? "")).allSatisfy { $0.isASCII && $0.isNumber }
        guard allDigits, !whole.isEmpty, fraction != "", whole == "0" || whole.first != "0" else { throw .malformed }
        guard let units = Int64((negative ? "-" : "") + whole + (fraction ?? "")), (fraction?.count ?? 0) <= 18 else {
            throw .tooLong
        }
        self.init(units: units, scale: fraction?.count ?? 0)
    }

    /// The number in units of `10^-scale`, `nil` when it has more decimals than that or leaves `Int64`.
    public func minor(scale target: Int) -> Int64? {
        guard scale <= target else { return nil }
        return Int64(exactly: Int128(units) * powerOfTen(target - scale))
    }

    /// The number with exactly `scale` decimals: `(-500, 2)` is `-5.00`.
    public static func text(_ units: Int64, scale: Int) -> String {
        var digits = String(units.magnitude)
        if digits.count <= scale { digits = String(repeating: "0", count: scale + 1 - digits.count) + digits }
        if scale > 0 { digits.insert(".", at: digits.index(digits.endIndex, offsetBy: -scale)) }
        return (units < 0 ? "-" : "") + digits
    }
}

extension ExactDecimal: Comparable {
    /// Numbers are compared by value: `1.5` equals `1.50`.
    public static func == (left: ExactDecimal, right: ExactDecimal) -> Bool { !(left < right) && !(right < left) }

    /// Numbers are compared by value.
    public static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
        let scale = max(left.scale, right.scale)
        return Int128(left.units) * powerOfTen(scale - left.scale) < Int128(right.units)
            * powerOfTen(scale - right.scale)
    }
}

/// Ten to the power of `exponent` (0 to 37).
func powerOfTen(_ exponent: Int) -> Int128 {
    (0..<exponent).reduce(Int128(1)) { power, _ in power * 10 }
}

/// What becomes of the part of an amount that is smaller than the currency's least unit.
enum Rounding: String {
    case halfUp, halfEven, halfDown, up, down

    /// Whether a quotient whose remainder is `remainder` of `divisor` goes one up. Amounts are never negative here.
    func raises(quotientIsOdd: Bool, remainder: UInt128, divisor: UInt128) -> Bool {
        switch self {
        case .up: remainder > 0
        case .down: false
        case .halfUp: remainder * 2 >= divisor
        case .halfDown: remainder * 2 > divisor
        case .halfEven: remainder * 2 > divisor || (remainder * 2 == divisor && quotientIsOdd)
        }
    }
}

/// `first * second / divisor` with the remainder treated by `rounding`; `nil` when it leaves `Int64`.
func scaled(_ first: UInt128, _ second: UInt128, by divisor: UInt128, rounding: Rounding) -> Int64? {
    let product = first.multipliedFullWidth(by: second)
    guard product.high < divisor else { return nil }
    let (quotient, remainder) = divisor.dividingFullWidth(product)
    let up = rounding.raises(quotientIsOdd: quotient % 2 == 1, remainder: remainder, divisor: divisor)
    guard let small = Int64(exactly: quotient) else { return nil }
    let (result, overflow) = small.addingReportingOverflow(up ? 1 : 0)
    return overflow ? nil : result
}
