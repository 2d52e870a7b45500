/// The functions named after types: `int(x)`, `string(x)`, `timestamp(x)` and so on.
enum Conversions {
    /// Converts a value by a conversion function.
    static func convert(_ value: CELValue, by function: CELFunction) throws(CELEvaluationError) -> CELValue {
        let result: CELValue? =
            switch function {
            case .bool: try toBool(value)
            case .int: try toInt(value)
            case .uint: try toUInt(value)
            case .double: try toDouble(value)
            case .string: try toString(value)
            case .bytes: toBytes(value)
            case .timestamp: try toTimestamp(value)
            case .duration: try toDuration(value)
            case .decimal: try toDecimal(value)
            case .type: .type(value.typeName)
            case .dyn: value
            default: nil
            }
        guard let result else { throw Arithmetic.noOverload(function, value) }
        return result
    }

    private static func invalid(_ value: CELValue, _ type: String) -> CELEvaluationError {
        CELEvaluationError(.invalidArgument, "this text is no " + type, value)
    }

    private static func outOfRange(_ value: CELValue, _ type: String) -> CELEvaluationError {
        CELEvaluationError(.overflow, "out of the range of " + type, value)
    }

    private static func toBool(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .bool: return value
        case .string("1"), .string("t"), .string("true"), .string("TRUE"), .string("True"): return .bool(true)
        case .string("0"), .string("f"), .string("false"), .string("FALSE"), .string("False"): return .bool(false)
        case .string: throw invalid(value, "bool")
        default: return nil
        }
    }

    private static func toInt(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .int: return value
        case .uint(let number):
            guard let result = Int64(exactly: number) else { throw outOfRange(value, "int") }
            return .int(result)
        case .double(let number):
            // Both ends of the range are doubles that other numbers round to, so neither is accepted.
            guard number > -0x1p63, number < 0x1p63 else { throw outOfRange(value, "int") }
            return .int(Int64(number))
        case .decimal(let number):
            guard let result = Int64(exactly: number.truncated) else { throw outOfRange(value, "int") }
            return .int(result)
        case .string(let text):
            guard isInteger(text) else { throw invalid(value, "int") }
            guard let result = Int64(text) else { throw outOfRange(value, "int") }
            return .int(result)
        case .timestamp(let moment): return .int(moment.seconds)
        default: return nil
        }
    }

    private static func toUInt(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .uint: return value
        case .int(let number):
            guard let result = UInt64(exactly: number) else { throw outOfRange(value, "uint") }
            return .uint(result)
        case .double(let number):
            guard number > -1, number < 0x1p64, !(number < 0) else { throw outOfRange(value, "uint") }
            return .uint(UInt64(number))
        case .decimal(let number):
            guard number.coefficient >= 0, let result = UInt64(exactly: number.truncated) else {
                throw outOfRange(value, "uint")
            }
            return .uint(result)
        case .string(let text):
            guard isInteger(text), text.utf8.first?.isDigit == true else { throw invalid(value, "uint") }
            guard let result = UInt64(text) else { throw outOfRange(value, "uint") }
            return .uint(result)
        default: return nil
        }
    }

    private static func isInteger(_ text: String) -> Bool {
        var digits = text.utf8[...]
        if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") { digits.removeFirst() }
        return !digits.isEmpty && digits.allSatisfy(\.isDigit)
    }

    private static func toDouble(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .double: return value
        case .int(let number): return .double(Double(number))
        case .uint(let number): return .double(Double(number))
        case .decimal(let number): return .double(number.doubleValue)
        case .string(let text):
            guard let number = DoubleText.parse(text) else { throw invalid(value, "double") }
            return .double(number)
        default: return nil
        }
    }

    private static func toString(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .string: return value
        case .bool(let flag): return .string(flag ? "true" : "false")
        case .int(let number): return .string(String(number))
        case .uint(let number): return .string(String(number))
        case .double(let number): return .string(DoubleText.format(number))
        case .decimal(let number): return .string(number.description)
        case .timestamp(let moment): return .string(moment.description)
        case .duration(let span): return .string(span.description)
        case .bytes(let bytes):
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw CELEvaluationError(.invalidArgument, "the bytes are no UTF-8 text")
            }
            return .string(text)
        default: return nil
        }
    }

    private static func toBytes(_ value: CELValue) -> CELValue? {
        switch value {
        case .bytes: value
        case .string(let text): .bytes(Array(text.utf8))
        default: nil
        }
    }

    private static func toTimestamp(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .timestamp: return value
        case .int(let seconds):
            guard let moment = CELTimestamp(seconds: seconds) else { throw outOfRange(value, "timestamp") }
            return .timestamp(moment)
        case .string(let text):
            guard let moment = CELTimestamp(text) else {
                throw CELEvaluationError(.invalidArgument, "no RFC 3339 time, or out of range", value)
            }
            return .timestamp(moment)
        default: return nil
        }
    }

    private static func toDuration(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .duration: return value
        case .string(let text):
            guard let span = CELDuration(text) else {
                throw CELEvaluationError(.invalidArgument, "no duration such as '1h30m', or out of range", value)
            }
            return .duration(span)
        default: return nil
        }
    }

    private static func toDecimal(_ value: CELValue) throws(CELEvaluationError) -> CELValue? {
        switch value {
        case .decimal: return value
        case .int(let number): return .decimal(CELDecimal(number))
        case .uint(let number): return .decimal(CELDecimal(number))
        case .string(let text):
            guard let number = CELDecimal(text) else {
                throw CELEvaluationError(.invalidArgument, "no decimal number, or out of range", value)
            }
            return .decimal(number)
        default: return nil
        }
    }
}
