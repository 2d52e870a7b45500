/// A map from bools, integers and strings to values, in insertion order.
///
/// Keys that are equal as numbers are one key: `1`, `1u` and a lookup of `1.0` all meet. Small maps are searched
/// in order, larger ones through a hash index; the index is only ever asked, never walked, so hash order shows nowhere.
public struct CELMap: Sendable {
    private let storage: Storage

    /// The entries in insertion order.
    public var entries: [(key: CELValue, value: CELValue)] {
        Array(zip(keys, values)).map { (key: $0.0, value: $0.1) }
    }

    /// The keys in insertion order.
    public var keys: [CELValue] { storage.keys }

    /// The values, in the order of their keys.
    public var values: [CELValue] { storage.values }

    func key(at position: Int) -> CELValue { storage.keys[position] }

    func value(at position: Int) -> CELValue { storage.values[position] }

    /// How many entries there are.
    public var count: Int { storage.keys.count }

    /// Makes a map, or throws `invalid_argument` for a key that is no bool, integer or string, `duplicate_key` for a
    /// key given twice.
    /// - Complexity: O(n).
    public init(_ entries: [(key: CELValue, value: CELValue)]) throws(CELEvaluationError) {
        try self.init(keys: entries.map(\.key), values: entries.map(\.value))
    }

    /// Makes a map from string keys, which are trusted to be distinct; of two equal keys the first is found.
    /// - Complexity: O(n).
    public init(strings entries: [(key: String, value: CELValue)]) {
        storage = Storage(keys: entries.map { .string($0.key) }, values: entries.map(\.value))
    }

    init(keys: [CELValue], values: [CELValue]) throws(CELEvaluationError) {
        let storage = Storage(keys: keys, values: values)
        for (position, key) in keys.enumerated() {
            guard key.isMapKey else { throw CELEvaluationError(.invalidArgument, "unsupported map key type", key) }
            guard storage.position(of: key) == position else { throw CELEvaluationError(.duplicateKey, "", key) }
        }
        self.storage = storage
    }

    /// The value under a key, or nil.
    /// - Complexity: O(1) for large maps, O(n) up to eight entries.
    public subscript(key: CELValue) -> CELValue? {
        guard let position = storage.position(of: key) else { return nil }
        return storage.values[position]
    }

    /// The value under a text key, or nil; compares bytes.
    /// - Complexity: as for any key, without making a value of the text.
    public subscript(key: String) -> CELValue? {
        guard let position = storage.position(of: key) else { return nil }
        return storage.values[position]
    }

    private final class Storage: Sendable {
        let keys: [CELValue]
        let values: [CELValue]
        private let index: [Key: Int]?

        private static let linearSearchMax = 8

        init(keys: [CELValue], values: [CELValue]) {
            precondition(keys.count == values.count)
            self.keys = keys
            self.values = values
            guard keys.count > Storage.linearSearchMax else {
                index = nil
                return
            }
            var index: [Key: Int] = [:]
            index.reserveCapacity(keys.count)
            for (position, key) in keys.enumerated() {
                guard let hashed = Key(key), index[hashed] == nil else { continue }
                index[hashed] = position
            }
            self.index = index
        }

        func position(of key: CELValue) -> Int? {
            if case .string(let text) = key { return position(of: text) }
            if let index { return Key(key).flatMap { index[$0] } }
            guard Key(key) != nil else { return nil }
            return keys.firstIndex { $0 == key }
        }

        func position(of text: String) -> Int? {
            if let index { return index[.string(UTF8Text(text))] }
            for position in keys.indices {
                if case .string(let candidate) = keys[position], UTF8Text.equal(candidate, text) { return position }
            }
            return nil
        }
    }

    /// A key in the one form in which equal keys hash alike.
    private enum Key: Hashable {
        case bool(Bool)
        case negative(Int64)
        case natural(UInt64)
        case string(UTF8Text)

        init?(_ value: CELValue) {
            switch value {
            case .bool(let flag): self = .bool(flag)
            case .int(let number): self = number < 0 ? .negative(number) : .natural(UInt64(number))
            case .uint(let number): self = .natural(number)
            case .double(let number):
                if let exact = Int64(exactly: number), exact < 0 {
                    self = .negative(exact)
                } else if let exact = UInt64(exactly: number) {
                    self = .natural(exact)
                } else {
                    return nil
                }
            case .decimal(let number):
                guard let whole = number.exactInteger else { return nil }
                if let exact = Int64(exactly: whole), exact < 0 {
                    self = .negative(exact)
                } else if let exact = UInt64(exactly: whole) {
                    self = .natural(exact)
                } else {
                    return nil
                }
            case .string(let text): self = .string(UTF8Text(text))
            default: return nil
            }
        }
    }
}

extension CELValue {
    var isMapKey: Bool {
        switch self {
        case .bool, .int, .uint, .string: true
        default: false
        }
    }
}
