/// Cuts source text into words, one at a time.
struct Lexer {
    let source: [UInt8]
    var offset = 0

    init(_ source: [UInt8]) {
        self.source = source
    }

    var current: UInt8? { offset < source.count ? source[offset] : nil }

    func peek(_ distance: Int) -> UInt8? {
        offset + distance < source.count ? source[offset + distance] : nil
    }

    /// The next word, or `.end`.
    mutating func next() throws(SourceError) -> Token {
        skipBlanksAndComments()
        let start = offset
        guard let byte = current else { return Token(kind: .end, value: nil, offset: start) }
        if let value = try takeStringOrBytes() { return Token(kind: .literal, value: .value(value), offset: start) }
        if byte.isDigit || (byte == UInt8(ascii: ".") && peek(1)?.isDigit == true) {
            return Token(kind: .literal, value: try takeNumber(), offset: start)
        }
        if byte.isIdentifierStart { return word(takeIdentifier(), at: start) }
        if byte == UInt8(ascii: "`") {
            return Token(kind: .quotedIdentifier(try takeQuoted()), value: nil, offset: start)
        }
        return Token(kind: .symbol(try takeSymbol()), value: nil, offset: start)
    }

    private mutating func skipBlanksAndComments() {
        while let byte = current {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"), 0x0C: offset += 1
            case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"):
                while let inside = current, inside != UInt8(ascii: "\n") { offset += 1 }
            default: return
            }
        }
    }

    private func word(_ name: String, at start: Int) -> Token {
        switch name {
        case "true": Token(kind: .literal, value: .value(.bool(true)), offset: start)
        case "false": Token(kind: .literal, value: .value(.bool(false)), offset: start)
        case "null": Token(kind: .literal, value: .value(.null), offset: start)
        case "in": Token(kind: .symbol(.membership), value: nil, offset: start)
        default: Token(kind: .identifier(name), value: nil, offset: start)
        }
    }

    private mutating func takeIdentifier() -> String {
        let start = offset
        while let byte = current, byte.isIdentifierStart || byte.isDigit { offset += 1 }
        return String(decoding: source[start..<offset], as: UTF8.self)
    }

    private mutating func takeQuoted() throws(SourceError) -> String {
        let start = offset
        offset += 1
        while let byte = current, byte != UInt8(ascii: "`") {
            guard byte.isIdentifierStart || byte.isDigit || byte.isQuotedNamePunctuation else {
                throw SourceError("a name in backquotes has letters, digits, '_', '.', '-', '/' and spaces", at: offset)
            }
            offset += 1
        }
        guard current != nil else { throw SourceError("the name in backquotes does not end", at: start) }
        let name = String(decoding: source[start + 1..<offset], as: UTF8.self)
        offset += 1
        guard !name.isEmpty else { throw SourceError("the name in backquotes is empty", at: start) }
        return name
    }

    private mutating func takeSymbol() throws(SourceError) -> Token.Symbol {
        for length in [2, 1] where offset + length <= source.count {
            let text = String(decoding: source[offset..<offset + length], as: UTF8.self)
            if let symbol = Token.Symbol(rawValue: text) {
                offset += length
                return symbol
            }
        }
        throw SourceError("unexpected \(describeCurrent())", at: offset)
    }

    private func describeCurrent() -> String {
        let rest = String(decoding: source[offset...].prefix(4), as: UTF8.self)
        guard let scalar = rest.unicodeScalars.first else { return "end" }
        if scalar == "&" || scalar == "|" { return "'\(scalar)'; write '\(scalar)\(scalar)'" }
        if scalar == "=" { return "'='; write '==' to compare" }
        return scalar.value < 32 ? "control character" : "'\(scalar)'"
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    var isIdentifierStart: Bool {
        (self >= UInt8(ascii: "a") && self <= UInt8(ascii: "z"))
            || (self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z"))
            || self == UInt8(ascii: "_")
    }

    var isQuotedNamePunctuation: Bool {
        [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: " ")].contains(self)
    }

    var hexDigit: UInt32? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(self - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(self - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(self - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
