/// One word of the source text.
struct Token {
    enum Kind: Equatable {
        case end
        case literal
        case identifier(String)
        /// A name in backquotes; only field selections take one.
        case quotedIdentifier(String)
        case symbol(Symbol)
    }

    enum Symbol: String {
        case leftParenthesis = "(", rightParenthesis = ")", leftBracket = "[", rightBracket = "]"
        case leftBrace = "{", rightBrace = "}", dot = ".", comma = ",", colon = ":", question = "?"
        case plus = "+", minus = "-", star = "*", slash = "/", percent = "%", not = "!"
        case less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">=", equal = "==", notEqual = "!="
        case and = "&&", or = "||", membership = "in"
    }

    let kind: Kind
    /// The literal's value. An integer literal is kept as its magnitude, since a sign may still come before it.
    let value: LiteralValue?
    /// Where the word starts, in bytes from the start of the text.
    let offset: Int

    enum LiteralValue {
        case value(CELValue)
        case integer(magnitude: UInt64)
    }
}

/// Where in a text a byte lies.
struct SourcePosition {
    /// From 1.
    let line: Int
    /// In code points, from 1.
    let column: Int

    init(offset: Int, in source: [UInt8]) {
        var line = 1
        var column = 1
        for byte in source.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.line = line
        self.column = column
    }
}

/// A mistake at a byte offset; turned into line and column where the text is at hand.
struct SourceError: Error {
    let code: CELSyntaxError.Code
    let message: String
    let offset: Int

    init(_ message: String, at offset: Int) {
        self.init(.syntax, message, at: offset)
    }

    init(_ code: CELSyntaxError.Code, _ message: String, at offset: Int) {
        self.code = code
        self.message = message
        self.offset = offset
    }

    func located(in source: [UInt8]) -> CELSyntaxError {
        let position = SourcePosition(offset: offset, in: source)
        return CELSyntaxError(code, message, line: position.line, column: position.column)
    }
}
