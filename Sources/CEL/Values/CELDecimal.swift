/// An exact decimal number: a 128-bit coefficient divided by a power of ten.
///
/// Money never meets binary floating point. Addition, subtraction, multiplication and remainder are exact as long as
/// the result has at most 18 decimals; a product or quotient with more is rounded half-even to 18. A coefficient that
/// does not fit is an `overflow`, never a wrap.
public struct CELDecimal: Sendable {
    /// The number times `10^scale`.
    public let coefficient: Int128
    /// How many of the coefficient's digits are decimals, 0 to `scaleMax`.
    public let scale: UInt8

    /// The most decimals a number keeps.
    public static let scaleMax: UInt8 = 18

    /// Makes `coefficient / 10^scale`.
    /// - Precondition: `scale` is at most `scaleMax`.
    public init(coefficient: Int128, scale: UInt8) {
        precondition(scale <= CELDecimal.scaleMax)
        self.coefficient = coefficient
        self.scale = scale
    }

    /// A whole number.
    public init(_ number: Int64) {
        self.init(coefficient: Int128(number), scale: 0)
    }

    /// A whole number.
    public init(_ number: UInt64) {
        self.init(coefficient: Int128(number), scale: 0)
    }

    /// `10^exponent`.
    /// - Precondition: `exponent` is 0 to 38.
    @inline(__always)
    static func powerOfTen(_ exponent: Int) -> Int128 {
        powersOfTen[exponent]
    }

    private static let powersOfTen: [Int128] = {
        var powers: [Int128] = [1]
        for _ in 1...38 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// The whole number that this is, or nil where there are decimals.
    var exactInteger: Int128? {
        let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: CELDecimal.powerOfTen(Int(scale)))
        return remainder == 0 ? quotient : nil
    }

    /// The same number with as few decimals as it needs.
    public var normalized: CELDecimal {
        var coefficient = coefficient
        var scale = scale
        while scale > 0 {
            let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: 10)
            guard remainder == 0 else { break }
            coefficient = quotient
            scale -= 1
        }
        return CELDecimal(coefficient: coefficient, scale: scale)
    }

    /// Negative, zero or positive as `left` is less than, equal to or greater than `right`.
    @inline(__always)
    static func compare(_ left: CELDecimal, _ right: CELDecimal) -> Int {
        if left.scale == right.scale {
            return left.coefficient < right.coefficient ? -1 : left.coefficient == right.coefficient ? 0 : 1
        }
        return compareScaled(left, right)
    }

    @inline(never)
    private static func compareScaled(_ left: CELDecimal, _ right: CELDecimal) -> Int {
        if left.scale > right.scale { return -compareScaled(right, left) }
        let factor = powerOfTen(Int(right.scale - left.scale))
        let (scaled, overflow) = left.coefficient.multipliedReportingOverflow(by: factor)
        // Too large to be scaled means larger in magnitude than any number of the finer scale.
        if overflow { return left.coefficient < 0 ? -1 : 1 }
        return scaled < right.coefficient ? -1 : scaled == right.coefficient ? 0 : 1
    }

    /// The exact order against a binary number: both are put over one denominator, nothing is rounded.
    func order(against number: Double) -> CELValue.Order {
        if number.isNaN { return .unordered }
        if number >= 0x1p127 { return .before }
        if number < -0x1p127 { return .after }
        if number < 0 || coefficient < 0 {
            guard number < 0 else { return .before }
            guard coefficient < 0 else { return .after }
            if coefficient == .min, scale == 0 { return number == -0x1p127 ? .equal : .before }
            // No double lies between Int128.min / 10^scale and its neighbour, so the neighbour stands for it.
            let positive = CELDecimal(coefficient: -max(coefficient, .min + 1), scale: scale)
            return positive.order(against: -number).reversed
        }
        let (whole, fraction) = coefficient.quotientAndRemainder(dividingBy: CELDecimal.powerOfTen(Int(scale)))
        let floor = number.rounded(.down)
        let otherWhole = Int128(floor)
        if whole != otherWhole { return whole < otherWhole ? .before : .after }
        return CELDecimal.compareFractions(fraction, of: CELDecimal.powerOfTen(Int(scale)), number - floor)
    }

    /// Orders `numerator / unit` (unit at most 10^18) against a double in [0, 1).
    private static func compareFractions(_ numerator: Int128, of unit: Int128, _ fraction: Double) -> CELValue.Order {
        if fraction == 0 { return numerator == 0 ? .equal : .after }
        if numerator == 0 { return .before }
        // fraction = significand * 2^-shift with an integral significand below 2^53.
        let shift = 52 - Int(fraction.exponent)
        let significand = Int128(fraction.significand * 0x1p52)
        let right = significand * unit  // below 2^53 * 2^60
        let bits = 128 - numerator.leadingZeroBitCount
        if bits + shift > 126 { return .after }  // the left side is at least 2^125, the right below 2^113
        return CELValue.Order(numerator << shift, right)
    }
}

extension CELDecimal: Hashable, Comparable {
    /// Whether both are the same number: `1.50` equals `1.5`.
    public static func == (left: CELDecimal, right: CELDecimal) -> Bool {
        compare(left, right) == 0
    }

    /// Whether `left` is the smaller number.
    public static func < (left: CELDecimal, right: CELDecimal) -> Bool {
        compare(left, right) < 0
    }

    /// Feeds the number, not its writing: equal numbers hash alike.
    public func hash(into hasher: inout Hasher) {
        let number = normalized
        hasher.combine(number.coefficient)
        hasher.combine(number.scale)
    }
}
