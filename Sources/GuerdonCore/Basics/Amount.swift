/// An exact decimal as it stood on the wire: `coefficient / 10^scale`.
public struct DecimalNumber: Sendable, Hashable {
    /// All digits without the point.
    public var coefficient: Int64
    /// Digits after the point, 0…18.
    public var scale: UInt8

    /// Creates `coefficient / 10^scale`.
    public init(coefficient: Int64, scale: UInt8 = 0) {
        precondition(scale <= UInt8(Limits.decimalScale))
        self.coefficient = coefficient
        self.scale = scale
    }

    /// The number in units of `10^-target`, or `nil` when it has more decimals than that or does not fit.
    ///
    /// Strict as the wire asks: `12.340` has three decimals and does not fit scale 2.
    public func units(scale target: Int) -> Int64? {
        let shift = target - Int(scale)
        guard shift >= 0 else { return nil }
        let (value, overflow) = coefficient.multipliedReportingOverflow(by: PowersOfTen.int64[shift])
        return overflow ? nil : value
    }

    /// The same number without trailing zeros behind the point, so that equal numbers have equal fields.
    public var normalized: DecimalNumber {
        var c = coefficient
        var s = scale
        while s > 0, c % 10 == 0 {
            c /= 10
            s -= 1
        }
        return DecimalNumber(coefficient: c, scale: s)
    }
}

/// Powers of ten that fit their type.
public enum PowersOfTen {
    /// 10^0 … 10^18.
    public static let int64: [Int64] = (0...18).map { n in (0..<n).reduce(1) { p, _ in p * 10 } }

    /// 10^n for n in 0…38.
    public static func int128(_ n: Int) -> Int128 {
        precondition((0...38).contains(n))
        return n <= 18 ? Int128(int64[n]) : Int128(int64[18]) * int128(n - 18)
    }
}

/// How a share of a value is brought to a currency's scale.
public enum Rounding: UInt8, BitwiseCopyable, Sendable, CaseIterable {
    /// To the nearest, a half away from zero.
    case halfUp = 0
    /// To the nearest, a half to the even neighbour.
    case halfEven = 1
    /// To the nearest, a half towards zero.
    case halfDown = 2
    /// Away from zero.
    case up = 3
    /// Towards zero.
    case down = 4

    /// `numerator / denominator` rounded; both non-negative, `denominator > 0`.
    @inline(__always)
    public func divide<T: FixedWidthInteger>(_ numerator: T, by denominator: T) -> T {
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        if remainder == 0 { return quotient }
        // The distance to the next whole against the remainder, so that nothing can overflow by doubling.
        let rest = denominator - remainder
        let goesUp: Bool
        switch self {
        case .halfUp: goesUp = remainder >= rest
        case .halfEven: goesUp = remainder > rest || (remainder == rest && quotient & 1 == 1)
        case .halfDown: goesUp = remainder > rest
        case .up: goesUp = true
        case .down: goesUp = false
        }
        return goesUp ? quotient + 1 : quotient
    }
}
