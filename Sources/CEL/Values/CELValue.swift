/// A value of an evaluation.
///
/// Values are plain data: copying one never copies a collection, and nothing in them depends on a locale, a
/// clock or hash order.
public enum CELValue: Sendable {
    /// `null`.
    case null
    /// A truth value.
    case bool(Bool)
    /// A 64-bit signed integer.
    case int(Int64)
    /// A 64-bit unsigned integer.
    case uint(UInt64)
    /// An IEEE 754 binary64 number.
    case double(Double)
    /// Text; compared by code points, never by canonical equivalence.
    case string(String)
    /// Octets.
    case bytes([UInt8])
    /// An ordered list.
    case list([CELValue])
    /// A map in insertion order.
    case map(CELMap)
    /// An instant.
    case timestamp(CELTimestamp)
    /// A signed span of time.
    case duration(CELDuration)
    /// A type, as `type(x)` answers it.
    case type(CELTypeName)
    /// An exact decimal number.
    case decimal(CELDecimal)
}

/// The name of a value's runtime type; the raw value is what CEL prints.
public enum CELTypeName: String, Sendable, CaseIterable {
    /// The type of `null`.
    case null = "null_type"
    /// Truth values.
    case bool
    /// Signed integers.
    case int
    /// Unsigned integers.
    case uint
    /// Binary floating point.
    case double
    /// Text.
    case string
    /// Octets.
    case bytes
    /// Lists.
    case list
    /// Maps.
    case map
    /// Instants.
    case timestamp = "google.protobuf.Timestamp"
    /// Spans of time.
    case duration = "google.protobuf.Duration"
    /// Types themselves.
    case type
    /// Exact decimals.
    case decimal
}

extension CELValue {
    /// The value's runtime type.
    public var typeName: CELTypeName {
        switch self {
        case .null: .null
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        case .list: .list
        case .map: .map
        case .timestamp: .timestamp
        case .duration: .duration
        case .type: .type
        case .decimal: .decimal
        }
    }

    /// The static type that describes this value: precise for scalars, `dyn` inside collections.
    public var staticType: CELType {
        switch self {
        case .null: .dyn
        case .bool: .bool
        case .int: .int
        case .uint: .uint
        case .double: .double
        case .string: .string
        case .bytes: .bytes
        case .list: .list(.dyn)
        case .map: .map(key: .dyn, value: .dyn)
        case .timestamp: .timestamp
        case .duration: .duration
        case .type: .type
        case .decimal: .decimal
        }
    }
}

extension CELValue: Equatable {
    /// CEL's own equality: numbers compare across types, `NaN` differs from itself, values of other types differ.
    public static func == (left: CELValue, right: CELValue) -> Bool {
        var meter = CostMeter(remaining: .max)
        return left.equals(right, meter: &meter)
    }
}
