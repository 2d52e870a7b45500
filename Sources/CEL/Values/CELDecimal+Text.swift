extension CELDecimal: CustomStringConvertible {
    /// Reads `-12.34`: an optional sign, digits, and up to 18 decimals; nil for anything else, exponents included.
    public init?(_ text: String) {
        var coefficient: Int128 = 0
        var scale: UInt8 = 0
        var digits = 0
        var negative = false
        var pointSeen = false
        for (position, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "-") where position == 0: negative = true
            case UInt8(ascii: "+") where position == 0: break
            case UInt8(ascii: ".") where !pointSeen && digits > 0: pointSeen = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                // Accumulated below zero, since that side reaches one further.
                let (shifted, tooWide) = coefficient.multipliedReportingOverflow(by: 10)
                let (next, tooFar) = shifted.subtractingReportingOverflow(Int128(byte - UInt8(ascii: "0")))
                if tooWide || tooFar || (pointSeen && scale == CELDecimal.scaleMax) { return nil }
                coefficient = next
                digits += 1
                if pointSeen { scale += 1 }
            default: return nil
            }
        }
        guard digits > 0, !pointSeen || scale > 0 else { return nil }
        if !negative {
            guard coefficient != .min else { return nil }
            coefficient = -coefficient
        }
        self.init(coefficient: coefficient, scale: scale)
    }

    /// The number without trailing zeros: equal numbers print alike.
    public var description: String {
        let number = normalized
        let digits = String(number.coefficient.magnitude)
        let sign = number.coefficient < 0 ? "-" : ""
        let scale = Int(number.scale)
        if scale == 0 { return sign + digits }
        let padded = String(repeating: "0", count: max(scale + 1 - digits.utf8.count, 0)) + digits
        let point = padded.utf8.count - scale
        return sign + padded.prefix(point) + "." + padded.dropFirst(point)
    }

    /// The nearest binary number.
    public var doubleValue: Double {
        // Two exact operands give a correctly rounded quotient; beyond that the digits are read as text.
        if coefficient.magnitude <= 1 << 53 {
            return Double(coefficient) / Double(CELDecimal.powerOfTen(Int(scale)))
        }
        return Double(description) ?? .nan
    }
}
