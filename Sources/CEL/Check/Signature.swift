/// One form of an operator or function: the types it takes and the one it gives.
struct Signature {
    /// How a function is written.
    enum Style {
        case global, receiver, both
    }

    let parameters: [CELType]
    let result: CELType

    init(_ parameters: CELType..., to result: CELType) {
        self.parameters = parameters
        self.result = result
    }

    func accepts(_ arguments: [CELType]) -> Bool {
        arguments.count == parameters.count && zip(arguments, parameters).allSatisfy { $0.mayBe($1) }
    }
}

extension CELFunction {
    /// How the function is written; operators count as global.
    var style: Signature.Style {
        switch self {
        case .size, .matches: .both
        case .contains, .startsWith, .endsWith, .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear,
            .getMonth, .getHours, .getMinutes, .getSeconds, .getMilliseconds:
            .receiver
        default: .global
        }
    }

    /// The forms that plain tables can tell; the checker knows the rest.
    var signatures: [Signature] {
        switch self {
        case .not: [Signature(.bool, to: .bool)]
        case .negate: [.int, .double, .decimal, .duration].map { Signature($0, to: $0) }
        case .add: Signature.arithmetic + Signature.additions
        case .subtract: Signature.arithmetic + Signature.subtractions
        case .multiply, .divide: Signature.arithmetic
        case .modulus: Signature.arithmetic.filter { $0.result != .double }
        case .bool: Signature.conversions(to: .bool, from: [.bool, .string])
        case .int: Signature.conversions(to: .int, from: [.int, .uint, .double, .string, .timestamp, .decimal])
        case .uint: Signature.conversions(to: .uint, from: [.uint, .int, .double, .string, .decimal])
        case .double: Signature.conversions(to: .double, from: [.double, .int, .uint, .string, .decimal])
        case .string:
            Signature.conversions(
                to: .string,
                from: [.string, .bool, .int, .uint, .double, .bytes, .timestamp, .duration, .decimal])
        case .bytes: Signature.conversions(to: .bytes, from: [.bytes, .string])
        case .timestamp: Signature.conversions(to: .timestamp, from: [.timestamp, .string, .int])
        case .duration: Signature.conversions(to: .duration, from: [.duration, .string])
        case .decimal: Signature.conversions(to: .decimal, from: [.decimal, .int, .uint, .string])
        case .type: [Signature(.dyn, to: .type)]
        case .dyn: [Signature(.dyn, to: .dyn)]
        case .size:
            [.string, .bytes, .list(.dyn), .map(key: .dyn, value: .dyn)].map { Signature($0, to: .int) }
        case .contains, .startsWith, .endsWith, .matches: [Signature(.string, .string, to: .bool)]
        case .getHours, .getMinutes, .getSeconds, .getMilliseconds:
            Signature.calendar + [Signature(.duration, to: .int)]
        case .getDate, .getDayOfMonth, .getDayOfWeek, .getDayOfYear, .getFullYear, .getMonth: Signature.calendar
        case .conditional, .and, .or, .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .membership,
            .index:
            []
        }
    }
}

extension Signature {
    static let arithmetic: [Signature] =
        [.int, .uint, .double, .decimal].map { Signature($0, $0, to: $0) } + [
            Signature(.decimal, .int, to: .decimal), Signature(.int, .decimal, to: .decimal),
            Signature(.decimal, .uint, to: .decimal), Signature(.uint, .decimal, to: .decimal),
        ]

    static let additions: [Signature] =
        [.string, .bytes, .duration].map { Signature($0, $0, to: $0) } + [
            Signature(.timestamp, .duration, to: .timestamp), Signature(.duration, .timestamp, to: .timestamp),
            Signature(.list(.dyn), .list(.dyn), to: .list(.dyn)),
        ]

    static let subtractions: [Signature] = [
        Signature(.duration, .duration, to: .duration), Signature(.timestamp, .duration, to: .timestamp),
        Signature(.timestamp, .timestamp, to: .duration),
    ]

    static let calendar: [Signature] = [Signature(.timestamp, to: .int), Signature(.timestamp, .string, to: .int)]

    static func conversions(to result: CELType, from sources: [CELType]) -> [Signature] {
        sources.map { Signature($0, to: result) }
    }
}
