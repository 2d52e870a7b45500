extension CELValue: CustomDebugStringConvertible {
    /// The value written as a CEL literal or call; long ones are cut short. For messages, not for programs.
    public var debugDescription: String { debugText }

    var debugText: String {
        let lengthMax = 80
        var text = ""
        appendLiteral(to: &text, lengthMax: lengthMax)
        guard text.unicodeScalars.count > lengthMax else { return text }
        var cut = String.UnicodeScalarView()
        cut.append(contentsOf: text.unicodeScalars.prefix(lengthMax))
        return String(cut) + "…"
    }

    private func appendLiteral(to text: inout String, lengthMax: Int) {
        guard text.utf8.count <= lengthMax * 4 else { return }
        switch self {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .int(let number): text += String(number)
        case .uint(let number): text += String(number) + "u"
        case .double(let number): text += DoubleText.format(number)
        case .string(let string): text += "'" + string + "'"
        case .bytes(let bytes): text += "bytes of length " + String(bytes.count)
        case .timestamp(let moment): text += "timestamp('" + moment.description + "')"
        case .duration(let span): text += "duration('" + span.description + "')"
        case .type(let name): text += name.rawValue
        case .decimal(let number): text += "decimal('" + number.description + "')"
        case .list(let elements):
            text += "["
            for (position, element) in elements.enumerated() {
                if position > 0 { text += ", " }
                element.appendLiteral(to: &text, lengthMax: lengthMax)
                if text.utf8.count > lengthMax * 4 { return }
            }
            text += "]"
        case .map(let map):
            text += "{"
            for (position, entry) in zip(map.keys, map.values).enumerated() {
                if position > 0 { text += ", " }
                entry.0.appendLiteral(to: &text, lengthMax: lengthMax)
                text += ": "
                entry.1.appendLiteral(to: &text, lengthMax: lengthMax)
                if text.utf8.count > lengthMax * 4 { return }
            }
            text += "}"
        }
    }
}

/// Doubles as text and back, the same on every machine.
enum DoubleText {
    /// The shortest digits that read back as the same number: plain from 1e-4 up to 1e21, with an exponent beyond.
    static func format(_ number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        let sign = number.sign == .minus ? "-" : ""
        if number == 0 { return sign + "0" }
        let (digits, exponent) = shortestDigits(of: number.magnitude)
        // The number is 0.digits × 10^exponent.
        if exponent < -3 || exponent > 21 {
            let power = exponent - 1
            let fraction = digits.dropFirst()
            let mantissa = fraction.isEmpty ? "\(digits.prefix(1))" : "\(digits.prefix(1)).\(fraction)"
            return "\(sign)\(mantissa)e\(power < 0 ? "-" : "+")\(padded(abs(power), 2))"
        }
        if exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + digits }
        let count = digits.utf8.count
        if count <= exponent { return sign + digits + String(repeating: "0", count: exponent - count) }
        return "\(sign)\(digits.prefix(exponent)).\(digits.dropFirst(exponent))"
    }

    /// The significant digits without zeros at either end, and the place of the point before them.
    private static func shortestDigits(of number: Double) -> (digits: String, exponent: Int) {
        var digits: [UInt8] = []
        var point: Int?
        var power = 0
        let text = number.description  // the standard library prints the shortest digits, in one of two layouts
        let parts = text.split(separator: "e")
        for byte in parts[0].utf8 {
            if byte == UInt8(ascii: ".") { point = digits.count } else { digits.append(byte) }
        }
        if parts.count > 1 { power = Int(parts[1]) ?? 0 }
        var exponent = (point ?? digits.count) + power
        let leading = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(leading)
        exponent -= leading
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (String(decoding: digits, as: UTF8.self), exponent)
    }

    /// Reads a decimal number with optional sign and exponent, `NaN` or `Infinity` (also `inf`, in any case); nil for
    /// anything else and for a number too large to be finite.
    static func parse(_ text: String) -> Double? {
        var bytes = Array(text.utf8)[...]
        let negative = bytes.first == UInt8(ascii: "-")
        if negative || bytes.first == UInt8(ascii: "+") { bytes = bytes.dropFirst() }
        let lowered = bytes.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
        if lowered.elementsEqual("nan".utf8) { return .nan }
        if lowered.elementsEqual("inf".utf8) || lowered.elementsEqual("infinity".utf8) {
            return negative ? -.infinity : .infinity
        }
        guard isDecimal(lowered), let number = Double(text), number.isFinite else { return nil }
        return number
    }

    private static func isDecimal(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        func takeDigits() -> Int {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            rest = rest.dropFirst(digits.count)
            return digits.count
        }
        var digits = takeDigits()
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            digits += takeDigits()
        }
        guard digits > 0 else { return false }
        if rest.first == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
            guard takeDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
