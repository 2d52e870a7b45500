/// A static type: what the checker knows about an expression or a declared variable.
public indirect enum CELType: Sendable, Hashable {
    /// Anything; checked while evaluating.
    case dyn
    /// The type of `null`.
    case null
    /// `true` and `false`.
    case bool
    /// 64-bit signed integers.
    case int
    /// 64-bit unsigned integers.
    case uint
    /// IEEE 754 binary64.
    case double
    /// Unicode text.
    case string
    /// Octets.
    case bytes
    /// An instant, years 0001 to 9999, in nanoseconds.
    case timestamp
    /// A signed span of time in nanoseconds.
    case duration
    /// An exact decimal number; Guerdon's addition to the standard types.
    case decimal
    /// The type of a type, such as `int` or `type(x)`.
    case type
    /// A list with elements of one type (`.dyn` where they are mixed).
    case list(CELType)
    /// A map.
    case map(key: CELType, value: CELType)
    /// A value of the wrapped type, or `null`.
    case nullable(CELType)
    /// A record with known fields. Only its fields can be read; each is loaded by a slot of its own.
    case object(String, fields: [CELField])
}

/// A field of an object type.
public struct CELField: Sendable, Hashable {
    /// The field's name, an identifier.
    public let name: String
    /// The field's type; objects do not nest.
    public let type: CELType

    /// Names a field.
    public init(_ name: String, _ type: CELType) {
        self.name = name
        self.type = type
    }
}

extension CELType: CustomStringConvertible {
    /// The type as messages print it, such as `map(string, dyn)`.
    public var description: String {
        switch self {
        case .dyn: "dyn"
        case .null: "null"
        case .bool: "bool"
        case .int: "int"
        case .uint: "uint"
        case .double: "double"
        case .string: "string"
        case .bytes: "bytes"
        case .timestamp: "timestamp"
        case .duration: "duration"
        case .decimal: "decimal"
        case .type: "type"
        case .list(let element): "list(\(element))"
        case .map(let key, let value): "map(\(key), \(value))"
        case .nullable(let wrapped): "\(wrapped) or null"
        case .object(let name, _): name
        }
    }
}

extension CELType {
    /// Whether a value of this static type may turn out to be a value of `other`.
    ///
    /// The relation is symmetric: the checker refuses only what can never work, and evaluation decides the rest.
    func mayBe(_ other: CELType) -> Bool {
        switch (self, other) {
        case (.dyn, _), (_, .dyn): true
        case (.nullable(let wrapped), _): other == .null || wrapped.mayBe(other)
        case (_, .nullable(let wrapped)): self == .null || self.mayBe(wrapped)
        case (.list(let left), .list(let right)): left.mayBe(right)
        case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
            leftKey.mayBe(rightKey) && leftValue.mayBe(rightValue)
        default: self == other
        }
    }

    /// The narrowest type that describes values of both.
    func joined(with other: CELType) -> CELType {
        if self == other { return self }
        switch (self, other) {
        case (.null, .nullable), (.nullable, .null): return self == .null ? other : self
        case (.null, let type), (let type, .null): return type == .dyn ? .dyn : .nullable(type)
        case (.nullable(let left), .nullable(let right)): return CELType.nullable(left.joined(with: right)).flattened
        case (.nullable(let left), let right), (let right, .nullable(let left)):
            return CELType.nullable(left.joined(with: right)).flattened
        case (.list(let left), .list(let right)): return .list(left.joined(with: right))
        case (.map(let leftKey, let leftValue), .map(let rightKey, let rightValue)):
            return .map(key: leftKey.joined(with: rightKey), value: leftValue.joined(with: rightValue))
        default: return .dyn
        }
    }

    private var flattened: CELType {
        if case .nullable(.dyn) = self { return .dyn }
        if case .nullable(.nullable(let inner)) = self { return .nullable(inner) }
        return self
    }

    /// Whether values of this type are numbers that compare with each other across types.
    var isNumeric: Bool {
        switch self {
        case .int, .uint, .double, .decimal: true
        case .nullable(let wrapped): wrapped.isNumeric
        default: false
        }
    }

    /// The type without its `null`.
    var nonNull: CELType {
        if case .nullable(let wrapped) = self { return wrapped }
        return self
    }
}
