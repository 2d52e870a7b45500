/// A value that an action or a member carries beside the fields that the engine knows.
enum Attribute: Equatable {
    case bool(Bool)
    case int(Int64)
    case decimal(ExactDecimal)
    case string(Text)
    case list([Attribute])
    case object([Text: Attribute])

    /// The attribute that a JSON value stands for; `nil` for `null` and for numbers that are not exact.
    init?(_ json: JSON) {
        switch json {
        case .bool(let value): self = .bool(value)
        case .string(let text): self = .string(text)
        case .number(let text):
            if let integer = Int64(text) {
                self = .int(integer)
            } else if text.contains("."), let decimal = try? ExactDecimal(text) {
                self = .decimal(decimal)
            } else {
                return nil
            }
        case .array(let elements):
            let values = elements.compactMap(Attribute.init)
            guard values.count == elements.count else { return nil }
            self = .list(values)
        case .object(let members):
            let values = members.compactMapValues(Attribute.init)
            guard values.count == members.count else { return nil }
            self = .object(values)
        case .null, .anything, .something, .oneOf: return nil
        }
    }

    /// The attribute as the wire shows it.
    var json: JSON {
        switch self {
        case .bool(let value): .bool(value)
        case .int(let value): .number(String(value))
        case .decimal(let value): .number(ExactDecimal.text(value.units, scale: value.scale))
        case .string(let text): .string(text)
        case .list(let values): .array(values.map(\.json))
        case .object(let values): .object(values.mapValues(\.json))
        }
    }
}
