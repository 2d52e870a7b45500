/// Turns source text into a syntax tree by recursive descent.
///
/// Recursion is bounded by `CELLimits.nestingMax`, and the depth of the tree (which chains of operators deepen without
/// recursion here) by `CELLimits.treeDepthMax`, so that every later pass may recurse over the tree.
struct Parser {
    private var lexer: Lexer
    private(set) var token: Token
    private var nesting = 0
    private var nodes = 0

    /// The tree of a whole expression.
    static func parse(_ source: [UInt8]) throws(SourceError) -> SyntaxNode {
        guard source.count <= CELLimits.sourceBytesMax else {
            throw SourceError(.limitExceeded, "the expression is longer than \(CELLimits.sourceBytesMax) bytes", at: 0)
        }
        var parser = try Parser(source)
        let root = try parser.expression()
        guard parser.token.kind == .end else { throw parser.unexpected("an operator or the end") }
        return root
    }

    private init(_ source: [UInt8]) throws(SourceError) {
        lexer = Lexer(source)
        token = try lexer.next()
    }

    // MARK: Words

    mutating func advance() throws(SourceError) {
        token = try lexer.next()
    }

    func at(_ symbol: Token.Symbol) -> Bool {
        token.kind == .symbol(symbol)
    }

    mutating func take(_ symbol: Token.Symbol) throws(SourceError) -> Bool {
        guard at(symbol) else { return false }
        try advance()
        return true
    }

    mutating func expect(_ symbol: Token.Symbol, _ purpose: String) throws(SourceError) {
        guard try take(symbol) else { throw unexpected("'\(symbol.rawValue)' \(purpose)") }
    }

    func unexpected(_ wanted: String) -> SourceError {
        let found =
            switch token.kind {
            case .end: "the expression ends"
            case .literal: "a literal stands"
            case .identifier(let name): "'\(name)' stands"
            case .quotedIdentifier(let name): "'`\(name)`' stands"
            case .symbol(let symbol): "'\(symbol.rawValue)' stands"
            }
        return SourceError("\(found) where \(wanted) should", at: token.offset)
    }

    // MARK: Nodes

    mutating func node(_ kind: SyntaxNode.Kind, _ children: [SyntaxNode], at offset: Int) throws(SourceError)
        -> SyntaxNode
    {
        nodes += 1
        let depth = 1 + (children.lazy.map(\.depth).max() ?? 0)
        guard nodes <= CELLimits.nodesMax else {
            throw SourceError(.limitExceeded, "the expression has more than \(CELLimits.nodesMax) parts", at: offset)
        }
        guard depth <= CELLimits.treeDepthMax else {
            throw SourceError(
                .limitExceeded, "the expression is deeper than \(CELLimits.treeDepthMax) operations", at: offset)
        }
        return SyntaxNode(kind: kind, offset: offset, depth: depth)
    }

    private func checkNesting() throws(SourceError) {
        guard nesting <= CELLimits.nestingMax else {
            throw SourceError(
                .limitExceeded, "the expression nests deeper than \(CELLimits.nestingMax) levels", at: token.offset)
        }
    }

    // MARK: Operators

    mutating func expression() throws(SourceError) -> SyntaxNode {
        nesting += 1
        defer { nesting -= 1 }
        try checkNesting()
        let condition = try binary(.or)
        let offset = token.offset
        guard try take(.question) else { return condition }
        let positive = try binary(.or)
        try expect(.colon, "of the conditional")
        let negative = try expression()
        return try node(
            .operation(.conditional, [condition, positive, negative]), [condition, positive, negative], at: offset)
    }

    private enum Level: Int {
        case or, and, relation, sum, product
    }

