/// A JSON value that keeps numbers as they were written and members in their order.
enum JSON {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case object([(name: String, value: JSON)])

    /// Reads one whole JSON text.
    static func parse(_ text: String) throws(JSONError) -> JSON {
        var parser = JSONParser(text)
        return try parser.document()
    }

    /// The text as a JSON string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\u{0}"..."\u{1F}", "\u{7F}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Why a text is not the JSON that was asked for.
struct JSONError: Error {
    let message: String
    /// Where, in bytes from 1; 1 for mistakes of content.
    let column: Int

    init(_ message: String, column: Int = 1) {
        self.message = message
        self.column = column
    }
}

/// A strict reader of JSON with bounded nesting.
private struct JSONParser {
    private let bytes: [UInt8]
    private var offset = 0
    private var nesting = 0

    private static let nestingMax = 128

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    mutating func document() throws(JSONError) -> JSON {
        let value = try value()
        skipBlanks()
        guard offset == bytes.count else { throw mistake("something follows the value") }
        return value
    }

    private func mistake(_ message: String) -> JSONError {
        JSONError("no JSON: " + message, column: offset + 1)
    }

    private mutating func skipBlanks() {
        while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard offset < bytes.count, UInt32(bytes[offset]) == character.value else { return false }
        offset += 1
        return true
    }

    private mutating func takeWord(_ word: String) -> Bool {
        guard bytes[offset...].starts(with: word.utf8) else { return false }
        offset += word.utf8.count
        return true
    }

    private mutating func value() throws(JSONError) -> JSON {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= JSONParser.nestingMax else { throw mistake("it nests too deep") }
        skipBlanks()
        guard offset < bytes.count else { throw mistake("it ends too early") }
        switch bytes[offset] {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default:
            if takeWord("true") { return .bool(true) }
            if takeWord("false") { return .bool(false) }
            if takeWord("null") { return .null }
            throw mistake("unexpected character")
        }
    }

    private mutating func object() throws(JSONError) -> JSON {
        offset += 1
        var members: [(name: String, value: JSON)] = []
        if take("}") { return .object(members) }
        repeat {
            skipBlanks()
            guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\"") else { throw mistake("a name is missing") }
            let name = try string()
            guard take(":") else { throw mistake("a colon is missing") }
            guard !members.contains(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                throw mistake("the name '\(name)' comes twice")
            }
            members.append((name: name, value: try value()))
        } while take(",")
        guard take("}") else { throw mistake("an object does not end") }
        return .object(members)
    }

    private mutating func array() throws(JSONError) -> JSON {
        offset += 1
        var elements: [JSON] = []
        if take("]") { return .array(elements) }
        repeat { elements.append(try value()) } while take(",")
        guard take("]") else { throw mistake("an array does not end") }
        return .array(elements)
    }

    private mutating func digits() -> Int {
        let start = offset
        while offset < bytes.count, bytes[offset] >= UInt8(ascii: "0"), bytes[offset] <= UInt8(ascii: "9") {
            offset += 1
        }
        return offset - start
    }

    private mutating func number() throws(JSONError) -> JSON {
        let start = offset
        if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
        let leadsWithZero = offset < bytes.count && bytes[offset] == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, whole == 1 || !leadsWithZero else { throw mistake("a number") }
        if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
            offset += 1
            guard digits() > 0 else { throw mistake("a number") }
        }
        if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
            offset += 1
            if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") {
                offset += 1
            }
            guard digits() > 0 else { throw mistake("a number") }
        }
        return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
    }

    private mutating func string() throws(JSONError) -> String {
        offset += 1
        var content: [UInt8] = []
        while offset < bytes.count {
            let byte = bytes[offset]
            switch byte {
            case UInt8(ascii: "\""):
                offset += 1
                return String(decoding: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                offset += 1
                content += UTF8.encode(try escape()).map(Array.init) ?? []
            case 0..<0x20: throw mistake("a control character in a string")
            default:
                content.append(byte)
                offset += 1
            }
        }
        throw mistake("a string does not end")
    }

    private mutating func escape() throws(JSONError) -> Unicode.Scalar {
        guard offset < bytes.count else { throw mistake("a string does not end") }
        let kind = Unicode.Scalar(bytes[offset])
        offset += 1
        switch kind {
        case "\"", "\\", "/": return kind
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "u":
            let unit = try hexadecimal()
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard unit < 0xDC00, takeWord("\\u") else { throw mistake("half of a surrogate pair") }
            let low = try hexadecimal()
            guard (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
            else { throw mistake("half of a surrogate pair") }
            return scalar
        default: throw mistake("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        guard offset + 4 <= bytes.count,
            let value = UInt32(String(decoding: bytes[offset..<offset + 4], as: UTF8.self), radix: 16)
        else { throw mistake("an escape needs four hexadecimal digits") }
        offset += 4
        return value
    }
}
