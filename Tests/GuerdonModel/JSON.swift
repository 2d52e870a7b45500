/// A JSON value whose numbers keep their text; with three wildcards that only an expected reply may hold.
public enum JSON: Hashable, Sendable {
    case null
    case bool(Bool)
    /// The number exactly as it was written.
    case number(String)
    case string(Text)
    case array([JSON])
    case object([Text: JSON])
    /// Expected replies only: whatever stands here, or nothing at all. Under the key `*`: any further fields.
    case anything
    /// Expected replies only: whatever stands here but `null`.
    case something
    /// Expected replies only: one of these.
    case oneOf([JSON])

    /// A JSON string.
    public static func text(_ string: String) -> JSON { .string(Text(string)) }

    /// A JSON number from an integer.
    public static func int(_ value: Int) -> JSON { .number(String(value)) }

    /// The text, or `null` when there is none.
    public static func optional(_ text: Text?) -> JSON { text.map { .string($0) } ?? .null }

    /// The member of an object, `nil` when this is no object or has no such member.
    public subscript(key: Text) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// The element of an array, `nil` when this is no array or is shorter.
    public subscript(index: Int) -> JSON? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }

    /// The string inside, if this is one.
    public var string: String? {
        guard case .string(let text) = self else { return nil }
        return text.string
    }

    /// The elements, if this is an array.
    public var elements: [JSON]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }

    /// The value as one line of JSON with the keys in byte order; wildcards print as `«…»`.
    public var line: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): JSON.quoted(text)
        case .array(let elements): "[" + elements.map(\.line).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { JSON.quoted($0.key) + ":" + $0.value.line }
                .joined(separator: ",") + "}"
        case .anything: "«anything»"
        case .something: "«something»"
        case .oneOf(let choices): "«" + choices.map(\.line).joined(separator: " or ") + "»"
        }
    }

    private static func quoted(_ text: Text) -> String {
        var result = "\""
        for scalar in text.string.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    /// A JSON string.
    public init(stringLiteral value: String) { self = .text(value) }
    /// A JSON number.
    public init(integerLiteral value: Int) { self = .int(value) }
    /// A JSON truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A JSON array.
    public init(arrayLiteral elements: JSON...) { self = .array(elements) }
    /// A JSON object; a later member of the same name wins.
    public init(dictionaryLiteral members: (Text, JSON)...) {
        self = .object(Dictionary(members, uniquingKeysWith: { $1 }))
    }
    /// JSON null.
    public init(nilLiteral: ()) { self = .null }
}
