extension CELValue {
    /// CEL equality, charging `meter` for every element visited; an exhausted meter ends it with `false`.
    func equals(_ other: CELValue, meter: inout CostMeter) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.bool(let left), .bool(let right)): return left == right
        case (.int(let left), .int(let right)): return left == right
        case (.uint(let left), .uint(let right)): return left == right
        case (.double(let left), .double(let right)): return left == right
        case (.string(let left), .string(let right)):
            guard meter.spend(min(left.utf8.count, right.utf8.count) / 16 + 1) else { return false }
            return UTF8Text.equal(left, right)
        case (.bytes(let left), .bytes(let right)):
            guard meter.spend(min(left.count, right.count) / 16 + 1) else { return false }
            return left == right
        case (.timestamp(let left), .timestamp(let right)): return left == right
        case (.duration(let left), .duration(let right)): return left == right
        case (.type(let left), .type(let right)): return left == right
        case (.list(let left), .list(let right)): return CELValue.equalLists(left, right, meter: &meter)
        case (.map(let left), .map(let right)): return CELValue.equalMaps(left, right, meter: &meter)
        default: return CELValue.compareNumbers(self, other) == .equal
        }
    }

    private static func equalLists(_ left: [CELValue], _ right: [CELValue], meter: inout CostMeter) -> Bool {
        guard left.count == right.count else { return false }
        for position in left.indices {
            guard meter.spend(1), left[position].equals(right[position], meter: &meter) else { return false }
        }
        return true
    }

    private static func equalMaps(_ left: CELMap, _ right: CELMap, meter: inout CostMeter) -> Bool {
        guard left.count == right.count else { return false }
        for (key, value) in zip(left.keys, left.values) {
            guard meter.spend(4), let other = right[key], value.equals(other, meter: &meter) else { return false }
        }
        return true
    }

    /// How two values stand to each other.
    enum Order {
        case before, equal, after
        /// Comparable, but neither way: a `NaN` is involved.
        case unordered

        @inline(__always)
        init<Number: Comparable>(_ left: Number, _ right: Number) {
            self = left < right ? .before : left == right ? .equal : left > right ? .after : .unordered
        }

        init(sign: Int) {
            self = sign < 0 ? .before : sign == 0 ? .equal : .after
        }

        var reversed: Order {
            switch self {
            case .before: .after
            case .after: .before
            case .equal, .unordered: self
            }
        }
    }

    /// The order of two values, or nil where CEL defines none.
    static func compare(_ left: CELValue, _ right: CELValue, meter: inout CostMeter) -> Order? {
        switch (left, right) {
        case (.int(let left), .int(let right)): return Order(left, right)
        case (.decimal(let left), .decimal(let right)): return Order(sign: CELDecimal.compare(left, right))
        case (.string(let left), .string(let right)):
            _ = meter.spend(min(left.utf8.count, right.utf8.count) / 16 + 1)
            return Order(sign: UTF8Text.compare(left, right))
        case (.timestamp(let left), .timestamp(let right)): return Order(left, right)
        case (.duration(let left), .duration(let right)): return Order(left, right)
        case (.bool(let left), .bool(let right)): return Order(left ? 1 : 0, right ? 1 : 0)
        case (.bytes(let left), .bytes(let right)):
            _ = meter.spend(min(left.count, right.count) / 16 + 1)
            return Order(
                sign: left.withUnsafeBufferPointer { leftBytes in
                    right.withUnsafeBufferPointer { Octets.compare(leftBytes, $0) }
                })
        default: return compareNumbers(left, right)
        }
    }

    /// The order of two numbers of any types, or nil where one is no number.
    static func compareNumbers(_ left: CELValue, _ right: CELValue) -> Order? {
        switch (left, right) {
        case (.int(let left), .int(let right)): return Order(left, right)
        case (.uint(let left), .uint(let right)): return Order(left, right)
        case (.double(let left), .double(let right)): return Order(left, right)
        case (.int(let left), .uint(let right)): return left < 0 ? .before : Order(UInt64(left), right)
        case (.uint(let left), .int(let right)): return right < 0 ? .after : Order(left, UInt64(right))
        // The language compares an integer with a double as doubles, though 2^63 - 1 then equals 2^63.
        case (.int(let left), .double(let right)): return Order(Double(left), right)
        case (.uint(let left), .double(let right)): return Order(Double(left), right)
        case (.double(let left), .int(let right)): return Order(left, Double(right))
        case (.double(let left), .uint(let right)): return Order(left, Double(right))
        case (.decimal(let left), .double(let right)): return left.order(against: right)
        case (.double(let left), .decimal(let right)): return right.order(against: left).reversed
        default:
            guard let left = left.exactNumber, let right = right.exactNumber else { return nil }
            return Order(sign: CELDecimal.compare(left, right))
        }
    }

    /// An integer or decimal as a decimal; nil for all else.
    var exactNumber: CELDecimal? {
        switch self {
        case .int(let number): CELDecimal(number)
        case .uint(let number): CELDecimal(number)
        case .decimal(let number): number
        default: nil
        }
    }
}
