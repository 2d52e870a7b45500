import CEL
import Foundation

/// Values as the wire writes them: `{"type":"int","value":"3"}`.
enum TypedValue {
    /// The variables of an object of typed values.
    static func variables(from json: JSON) throws(JSONError) -> [(name: String, value: CELValue)] {
        guard case .object(let members) = json else { throw JSONError("the variables are no object") }
        var variables: [(name: String, value: CELValue)] = []
        for member in members { variables.append((name: member.name, value: try decode(member.value))) }
        return variables
    }

    /// Reads a typed value, or a bare JSON value as what it plainly is.
    static func decode(_ json: JSON) throws(JSONError) -> CELValue {
        switch json {
        case .null: return .null
        case .bool(let flag): return .bool(flag)
        case .string(let text): return .string(text)
        case .number(let text):
            if let number = Int64(text) { return .int(number) }
            guard let number = Double(text) else { throw JSONError("a number is out of range") }
            return .double(number)
        case .array(let elements): return .list(try decodeAll(elements))
        case .object(let members): return try decodeTyped(members)
        }
    }

    private static func decodeAll(_ elements: [JSON]) throws(JSONError) -> [CELValue] {
        var values: [CELValue] = []
        for element in elements { values.append(try decode(element)) }
        return values
    }

    private static func decodeTyped(_ members: [(name: String, value: JSON)]) throws(JSONError) -> CELValue {
        var type: String?
        var content = JSON.null
        for member in members {
            switch (member.name, member.value) {
            case ("type", .string(let name)): type = name
            case ("value", let value): content = value
            default: throw JSONError("a typed value has 'type' and 'value', not '\(member.name)'")
            }
        }
        guard let type else { throw JSONError("a typed value has no 'type'") }
        guard let value = try value(of: type, content) else {
            throw JSONError("a value does not fit its type '\(type)'")
        }
        return value
    }

    private static func value(of type: String, _ content: JSON) throws(JSONError) -> CELValue? {
        switch (type, content) {
        case ("null", .null): return .null
        case ("bool", .bool(let flag)): return .bool(flag)
        case ("string", .string(let text)): return .string(text)
        case ("list", .array(let elements)): return .list(try decodeAll(elements))
        case ("map", .array(let entries)): return try map(entries)
        case ("type", .string(let name)): return CELTypeName(rawValue: name).map { .type($0) }
        case (_, .string(let text)), (_, .number(let text)): return scalar(of: type, text)
        default: return nil
        }
    }

    private static func scalar(of type: String, _ text: String) -> CELValue? {
        switch type {
        case "int": Int64(text).map { .int($0) }
        case "uint": UInt64(text).map { .uint($0) }
        case "double": double(text).map { .double($0) }
        case "bytes": Data(base64Encoded: text).map { .bytes(Array($0)) }
        case "timestamp": CELTimestamp(text).map { .timestamp($0) }
        case "duration": CELDuration(text).map { .duration($0) }
        case "decimal": CELDecimal(text).map { .decimal($0) }
        default: nil
        }
    }

    private static func double(_ text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "Infinity": .infinity
        case "-Infinity": -.infinity
        default: Double(text)
        }
    }

    private static func map(_ entries: [JSON]) throws(JSONError) -> CELValue {
        var pairs: [(key: CELValue, value: CELValue)] = []
        for entry in entries {
            guard case .array(let pair) = entry, pair.count == 2 else { throw JSONError("a map's entry is no pair") }
            pairs.append((key: try decode(pair[0]), value: try decode(pair[1])))
        }
        do throws(CELEvaluationError) {
            return .map(try CELMap(pairs))
        } catch {
            throw JSONError(error.message)
        }
    }

    /// The value as a typed value on one line.
    static func encode(_ value: CELValue) -> String {
        #"{"type":\#(JSON.quoted(name(of: value))),"value":\#(content(of: value))}"#
    }

    private static func name(of value: CELValue) -> String {
        switch value {
        case .null: "null"
        case .timestamp: "timestamp"
        case .duration: "duration"
        default: value.typeName.rawValue
        }
    }

    private static func content(of value: CELValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .int(let number): JSON.quoted(String(number))
        case .uint(let number): JSON.quoted(String(number))
        case .double(let number): content(of: number)
        case .string(let text): JSON.quoted(text)
        case .bytes(let bytes): JSON.quoted(Data(bytes).base64EncodedString())
        case .list(let elements): "[" + elements.map(encode).joined(separator: ",") + "]"
        case .map(let map):
            "[" + map.entries.map { "[\(encode($0.key)),\(encode($0.value))]" }.joined(separator: ",") + "]"
        case .timestamp(let moment): JSON.quoted(moment.description)
        case .duration(let span): JSON.quoted(span.description)
        case .type(let name): JSON.quoted(name.rawValue)
        case .decimal(let number): JSON.quoted(number.description)
        }
    }

    private static func content(of number: Double) -> String {
        if number.isNaN { return #""NaN""# }
        if number.isInfinite { return number < 0 ? #""-Infinity""# : #""Infinity""# }
        return number.description
    }
}
