extension CELDecimal {
    /// The sum, exactly, or `overflow`.
    public static func + (left: CELDecimal, right: CELDecimal) throws(CELEvaluationError) -> CELDecimal {
        let (first, second, scale) = try aligned(left, right)
        let (sum, overflow) = first.addingReportingOverflow(second)
        if overflow { throw CELEvaluationError(.overflow) }
        return CELDecimal(coefficient: sum, scale: scale)
    }

    /// The difference, exactly, or `overflow`.
    public static func - (left: CELDecimal, right: CELDecimal) throws(CELEvaluationError) -> CELDecimal {
        let (first, second, scale) = try aligned(left, right)
        let (difference, overflow) = first.subtractingReportingOverflow(second)
        if overflow { throw CELEvaluationError(.overflow) }
        return CELDecimal(coefficient: difference, scale: scale)
    }

    /// The product, exact up to 18 decimals and rounded half-even there, or `overflow`.
    public static func * (left: CELDecimal, right: CELDecimal) throws(CELEvaluationError) -> CELDecimal {
        let scale = left.scale + right.scale
        let (product, overflow) = left.coefficient.multipliedReportingOverflow(by: right.coefficient)
        if !overflow, scale <= scaleMax { return CELDecimal(coefficient: product, scale: scale) }
        let (first, second) = (left.normalized, right.normalized)
        let excess = max(Int(first.scale + second.scale) - Int(scaleMax), 0)
        let wide = first.coefficient.magnitude.multipliedFullWidth(by: second.coefficient.magnitude)
        return CELDecimal(
            coefficient: try rounded(
                wide, dividedBy: powerOfTen(excess).magnitude,
                negative: (first.coefficient < 0) != (second.coefficient < 0)),
            scale: first.scale + second.scale - UInt8(excess)
        )
    }

    /// The quotient, rounded half-even to 18 decimals; `divide_by_zero` or `overflow`.
    public static func / (left: CELDecimal, right: CELDecimal) throws(CELEvaluationError) -> CELDecimal {
        if right.coefficient == 0 { throw CELEvaluationError(.divideByZero) }
        let shift = Int(scaleMax) + Int(right.scale) - Int(left.scale)  // 0 to 36
        let wide = left.coefficient.magnitude.multipliedFullWidth(by: powerOfTen(shift).magnitude)
        let quotient = try rounded(
            wide, dividedBy: right.coefficient.magnitude, negative: (left.coefficient < 0) != (right.coefficient < 0))
        return CELDecimal(coefficient: quotient, scale: scaleMax).normalized
    }

    /// What is left of `left` after taking `right` whole times, with the sign of `left`; `modulus_by_zero` or `overflow`.
    public static func % (left: CELDecimal, right: CELDecimal) throws(CELEvaluationError) -> CELDecimal {
        if right.coefficient == 0 { throw CELEvaluationError(.modulusByZero) }
        let (first, second, scale) = try aligned(left, right)
        if second == -1 { return CELDecimal(coefficient: 0, scale: scale) }  // Int128.min % -1 would trap
        return CELDecimal(coefficient: first % second, scale: scale)
    }

    /// The number with the other sign, or `overflow`.
    public func negated() throws(CELEvaluationError) -> CELDecimal {
        let (negative, overflow) = Int128(0).subtractingReportingOverflow(coefficient)
        if overflow { throw CELEvaluationError(.overflow) }
        return CELDecimal(coefficient: negative, scale: scale)
    }

    /// The part before the decimals, towards zero.
    var truncated: Int128 {
        coefficient / CELDecimal.powerOfTen(Int(scale))
    }

    private static func aligned(
        _ left: CELDecimal, _ right: CELDecimal
    ) throws(CELEvaluationError) -> (Int128, Int128, UInt8) {
        if left.scale == right.scale { return (left.coefficient, right.coefficient, left.scale) }
        let scale = max(left.scale, right.scale)
        if let first = left.coefficient(atScale: scale), let second = right.coefficient(atScale: scale) {
            return (first, second, scale)
        }
        // Trailing zeros may have made it too wide for nothing.
        let (shortLeft, shortRight) = (left.normalized, right.normalized)
        let shortScale = max(shortLeft.scale, shortRight.scale)
        guard let first = shortLeft.coefficient(atScale: shortScale),
            let second = shortRight.coefficient(atScale: shortScale)
        else { throw CELEvaluationError(.overflow) }
        return (first, second, shortScale)
    }

    private func coefficient(atScale finer: UInt8) -> Int128? {
        let (scaled, overflow) = coefficient.multipliedReportingOverflow(by: CELDecimal.powerOfTen(Int(finer - scale)))
        return overflow ? nil : scaled
    }

    /// Divides a 256-bit magnitude, rounding half-even.
    private static func rounded(
        _ wide: (high: UInt128, low: UInt128.Magnitude), dividedBy divisor: UInt128, negative: Bool
    ) throws(CELEvaluationError) -> Int128 {
        guard wide.high < divisor else { throw CELEvaluationError(.overflow) }
        var (quotient, remainder) =
            wide.high == 0 ? wide.low.quotientAndRemainder(dividingBy: divisor) : divisor.dividingFullWidth(wide)
        let rest = divisor - remainder
        if remainder > rest || (remainder == rest && quotient & 1 == 1) {
            let (next, overflow) = quotient.addingReportingOverflow(1)
            if overflow { throw CELEvaluationError(.overflow) }
            quotient = next
        }
        if negative, quotient == Int128.min.magnitude { return .min }
        guard let magnitude = Int128(exactly: quotient) else { throw CELEvaluationError(.overflow) }
        return negative ? -magnitude : magnitude
    }
}
