/// A second, plain reader of JSON (RFC 8259), written to be compared with the decoder: no extensions, no doubles, and
/// numbers kept as their text.
indirect enum StrictJSON: Equatable {
    case object([(key: [UInt8], value: StrictJSON)])
    case list([StrictJSON])
    case string([UInt8])
    case number(String)
    case bool(Bool)
    case null

    struct Malformed: Error {
        var at: Int
    }

    /// The one value that the bytes hold, with white space around it.
    init(_ bytes: [UInt8], depthMax: Int = 16) throws {
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Malformed(at: 0) }
        var reader = Reader(bytes: bytes, depthMax: depthMax)
        self = try reader.value(depth: 0)
        reader.space()
        guard reader.at == bytes.count else { throw Malformed(at: reader.at) }
    }

    /// Whether some object in it names a key twice.
    var hasDoubles: Bool {
        switch self {
        case .object(let members):
            Set(members.map(\.key)).count != members.count || members.contains { $0.value.hasDoubles }
        case .list(let items): items.contains { $0.hasDoubles }
        default: false
        }
    }

    subscript(key: String) -> StrictJSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == Array(key.utf8) }?.value
    }

    static func == (a: StrictJSON, b: StrictJSON) -> Bool {
        switch (a, b) {
        case (.object(let a), .object(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        case (.list(let a), .list(let b)): a == b
        case (.string(let a), .string(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.bool(let a), .bool(let b)): a == b
        case (.null, .null): true
        default: false
        }
    }
}

private struct Reader {
    let bytes: [UInt8]
    let depthMax: Int
    var at = 0

    init(bytes: [UInt8], depthMax: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
    }

    var byte: UInt8 { at < bytes.count ? bytes[at] : 0xff }
    var malformed: StrictJSON.Malformed { StrictJSON.Malformed(at: at) }

    mutating func space() { while at < bytes.count, " \t\r\n".utf8.contains(bytes[at]) { at += 1 } }

    mutating func take(_ word: String) -> Bool {
        guard bytes[at...].starts(with: word.utf8) else { return false }
        at += word.utf8.count
        return true
    }

    mutating func value(depth: Int) throws -> StrictJSON {
        space()
        if byte == UInt8(ascii: "{") { return try object(depth: depth + 1) }
        if byte == UInt8(ascii: "[") { return try list(depth: depth + 1) }
        if byte == UInt8(ascii: "\"") { return .string(try string()) }
        if take("true") { return .bool(true) }
        if take("false") { return .bool(false) }
        if take("null") { return .null }
        return .number(try number())
    }

    mutating func object(depth: Int) throws -> StrictJSON {
        guard depth <= depthMax, take("{") else { throw malformed }
        var members: [(key: [UInt8], value: StrictJSON)] = []
        space()
        if take("}") { return .object([]) }
        repeat {
            space()
            let key = try string()
            space()
            guard take(":") else { throw malformed }
            members.append((key, try value(depth: depth)))
            space()
        } while take(",")
        guard take("}") else { throw malformed }
        return .object(members)
    }

    mutating func list(depth: Int) throws -> StrictJSON {
        guard depth <= depthMax, take("[") else { throw malformed }
        var items: [StrictJSON] = []
        space()
        if take("]") { return .list([]) }
        repeat {
            items.append(try value(depth: depth))
            space()
        } while take(",")
        guard take("]") else { throw malformed }
        return .list(items)
    }

    mutating func string() throws -> [UInt8] {
        guard take("\"") else { throw malformed }
        var units: [UInt8] = []
        while true {
            guard at < bytes.count else { throw malformed }
            let byte = bytes[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return units }
            if byte < 0x20 { throw malformed }
            if byte != UInt8(ascii: "\\") {
                units.append(byte)
                continue
            }
            units += try escape()
        }
    }

    mutating func escape() throws -> [UInt8] {
        let simple: [(String, UInt8)] = [
            ("\"", 0x22), ("\\", 0x5c), ("/", 0x2f), ("b", 8), ("f", 12), ("n", 10), ("r", 13), ("t", 9),
        ]
        for (name, byte) in simple where take(name) { return [byte] }
        guard take("u") else { throw malformed }
        var units = [try unit()]
        if UTF16.isLeadSurrogate(units[0]) {
            guard take("\\u") else { throw malformed }
            units.append(try unit())
        }
        guard let text = String(validating: units, as: UTF16.self) else { throw malformed }
        return Array(text.utf8)
    }

    mutating func unit() throws -> UInt16 {
        guard at + 4 <= bytes.count else { throw malformed }
        let digits = bytes[at..<at + 4]
        guard digits.allSatisfy({ "0123456789abcdefABCDEF".utf8.contains($0) }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw malformed }
        at += 4
        return unit
    }

    mutating func digits() throws {
        let first = at
        while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
        guard at > first else { throw malformed }
    }

    mutating func number() throws -> String {
        let first = at
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            _ = take("+") || take("-")
            try digits()
        }
        return String(decoding: bytes[first..<at], as: UTF8.self)
    }
}
