/// Parses the syntax of RE2: everything regular, so neither back-references nor look-around.
struct RegexParser {
    private let scalars: [Unicode.Scalar]
    private var offset = 0
    private var nesting = 0
    private var flags = Flags()

    private struct Flags {
        var ignoresCase = false
        var dotMatchesNewline = false
        var isMultiline = false
    }

    private init(_ pattern: String) {
        scalars = Array(pattern.unicodeScalars)
    }

    static func parse(_ pattern: String) throws(CELEvaluationError) -> RegexNode {
        var parser = RegexParser(pattern)
        let node = try parser.alternatives()
        guard parser.current == nil else { throw parser.mistake("unexpected ')'") }
        return node
    }

    private var current: Unicode.Scalar? { offset < scalars.count ? scalars[offset] : nil }

    private func mistake(_ reason: String) -> CELEvaluationError {
        CELEvaluationError(.invalidArgument, "the regular expression is wrong at character \(offset + 1): \(reason)")
    }

    private mutating func take(_ text: String) -> Bool {
        guard scalars[offset...].starts(with: text.unicodeScalars) else { return false }
        offset += text.unicodeScalars.count
        return true
    }

    // MARK: Structure

    private mutating func alternatives() throws(CELEvaluationError) -> RegexNode {
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= CELLimits.regexNestingMax else { throw mistake("too many nested groups") }
        let outerFlags = flags
        defer { flags = outerFlags }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .alternatives(branches)
    }

