/// A formula with all that does not depend on the action worked out: `amount = round(units × multiplier / divisor)`, or for
/// "per" rewards `floor(units × multiplier / divisor) × amount`.
struct RewardFormula: BitwiseCopyable, Sendable {
    private enum Kind: BitwiseCopyable, Sendable {
        case fixed
        case perUnit
        case rate
    }
    private let kind: Kind
    private let amount: Int64
    private let rounding: Rounding
    private let multiplier: Int128
    private let divisor: Int128
    /// The same two when they fit a machine word, as they nearly always do.
    private let shortMultiplier: UInt64
    private let shortDivisor: UInt64

    /// Digits behind the point that rates, exchanges and `per` may have.
    static let factorScale = 9
    /// The largest coefficient of such a factor.
    static let factorLimit: Int64 = 1_000_000_000_000

    /// Pays nothing.
    static let nothing = RewardFormula(
        .fixed(DecimalNumber(coefficient: 0)), exchange: nil, valueScale: 0, scale: 0, rounding: .down)

    /// - Parameters:
    ///   - valueScale: decimals of the action's value.
    ///   - currency: what is paid; amounts were checked to fit its scale.
    init(_ formula: Formula, exchange: DecimalNumber?, valueScale: Int, scale: Int, rounding: Rounding) {
        self.rounding = rounding
        let factor = exchange ?? DecimalNumber(coefficient: 1)
        var m: Int128
        var d: Int128
        switch formula {
        case .fixed(let fixed):
            kind = .fixed
            amount = fixed.units(scale: scale) ?? 0
            (m, d) = (0, 1)
        case .perUnit(let per, let each):
            kind = .perUnit
            amount = each.units(scale: scale) ?? 0
            m = Int128(factor.coefficient) * PowersOfTen.int128(Int(per.scale))
            d = Int128(per.coefficient) * PowersOfTen.int128(valueScale + Int(factor.scale))
        case .rate(let rate):
            kind = .rate
            amount = 0
            m = Int128(factor.coefficient) * Int128(rate.coefficient) * PowersOfTen.int128(scale)
            d = PowersOfTen.int128(valueScale + Int(factor.scale) + Int(rate.scale))
        }
        let common = RewardFormula.gcd(m, d)
        m /= common
        d /= common
        (multiplier, divisor) = (m, d)
        shortMultiplier = m <= Int128(UInt32.max) && d <= Int128(Int64.max) ? UInt64(m) : 0
        shortDivisor = shortMultiplier == 0 ? 0 : UInt64(d)
    }

    /// The reward for a value of `units`, which is not negative; `nil` for an event. `nil` result: beyond `Int64`.
    func amount(units: Int64?) -> Int64? {
        withUnsafePointer(to: self) { RewardFormula.amount($0, units: units) }
    }

    /// The same for a formula in place.
    @inline(__always)
    static func amount(_ formula: UnsafePointer<RewardFormula>, units: Int64?) -> Int64? {
        if formula.pointee.kind == .fixed { return formula.pointee.amount }
        guard let units, formula.pointee.kind == .rate || formula.pointee.amount != 0 else { return 0 }
        // units < 2^31 × multiplier < 2^32 stays below 2^63.
        if formula.pointee.shortMultiplier != 0, units < 1 << 31 {
            let product = UInt64(units) * formula.pointee.shortMultiplier
            if formula.pointee.kind == .rate {
                return Int64(formula.pointee.rounding.divide(product, by: formula.pointee.shortDivisor))
            }
            return formula.pointee.times(product / formula.pointee.shortDivisor)
        }
        return formula.pointee.longAmount(units)
    }

    @inline(__always) private func times(_ count: UInt64) -> Int64? {
        guard count <= UInt64(Int64.max) else { return nil }
        let (result, overflow) = Int64(count).multipliedReportingOverflow(by: amount)
        return overflow ? nil : result
    }

    @inline(never) private func longAmount(_ units: Int64) -> Int64? {
        let (product, overflow) = Int128(units).multipliedReportingOverflow(by: multiplier)
        if overflow { return nil }
        if kind == .rate { return Int64(exactly: rounding.divide(product, by: divisor)) }
        return UInt64(exactly: product / divisor).flatMap { times($0) }
    }

    /// An upper bound of the amount as `constant + slope × units`, a little above the truth.
    var bound: (constant: Double, slope: Double) {
        switch kind {
        case .fixed: (Double(amount) * 1.000_001, 0)
        case .rate: (1, Double(multiplier) / Double(divisor) * 1.000_001)
        case .perUnit: (Double(amount) * 1e-6, Double(multiplier) / Double(divisor) * Double(amount) * 1.000_001)
        }
    }

    private static func gcd(_ a: Int128, _ b: Int128) -> Int128 {
        var (x, y) = (a, b)
        while y != 0 { (x, y) = (y, x % y) }
        return max(x, 1)
    }
}
