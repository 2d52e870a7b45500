/// How a reward's amount follows from the action's value.
enum Formula {
    case fixed(Int64)
    /// `amount` for each whole `unit` of the value.
    case per(unit: ExactDecimal, amount: Int64, exchange: ExactDecimal)
    case rate(ExactDecimal, exchange: ExactDecimal)

    /// What this gives for a value, in the target currency's least units. An event (`nil`) gets fixed amounts only.
    /// Throws when it leaves `Int64`.
    func amount(for value: ExactDecimal?, scale: Int, rounding: Rounding) throws(Refusal) -> Int64 {
        switch self {
        case .fixed(let amount): return amount
        case .per(let unit, let amount, let exchange):
            guard let value else { return 0 }
            let count = scaled(
                UInt128(value.units) * UInt128(exchange.units), UInt128(powerOfTen(unit.scale)),
                by: UInt128(unit.units) * UInt128(powerOfTen(value.scale + exchange.scale)), rounding: .down)
            guard let count else {
                // More units than an integer holds pay nothing only if a unit pays nothing.
                if amount == 0 { return 0 }
                throw .outOfRange("value")
            }
            let (product, overflow) = count.multipliedReportingOverflow(by: amount)
            guard !overflow else { throw .outOfRange("value") }
            return product
        case .rate(let rate, let exchange):
            guard let value else { return 0 }
            let result = scaled(
                UInt128(value.units) * UInt128(rate.units), UInt128(exchange.units) * UInt128(powerOfTen(scale)),
                by: UInt128(powerOfTen(value.scale + rate.scale + exchange.scale)), rounding: rounding)
            guard let result else { throw .outOfRange("value") }
            return result
        }
    }

    var isFixed: Bool {
        if case .fixed = self { true } else { false }
    }
}