    private mutating func sequence() throws(CELEvaluationError) -> RegexNode {
        var parts: [RegexNode] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            if take("\\Q") {
                parts += try quoted()
                continue
            }
            if take("\\E") { continue }
            guard let atom = try atom() else { continue }
            parts.append(try repeated(atom))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    /// The characters of `\Q…\E`, of which a repetition after the end takes the last.
    private mutating func quoted() throws(CELEvaluationError) -> [RegexNode] {
        var characters: [RegexNode] = []
        while current != nil, !take("\\E") {
            characters.append(character(scalars[offset]))
            offset += 1
        }
        if let last = characters.popLast() { characters.append(try repeated(last)) }
        return characters
    }

    private mutating func repeated(_ atom: RegexNode) throws(CELEvaluationError) -> RegexNode {
        var node = atom
        var isRepeated = false
        while let (low, high) = try bounds() {
            guard !isRepeated else { throw mistake("a repetition of a repetition") }
            node = .repetition(node, min: low, max: high)
            isRepeated = true
            _ = take("?")
        }
        return node
    }

    private mutating func bounds() throws(CELEvaluationError) -> (Int, Int?)? {
        if take("*") { return (0, nil) }
        if take("+") { return (1, nil) }
        if take("?") { return (0, 1) }
        let start = offset
        guard take("{") else { return nil }
        guard let low = number() else {
            offset = start
            return nil  // a brace that counts nothing stands for itself
        }
        var high: Int? = low
        if take(",") { high = number() }
        guard take("}") else {
            offset = start
            return nil
        }
        guard low <= CELLimits.regexRepeatMax, high ?? low <= CELLimits.regexRepeatMax, low <= high ?? low else {
            throw mistake("the count is out of range")
        }
        return (low, high)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = current, scalar >= "0", scalar <= "9" {
            value = min((value ?? 0) * 10 + Int(scalar.value - 48), 1_000_000)
            offset += 1
        }
        return value
    }

    // MARK: Atoms

    private func character(_ scalar: Unicode.Scalar) -> RegexNode {
        .set(ScalarSet([.range(scalar.value, scalar.value)], ignoresCase: flags.ignoresCase))
    }

    /// One atom, or nil for a flag group that matches nothing by itself.
    private mutating func atom() throws(CELEvaluationError) -> RegexNode? {
        guard let scalar = current else { throw mistake("it ends too early") }
        switch scalar {
        case "(": return try group()
        case "[":
            offset += 1
            return .set(try bracketSet())
        case ".":
            offset += 1
            return .set(
                flags.dotMatchesNewline ? ScalarSet([], isNegated: true) : ScalarSet([.range(10, 10)], isNegated: true))
        case "^":
            offset += 1
            return .assertion(flags.isMultiline ? .lineStart : .textStart)
        case "$":
            offset += 1
            return .assertion(flags.isMultiline ? .lineEnd : .textEnd)
        case "\\": return try escape()
        case "*", "+", "?": throw mistake("nothing to repeat")
        default:
            if scalar == "{", try startsRepetition() { throw mistake("nothing to repeat") }
            offset += 1
            return character(scalar)
        }
    }

    private func startsRepetition() throws(CELEvaluationError) -> Bool {
        var probe = self
        return try probe.bounds() != nil
    }

    private mutating func group() throws(CELEvaluationError) -> RegexNode? {
        offset += 1
        if take("?") {
            if take("P<") || take("<") {
                try groupName()
            } else if try flagGroup() {
                return nil
            }
        }
        let node = try groupBody()
        guard take(")") else { throw mistake("a group does not end") }
        return node
    }

    /// Flags set inside a group end with it; those written before it, as in `(?i:…)`, hold inside only.
    private mutating func groupBody() throws(CELEvaluationError) -> RegexNode {
        defer { if let outer = pendingOuterFlags { flags = outer; pendingOuterFlags = nil } }
        let node = try alternatives()
        return node
    }

    private var pendingOuterFlags: Flags?

    private mutating func groupName() throws(CELEvaluationError) {
        let start = offset
        while let scalar = current, scalar.value < 128,
            UInt8(scalar.value).isIdentifierStart || UInt8(scalar.value).isDigit
        {
            offset += 1
        }
        guard offset > start, take(">") else { throw mistake("a group's name") }
    }

    /// Reads `i-s)` or `i-s:`; true where the group ends there and the flags hold from now on.
    private mutating func flagGroup() throws(CELEvaluationError) -> Bool {
        let outer = flags
        var value = true
        while let scalar = current {
            offset += 1
            switch scalar {
            case "i": flags.ignoresCase = value
            case "s": flags.dotMatchesNewline = value
            case "m": flags.isMultiline = value
            case "U": break  // swaps greedy and lazy, which never changes whether there is a match
            case "-" where value: value = false
            case ")": return true
            case ":":
                pendingOuterFlags = outer
                return false
            default:
                offset -= 1
                throw mistake("an unknown group")
            }
        }
        throw mistake("a group does not end")
    }

    // MARK: Escapes

    private mutating func escape() throws(CELEvaluationError) -> RegexNode {
        offset += 1
        guard let kind = current else { throw mistake("a lone backslash at the end") }
        switch kind {
        case "A", "z", "b", "B":
            offset += 1
            let assertions: [Unicode.Scalar: RegexNode.Assertion] = [
                "A": .textStart, "z": .textEnd, "b": .wordBoundary, "B": .notWordBoundary,
            ]
            return assertions[kind].map { .assertion($0) } ?? .empty
        default:
            if let items = try classEscape() { return .set(ScalarSet(items, ignoresCase: flags.ignoresCase)) }
            return character(try characterEscape())
        }
    }

    /// `\d`, `\pL` and the like, after the backslash; nil and nothing read for any other escape.
    private mutating func classEscape() throws(CELEvaluationError) -> [ScalarSet.Item]? {
        guard let kind = current else { return nil }
        func ranges(_ list: [(UInt32, UInt32)]) -> [ScalarSet.Item] { list.map { .range($0.0, $0.1) } }
        let items: [ScalarSet.Item]
        switch kind {
        case "d": items = ranges(ScalarSet.digits)
        case "D": items = [.outside(ScalarSet.digits)]
        case "s": items = ranges(ScalarSet.blanks)
        case "S": items = [.outside(ScalarSet.blanks)]
        case "w": items = ranges(ScalarSet.wordCharacters)
        case "W": items = [.outside(ScalarSet.wordCharacters)]
        case "p", "P":
            offset += 1
            return [try category(isNegated: kind == "P")]
        default: return nil
        }
        offset += 1
        return items
    }

    private mutating func category(isNegated: Bool) throws(CELEvaluationError) -> ScalarSet.Item {
        var name = ""
        var isNegated = isNegated
        if take("{") {
            if take("^") { isNegated.toggle() }
            while let scalar = current, scalar != "}" { name.unicodeScalars.append(scalar); offset += 1 }
            guard take("}") else { throw mistake("a class name does not end") }
        } else if let scalar = current {
            name.unicodeScalars.append(scalar)
            offset += 1
        }
        guard let categories = RegexCategory.named(name) else {
            throw mistake("only general categories such as \\pL or \\p{Lu} are known")
        }
        return .category(categories, isNegated: isNegated)
    }

    private mutating func characterEscape() throws(CELEvaluationError) -> Unicode.Scalar {
        guard let kind = current else { throw mistake("a lone backslash at the end") }
        offset += 1
        let controls: [Unicode.Scalar: Unicode.Scalar] = [
            "a": "\u{7}", "f": "\u{C}", "n": "\n", "r": "\r", "t": "\t", "v": "\u{B}",
        ]
        if let control = controls[kind] { return control }
        if kind == "x" { return try hexadecimal() }
        if kind >= "0", kind <= "7" { return try octal(from: kind) }
        guard kind.value < 128, !UInt8(kind.value).isDigit, !UInt8(kind.value).isIdentifierStart || kind == "_" else {
            throw mistake("an unknown escape")
        }
        return kind
    }

    private mutating func hexadecimal() throws(CELEvaluationError) -> Unicode.Scalar {
        let isBraced = take("{")
        var value: UInt32 = 0
        var digits = 0
        while digits < (isBraced ? 8 : 2), let scalar = current, scalar.value < 128,
            let digit = UInt8(scalar.value).hexDigit
        {
            value = value &* 16 &+ digit  // at most eight digits
            digits += 1
            offset += 1
        }
        guard digits > 0, isBraced ? take("}") : digits == 2, let result = Unicode.Scalar(value) else {
            throw mistake("a hexadecimal escape")
        }
        return result
    }

    private mutating func octal(from first: Unicode.Scalar) throws(CELEvaluationError) -> Unicode.Scalar {
        var value = first.value - 48
        var digits = 1
        while digits < 3, let scalar = current, scalar >= "0", scalar <= "7" {
            value = value * 8 + scalar.value - 48
            digits += 1
            offset += 1
        }
        // A single digit other than zero would be a back-reference.
        guard digits > 1 || first == "0", let result = Unicode.Scalar(value) else { throw mistake("an unknown escape") }
        return result
    }

    // MARK: Bracket expressions

    private mutating func bracketSet() throws(CELEvaluationError) -> ScalarSet {
        var set = ScalarSet([], isNegated: take("^"), ignoresCase: flags.ignoresCase)
        var isFirst = true
        while isFirst || current != "]" {
            guard current != nil else { throw mistake("a bracket does not end") }
            isFirst = false
            if try takeNamedClass(into: &set) { continue }
            if current == "\\" {
                offset += 1
                if let items = try classEscape() {
                    set.items += items
                    continue
                }
                offset -= 1
            }
            set.items.append(try bracketRange())
        }
        offset += 1
        return set
    }

    private mutating func bracketCharacter() throws(CELEvaluationError) -> Unicode.Scalar {
        guard let scalar = current else { throw mistake("a bracket does not end") }
        offset += 1
        return scalar == "\\" ? try characterEscape() : scalar
    }

    private mutating func bracketRange() throws(CELEvaluationError) -> ScalarSet.Item {
        let low = try bracketCharacter()
        guard current == "-", offset + 1 < scalars.count, scalars[offset + 1] != "]" else {
            return .range(low.value, low.value)
        }
        offset += 1
        let high = try bracketCharacter()
        guard low <= high else { throw mistake("a range runs backwards") }
        return .range(low.value, high.value)
    }

    private mutating func takeNamedClass(into set: inout ScalarSet) throws(CELEvaluationError) -> Bool {
        guard scalars[offset...].starts(with: "[:".unicodeScalars) else { return false }
        for (name, ranges) in RegexCategory.posixClasses {
            for isNegated in [false, true] where take("[:" + (isNegated ? "^" : "") + name + ":]") {
                if isNegated {
                    set.items.append(.outside(ranges))
                } else {
                    set.items += ranges.map { .range($0.0, $0.1) }
                }
                return true
            }
        }
        throw mistake("an unknown class name")
    }
}
