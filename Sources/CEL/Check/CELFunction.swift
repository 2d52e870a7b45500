/// The operators and functions of the language; the raw value is the name that expressions and messages use.
public enum CELFunction: String, Sendable, CaseIterable {
    // Operators.
    case conditional = "_?_:_"
    case and = "_&&_"
    case or = "_||_"
    case not = "!_"
    case negate = "-_"
    case add = "_+_"
    case subtract = "_-_"
    case multiply = "_*_"
    case divide = "_/_"
    case modulus = "_%_"
    case equal = "_==_"
    case notEqual = "_!=_"
    case less = "_<_"
    case lessOrEqual = "_<=_"
    case greater = "_>_"
    case greaterOrEqual = "_>=_"
    case membership = "_in_"
    case index = "_[_]"

    // Conversions.
    case bool, int, uint, double, string, bytes, timestamp, duration, decimal, type, dyn

    // Text and collections.
    case size, contains, startsWith, endsWith, matches

    // Parts of instants and spans.
    case getDate, getDayOfMonth, getDayOfWeek, getDayOfYear, getFullYear, getMonth
    case getHours, getMinutes, getSeconds, getMilliseconds

    /// The operator's sign, or the function's name.
    public var sign: String {
        switch self {
        case .not: "!"
        case .negate: "-"
        case .membership: "in"
        case .index: "[]"
        case .conditional: "?:"
        default: String(rawValue.filter { $0 != "_" })
        }
    }

    /// Whether the name is one that an expression calls, rather than an operator.
    var isNamed: Bool { rawValue.utf8.allSatisfy { $0.isIdentifierStart && $0 != UInt8(ascii: "_") } }

    /// A function by the name that expressions call it.
    static func named(_ name: String) -> CELFunction? {
        guard let function = CELFunction(rawValue: name), function.isNamed else { return nil }
        return function
    }
}