    private func binaryFunction(at level: Level) -> CELFunction? {
        guard case .symbol(let symbol) = token.kind else { return nil }
        switch (level, symbol) {
        case (.or, .or): return .or
        case (.and, .and): return .and
        case (.relation, .less): return .less
        case (.relation, .lessOrEqual): return .lessOrEqual
        case (.relation, .greater): return .greater
        case (.relation, .greaterOrEqual): return .greaterOrEqual
        case (.relation, .equal): return .equal
        case (.relation, .notEqual): return .notEqual
        case (.relation, .membership): return .membership
        case (.sum, .plus): return .add
        case (.sum, .minus): return .subtract
        case (.product, .star): return .multiply
        case (.product, .slash): return .divide
        case (.product, .percent): return .modulus
        default: return nil
        }
    }

    private mutating func binary(_ level: Level) throws(SourceError) -> SyntaxNode {
        var left = try operand(of: level)
        if level == .or || level == .and { return try chain(from: left, level) }
        while let function = binaryFunction(at: level) {
            let offset = token.offset
            try advance()
            let right = try operand(of: level)
            left = try node(.operation(function, [left, right]), [left, right], at: offset)
        }
        return left
    }

    private mutating func operand(of level: Level) throws(SourceError) -> SyntaxNode {
        guard let next = Level(rawValue: level.rawValue + 1) else { return try unary() }
        return try binary(next)
    }

    /// `a && b && c` becomes one node with three operands: long conditions stay flat.
    private mutating func chain(from first: SyntaxNode, _ level: Level) throws(SourceError) -> SyntaxNode {
        guard let function = binaryFunction(at: level) else { return first }
        let offset = token.offset
        var operands = [first]
        while binaryFunction(at: level) != nil {
            try advance()
            operands.append(try operand(of: level))
        }
        return try node(.operation(function, operands), operands, at: offset)
    }

    private mutating func unary() throws(SourceError) -> SyntaxNode {
        for (symbol, function) in [(Token.Symbol.not, CELFunction.not), (.minus, .negate)] where at(symbol) {
            var offsets: [Int] = []
            while at(symbol) {
                offsets.append(token.offset)
                try advance()
            }
            var operand = try memberAfter(minusAt: symbol == .minus ? offsets.last : nil)
            // The last minus belongs to an integer literal, so that -9223372036854775808 can be written.
            if case .literal(.int) = operand.kind, symbol == .minus, operand.offset == offsets.last {
                offsets.removeLast()
            }
            for offset in offsets.reversed() {
                operand = try node(.operation(function, [operand]), [operand], at: offset)
            }
            return operand
        }
        return try member()
    }

    private mutating func memberAfter(minusAt offset: Int?) throws(SourceError) -> SyntaxNode {
        guard let offset, case .integer(let magnitude)? = token.value, token.kind == .literal else {
            return try member()
        }
        guard magnitude <= Int64.min.magnitude else { throw SourceError("the integer is out of range", at: offset) }
        let number = Int64(truncatingIfNeeded: 0 &- magnitude)  // exact: the magnitude is at most 2^63
        try advance()
        return try selections(of: try node(.literal(.int(number)), [], at: offset))
    }

    // MARK: Members

    mutating func member() throws(SourceError) -> SyntaxNode {
        try selections(of: try primary())
    }

    private mutating func selections(of base: SyntaxNode) throws(SourceError) -> SyntaxNode {
        var base = base
        while true {
            let offset = token.offset
            if try take(.dot) {
                base = try selection(of: base)
            } else if try take(.leftBracket) {
                let index = try expression()
                try expect(.rightBracket, "after the index")
                base = try node(.operation(.index, [base, index]), [base, index], at: offset)
            } else if at(.leftBrace), let name = base.qualifiedName {
                try message()
                base = try node(.message(name), [], at: base.offset)
            } else {
                return base
            }
        }
    }

    private mutating func selection(of base: SyntaxNode) throws(SourceError) -> SyntaxNode {
        let offset = token.offset
        switch token.kind {
        case .identifier(let name):
            try advance()
            guard at(.leftParenthesis) else {
                return try node(.select(base, field: name, isPresenceTest: false), [base], at: offset)
            }
            let arguments = try self.arguments()
            return try call(name, isRooted: false, target: base, arguments, at: offset)
        case .quotedIdentifier(let name):
            try advance()
            return try node(.select(base, field: name, isPresenceTest: false), [base], at: offset)
        default: throw unexpected("a field name")
        }
    }

