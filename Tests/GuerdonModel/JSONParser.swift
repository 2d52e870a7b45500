/// Why a text is not a JSON value that Guerdon takes.
public enum JSONFault: Error, Equatable, Sendable {
    /// Not JSON at all, or something behind the value.
    case syntax
    /// One object names the same member twice.
    case duplicateKey(Text)
    /// Objects and arrays nested deeper than the bound.
    case tooDeep
}

/// A strict reader of one JSON value: no extensions, no duplicate keys, bounded nesting.
public struct JSONParser {
    private let bytes: [UInt8]
    private var position = 0
    private let depthMax: Int

    private init(_ bytes: [UInt8], depthMax: Int) {
        self.bytes = bytes
        self.depthMax = depthMax
    }

    /// The value that the text holds, throwing ``JSONFault``.
    public static func parse(_ text: String, depthMax: Int = 16) throws(JSONFault) -> JSON {
        var parser = JSONParser(Array(text.utf8), depthMax: depthMax)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == parser.bytes.count else { throw .syntax }
        return value
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Character) -> Bool {
        guard next == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ word: String) throws(JSONFault) {
        for character in word where !take(character) { throw .syntax }
    }

    private mutating func value(depth: Int) throws(JSONFault) -> JSON {
        skipSpace()
        switch next.map({ Character(UnicodeScalar($0)) }) {
        case "{": return try object(depth: depth + 1)
        case "[": return try array(depth: depth + 1)
        case "\"": return .string(Text(bytes: try string()))
        case "t":
            try expect("true")
            return .bool(true)
        case "f":
            try expect("false")
            return .bool(false)
        case "n":
            try expect("null")
            return .null
        default: return .number(try number())
        }
    }

    private mutating func object(depth: Int) throws(JSONFault) -> JSON {
        guard depth <= depthMax else { throw .tooDeep }
        try expect("{")
        var members: [Text: JSON] = [:]
        skipSpace()
        if take("}") { return .object(members) }
        repeat {
            skipSpace()
            let key = Text(bytes: try string())
            skipSpace()
            try expect(":")
            guard members.updateValue(try value(depth: depth), forKey: key) == nil else { throw .duplicateKey(key) }
            skipSpace()
        } while take(",")
        try expect("}")
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONFault) -> JSON {
        guard depth <= depthMax else { throw .tooDeep }
        try expect("[")
        var elements: [JSON] = []
        skipSpace()
        if take("]") { return .array(elements) }
        repeat {
            elements.append(try value(depth: depth))
            skipSpace()
        } while take(",")
        try expect("]")
        return .array(elements)
    }

    private mutating func string() throws(JSONFault) -> [UInt8] {
        try expect("\"")
        var result: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return result
            case UInt8(ascii: "\\"): result += try escape()
            case 0..<0x20: throw .syntax
            default: result.append(byte)
            }
        }
        throw .syntax
    }

    private mutating func escape() throws(JSONFault) -> [UInt8] {
        guard let byte = next else { throw .syntax }
        position += 1
        switch Character(UnicodeScalar(byte)) {
        case "\"", "\\", "/": return [byte]
        case "b": return [8]
        case "f": return [12]
        case "n": return [10]
        case "r": return [13]
        case "t": return [9]
        case "u":
            var code = try hexFour()
            if (0xD800..<0xDC00).contains(code) {
                try expect("\\u")
                let low = try hexFour()
                guard (0xDC00..<0xE000).contains(low) else { throw .syntax }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = UnicodeScalar(code) else { throw .syntax }
            return Array(String(scalar).utf8)
        default: throw .syntax
        }
    }

    private mutating func hexFour() throws(JSONFault) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else {
                throw .syntax
            }
            position += 1
            code = code << 4 + UInt32(digit)
        }
        return code
    }

    private mutating func number() throws(JSONFault) -> String {
        let start = position
        _ = take("-")
        if !take("0") {
            guard digits() > 0 else { throw .syntax }
        }
        if take(".") {
            guard digits() > 0 else { throw .syntax }
        }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            guard digits() > 0 else { throw .syntax }
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        return position - start
    }
}
