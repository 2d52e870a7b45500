/// The arithmetic operators over values: checked, never trapping.
enum Arithmetic {
    static func negate(_ value: CELValue) throws(CELEvaluationError) -> CELValue {
        switch value {
        case .int(let number):
            guard number != .min else { throw CELEvaluationError(.overflow) }
            return .int(-number)
        case .double(let number): return .double(-number)
        case .decimal(let number): return .decimal(try number.negated())
        case .duration(let span): return .duration(try span.negated())
        default: throw noOverload(.negate, value)
        }
    }

    static func add(
        _ left: CELValue, _ right: CELValue, meter: inout CostMeter
    ) throws(CELEvaluationError) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return .int(try checked(left.addingReportingOverflow(right)))
        case (.uint(let left), .uint(let right)): return .uint(try checked(left.addingReportingOverflow(right)))
        case (.double(let left), .double(let right)): return .double(left + right)
        case (.decimal(let left), .decimal(let right)): return .decimal(try left + right)
        case (.string(let left), .string(let right)):
            guard meter.spend((left.utf8.count + right.utf8.count) / 16) else {
                throw CELEvaluationError(.costExceeded)
            }
            return .string(left + right)
        case (.bytes(let left), .bytes(let right)):
            guard meter.spend((left.count + right.count) / 16) else { throw CELEvaluationError(.costExceeded) }
            return .bytes(left + right)
        case (.list(let left), .list(let right)):
            guard meter.spend(left.count + right.count) else { throw CELEvaluationError(.costExceeded) }
            return .list(left + right)
        case (.timestamp(let moment), .duration(let span)), (.duration(let span), .timestamp(let moment)):
            return .timestamp(try moment.advanced(by: span))
        case (.duration(let left), .duration(let right)): return .duration(try left + right)
        default:
            let (left, right) = try decimals(left, right, .add)
            return .decimal(try left + right)
        }
    }

    static func subtract(_ left: CELValue, _ right: CELValue) throws(CELEvaluationError) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return .int(try checked(left.subtractingReportingOverflow(right)))
        case (.uint(let left), .uint(let right)): return .uint(try checked(left.subtractingReportingOverflow(right)))
        case (.double(let left), .double(let right)): return .double(left - right)
        case (.timestamp(let moment), .duration(let span)): return .timestamp(try moment.retreated(by: span))
        case (.timestamp(let left), .timestamp(let right)): return .duration(try left.since(right))
        case (.duration(let left), .duration(let right)): return .duration(try left - right)
        default:
            let (left, right) = try decimals(left, right, .subtract)
            return .decimal(try left - right)
        }
    }

    static func multiply(_ left: CELValue, _ right: CELValue) throws(CELEvaluationError) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)): return .int(try checked(left.multipliedReportingOverflow(by: right)))
        case (.uint(let left), .uint(let right)): return .uint(try checked(left.multipliedReportingOverflow(by: right)))
        case (.double(let left), .double(let right)): return .double(left * right)
        default:
            let (left, right) = try decimals(left, right, .multiply)
            return .decimal(try left * right)
        }
    }

    static func divide(_ left: CELValue, _ right: CELValue) throws(CELEvaluationError) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)):
            guard right != 0 else { throw CELEvaluationError(.divideByZero) }
            return .int(try checked(left.dividedReportingOverflow(by: right)))
        case (.uint(let left), .uint(let right)):
            guard right != 0 else { throw CELEvaluationError(.divideByZero) }
            return .uint(left / right)
        case (.double(let left), .double(let right)): return .double(left / right)
        default:
            let (left, right) = try decimals(left, right, .divide)
            return .decimal(try left / right)
        }
    }

    static func modulus(_ left: CELValue, _ right: CELValue) throws(CELEvaluationError) -> CELValue {
        switch (left, right) {
        case (.int(let left), .int(let right)):
            guard right != 0 else { throw CELEvaluationError(.modulusByZero) }
            return .int(right == -1 ? 0 : left % right)  // Int64.min % -1 would trap
        case (.uint(let left), .uint(let right)):
            guard right != 0 else { throw CELEvaluationError(.modulusByZero) }
            return .uint(left % right)
        default:
            let (left, right) = try decimals(left, right, .modulus)
            return .decimal(try left % right)
        }
    }

    private static func checked<Number>(
        _ outcome: (partialValue: Number, overflow: Bool)
    ) throws(CELEvaluationError) -> Number {
        if outcome.overflow { throw CELEvaluationError(.overflow) }
        return outcome.partialValue
    }

    /// Both as decimals, if one is a decimal and the other any exact number.
    private static func decimals(
        _ left: CELValue, _ right: CELValue, _ function: CELFunction
    ) throws(CELEvaluationError) -> (CELDecimal, CELDecimal) {
        switch (left, right) {
        case (.decimal, _), (_, .decimal):
            if let first = left.exactNumber, let second = right.exactNumber { return (first, second) }
        default: break
        }
        throw noOverload(function, left, right)
    }

    static func noOverload(_ function: CELFunction, _ values: CELValue...) -> CELEvaluationError {
        noOverload(function, values)
    }

    @inline(never)
    static func noOverload(_ function: CELFunction, _ values: [CELValue]) -> CELEvaluationError {
        // Both texts are constants; joining them waits until somebody reads the message.
        CELEvaluationError(.noSuchOverload, function, values.map(\.typeName))
    }
}
