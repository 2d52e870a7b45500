/// The functions that the machine has no instruction of its own for.
enum Builtins {
    static func call(
        _ function: CELFunction, _ arguments: [CELValue], _ timeZones: CELEnvironment.TimeZoneLookup?,
        meter: inout CostMeter
    ) throws(CELEvaluationError) -> CELValue {
        switch (function, arguments.count) {
        case (.size, 1): return try size(arguments[0], meter: &meter)
        case (.contains, 2), (.startsWith, 2), (.endsWith, 2), (.matches, 2):
            guard case .string(let text) = arguments[0], case .string(let part) = arguments[1] else { break }
            return .bool(try test(function, text, part, meter: &meter))
        case (.bool, 1), (.int, 1), (.uint, 1), (.double, 1), (.string, 1), (.bytes, 1), (.timestamp, 1),
            (.duration, 1),
            (.decimal, 1), (.type, 1):
            guard meter.spend(arguments[0].textLength / 16 + 1) else { throw CELEvaluationError(.costExceeded) }
            return try Conversions.convert(arguments[0], by: function)
        case (.getDate, 1...2), (.getDayOfMonth, 1...2), (.getDayOfWeek, 1...2), (.getDayOfYear, 1...2),
            (.getFullYear, 1...2), (.getMonth, 1...2), (.getHours, 1...2), (.getMinutes, 1...2), (.getSeconds, 1...2),
            (.getMilliseconds, 1...2):
            return try Accessors.part(
                function, of: arguments[0], inZone: arguments.count == 2 ? arguments[1] : nil, timeZones)
        default: break
        }
        throw Arithmetic.noOverload(function, arguments)
    }

    private static func size(_ value: CELValue, meter: inout CostMeter) throws(CELEvaluationError) -> CELValue {
        switch value {
        case .string(let text):
            guard meter.spend(text.utf8.count / 16) else { throw CELEvaluationError(.costExceeded) }
            return .int(Int64(text.unicodeScalars.count))
        case .bytes(let bytes): return .int(Int64(bytes.count))
        case .list(let elements): return .int(Int64(elements.count))
        case .map(let map): return .int(Int64(map.count))
        default: throw Arithmetic.noOverload(.size, value)
        }
    }

    private static func test(
        _ function: CELFunction, _ text: String, _ part: String, meter: inout CostMeter
    ) throws(CELEvaluationError) -> Bool {
        var work = part.utf8.count
        let flag: Bool
        switch function {
        case .matches:
            guard meter.spend(part.utf8.count) else { throw CELEvaluationError(.costExceeded) }
            return try Regex(part).matches(text, meter: &meter)
        case .contains:
            // The search is quadratic at worst, so its longest course must be affordable before it starts.
            flag = UTF8Text.withBytes(text) { hay in
                UTF8Text.withBytes(part) { Octets.contains(hay, $0, work: &work) }
            }
        case .startsWith: flag = UTF8Text.hasPart(text, part, atEnd: false)
        default: flag = UTF8Text.hasPart(text, part, atEnd: true)
        }
        guard meter.spend(work / 16) else { throw CELEvaluationError(.costExceeded) }
        return flag
    }
}

extension UTF8Text {
    /// Whether `text` starts or ends with `part`, by bytes.
    static func hasPart(_ text: String, _ part: String, atEnd: Bool) -> Bool {
        withBytes(text) { bytes in
            withBytes(part) { partBytes in
                guard partBytes.count <= bytes.count else { return false }
                let start = atEnd ? bytes.count - partBytes.count : 0
                return Octets.equal(UnsafeBufferPointer(rebasing: bytes[start..<start + partBytes.count]), partBytes)
            }
        }
    }
}

extension CELValue {
    /// Bytes of a string or of octets, 0 for all else.
    fileprivate var textLength: Int {
        switch self {
        case .string(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        default: 0
        }
    }
}
