extension Lexer {
    // MARK: Numbers

    mutating func takeNumber() throws(SourceError) -> Token.LiteralValue {
        let start = offset
        if current == UInt8(ascii: "0"), peek(1) == UInt8(ascii: "x") || peek(1) == UInt8(ascii: "X") {
            offset += 2
            return try takeInteger(from: start, radix: 16)
        }
        skipDigits()
        var isDouble = false
        if current == UInt8(ascii: "."), peek(1)?.isDigit == true {
            isDouble = true
            offset += 1
            skipDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            let signed = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
            guard peek(signed ? 2 : 1)?.isDigit == true else {
                throw SourceError("the exponent has no digits", at: start)
            }
            isDouble = true
            offset += signed ? 2 : 1
            skipDigits()
        }
        guard isDouble else {
            offset = start
            return try takeInteger(from: start, radix: 10)
        }
        try endNumber(from: start)
        guard let number = DoubleText.parse(String(decoding: source[start..<offset], as: UTF8.self)) else {
            throw SourceError("the number is too large for a double", at: start)
        }
        return .value(.double(number))
    }

    private mutating func skipDigits() {
        while current?.isDigit == true { offset += 1 }
    }

    /// A number ends where no letter or digit clings to it.
    private func endNumber(from start: Int) throws(SourceError) {
        if let byte = current, byte.isIdentifierStart || byte.isDigit {
            throw SourceError("a number runs into a name", at: start)
        }
    }

    private mutating func takeInteger(from start: Int, radix: UInt64) throws(SourceError) -> Token.LiteralValue {
        var magnitude: UInt64 = 0
        var digits = 0
        while let byte = current, let digit = byte.hexDigit, UInt64(digit) < radix {
            let (shifted, tooWide) = magnitude.multipliedReportingOverflow(by: radix)
            let (next, tooFar) = shifted.addingReportingOverflow(UInt64(digit))
            guard !tooWide, !tooFar else { throw SourceError("the integer is out of range", at: start) }
            magnitude = next
            digits += 1
            offset += 1
        }
        guard digits > 0 else { throw SourceError("the number has no digits", at: start) }
        if current == UInt8(ascii: "u") || current == UInt8(ascii: "U") {
            offset += 1
            try endNumber(from: start)
            return .value(.uint(magnitude))
        }
        try endNumber(from: start)
        return .integer(magnitude: magnitude)
    }

    // MARK: Strings and bytes

    /// A string or bytes literal with its prefix, or nil where none starts here.
    mutating func takeStringOrBytes() throws(SourceError) -> CELValue? {
        var length = 0
        var isRaw = false
        var isBytes = false
        while let byte = peek(length), byte != UInt8(ascii: "'"), byte != UInt8(ascii: "\"") {
            switch byte {
            case UInt8(ascii: "r"), UInt8(ascii: "R"):
                guard !isRaw else { return nil }
                isRaw = true
            case UInt8(ascii: "b"), UInt8(ascii: "B"):
                guard !isBytes else { return nil }
                isBytes = true
            default: return nil
            }
            length += 1
        }
        guard let quote = peek(length) else { return nil }
        let start = offset
        offset += length
        let isTriple = peek(1) == quote && peek(2) == quote
        offset += isTriple ? 3 : 1
        var content = Content(isBytes: isBytes)
        try takeContent(into: &content, from: start, quote: quote, isTriple: isTriple, isRaw: isRaw)
        return isBytes ? .bytes(content.bytes) : .string(String(decoding: content.bytes, as: UTF8.self))
    }

    private struct Content {
        let isBytes: Bool
        var bytes: [UInt8] = []

        mutating func append(_ scalar: Unicode.Scalar) {
            bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    private mutating func takeContent(
        into content: inout Content, from start: Int, quote: UInt8, isTriple: Bool, isRaw: Bool
    ) throws(SourceError) {
        while let byte = current {
            if byte == quote, !isTriple || (peek(1) == quote && peek(2) == quote) {
                offset += isTriple ? 3 : 1
                return
            }
            if !isTriple, byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") { break }
            if byte == UInt8(ascii: "\\"), !isRaw {
                try takeEscape(into: &content)
            } else {
                content.bytes.append(byte)
                offset += 1
            }
        }
        throw SourceError("the \(content.isBytes ? "bytes literal" : "string") does not end", at: start)
    }

    private mutating func takeEscape(into content: inout Content) throws(SourceError) {
        let start = offset
        offset += 1
        guard let kind = current else { throw SourceError("the escape sequence does not end", at: start) }
        offset += 1
        switch kind {
        case UInt8(ascii: "a"): content.bytes.append(7)
        case UInt8(ascii: "b"): content.bytes.append(8)
        case UInt8(ascii: "f"): content.bytes.append(12)
        case UInt8(ascii: "n"): content.bytes.append(10)
        case UInt8(ascii: "r"): content.bytes.append(13)
        case UInt8(ascii: "t"): content.bytes.append(9)
        case UInt8(ascii: "v"): content.bytes.append(11)
        case UInt8(ascii: "\\"), UInt8(ascii: "?"), UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"):
            content.bytes.append(kind)
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            try append(takeDigits(2, radix: 16, from: start), to: &content, isOctet: true, from: start)
        case UInt8(ascii: "u"):
            try append(takeDigits(4, radix: 16, from: start), to: &content, isOctet: false, from: start)
        case UInt8(ascii: "U"):
            try append(takeDigits(8, radix: 16, from: start), to: &content, isOctet: false, from: start)
        case UInt8(ascii: "0")...UInt8(ascii: "3"):
            offset -= 1
            try append(takeDigits(3, radix: 8, from: start), to: &content, isOctet: true, from: start)
        default: throw SourceError("unknown escape sequence", at: start)
        }
    }

    private mutating func takeDigits(_ count: Int, radix: UInt32, from start: Int) throws(SourceError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let digit = current?.hexDigit, digit < radix else {
                throw SourceError("the escape sequence needs \(count) digits", at: start)
            }
            value = value &* radix &+ digit  // at most eight hexadecimal digits
            offset += 1
        }
        return value
    }

    /// In bytes, `\x` and octal escapes are one octet; everywhere else an escape is a code point.
    private func append(
        _ value: UInt32, to content: inout Content, isOctet: Bool, from start: Int
    ) throws(SourceError) {
        if content.isBytes, isOctet {
            content.bytes.append(UInt8(value))
            return
        }
        guard let scalar = Unicode.Scalar(value) else { throw SourceError("the escape is no code point", at: start) }
        content.append(scalar)
    }
}