    mutating func arguments() throws(SourceError) -> [SyntaxNode] {
        try expect(.leftParenthesis, "before the arguments")
        var arguments: [SyntaxNode] = []
        if try take(.rightParenthesis) { return arguments }
        repeat { arguments.append(try expression()) } while try take(.comma)
        try expect(.rightParenthesis, "after the arguments")
        return arguments
    }

    // MARK: Primaries

    private mutating func primary() throws(SourceError) -> SyntaxNode {
        let offset = token.offset
        switch token.kind {
        case .literal: return try literal()
        case .identifier(let name): return try identifier(name, isRooted: false, at: offset)
        case .symbol(.dot):
            try advance()
            guard case .identifier(let name) = token.kind else { throw unexpected("a name") }
            return try identifier(name, isRooted: true, at: offset)
        case .symbol(.leftParenthesis):
            try advance()
            let inner = try expression()
            try expect(.rightParenthesis, "to close the parenthesis")
            return inner
        case .symbol(.leftBracket): return try list()
        case .symbol(.leftBrace): return try map()
        default: throw unexpected("a value")
        }
    }

    private mutating func literal() throws(SourceError) -> SyntaxNode {
        let offset = token.offset
        let value: CELValue
        switch token.value {
        case .value(let literal)?: value = literal
        case .integer(let magnitude)?:
            guard let number = Int64(exactly: magnitude) else {
                throw SourceError("the integer is out of range", at: offset)
            }
            value = .int(number)
        case nil: throw unexpected("a value")
        }
        try advance()
        return try node(.literal(value), [], at: offset)
    }

    private static let reservedWords: Set<String> = [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    ]

    private mutating func identifier(
        _ name: String, isRooted: Bool, at offset: Int
    ) throws(SourceError) -> SyntaxNode {
        guard !Parser.reservedWords.contains(name) else {
            throw SourceError("'\(name)' is a reserved word", at: offset)
        }
        try advance()
        guard at(.leftParenthesis) else {
            return try node(.identifier(name, isRooted: isRooted), [], at: offset)
        }
        return try call(name, isRooted: isRooted, target: nil, try arguments(), at: offset)
    }

    private mutating func list() throws(SourceError) -> SyntaxNode {
        let offset = token.offset
        try advance()
        var elements: [SyntaxNode] = []
        while !at(.rightBracket) {
            elements.append(try expression())
            guard try take(.comma) else { break }
        }
        try expect(.rightBracket, "to close the list")
        return try node(.list(elements), elements, at: offset)
    }

    private mutating func map() throws(SourceError) -> SyntaxNode {
        let offset = token.offset
        try advance()
        var entries: [(key: SyntaxNode, value: SyntaxNode)] = []
        while !at(.rightBrace) {
            let key = try expression()
            try expect(.colon, "between key and value")
            entries.append((key: key, value: try expression()))
            guard try take(.comma) else { break }
        }
        try expect(.rightBrace, "to close the map")
        return try node(.map(entries), entries.flatMap { [$0.key, $0.value] }, at: offset)
    }

    /// Reads over the fields of a message; messages parse, but no type declares any.
    private mutating func message() throws(SourceError) {
        try expect(.leftBrace, "before the fields")
        while !at(.rightBrace) {
            switch token.kind {
            case .identifier, .quotedIdentifier: try advance()
            default: throw unexpected("a field name")
            }
            try expect(.colon, "between field and value")
            _ = try expression()
            guard try take(.comma) else { break }
        }
        try expect(.rightBrace, "to close the message")
    }
}

extension SyntaxNode {
    /// `a.b.c` for a chain of plain names, else nil.
    var qualifiedName: String? {
        switch kind {
        case .identifier(let name, _): name
        case .select(let operand, let field, false): operand.qualifiedName.map { $0 + "." + field }
        default: nil
        }
    }
}
