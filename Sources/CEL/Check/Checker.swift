/// Resolves names, finds types, folds constants: syntax in, checked expression out.
struct Checker {
    let environment: CELEnvironment
    let checking: CELChecking
    private var scopes: [Local] = []
    private var locals = 0

    private struct Local {
        let name: String
        let number: Int
        let type: CELType
    }

    init(environment: CELEnvironment, checking: CELChecking) {
        self.environment = environment
        self.checking = checking
    }

    /// The checked form of a whole expression.
    mutating func check(_ root: SyntaxNode, expecting expected: CELType?) throws(SourceError) -> CELExpression {
        let expression = try check(root)
        if let expected, checking == .strict, !expression.type.mayBe(expected) {
            throw SourceError(
                .typeMismatch,
                "the expression is \(expression.type.withArticle), but \(expected.withArticle) is needed",
                at: root.offset)
        }
        return expression
    }

    mutating func check(_ node: SyntaxNode) throws(SourceError) -> CELExpression {
        switch node.kind {
        case .literal(let value): return literal(value, at: node.offset)
        case .identifier, .select: return try checkPath(node)
        case .call(let name, let isRooted, let target, let arguments):
            return try checkCall(name, isRooted: isRooted, target, arguments, node)
        case .operation(let function, let operands):
            var checked: [CELExpression] = []
            for operand in operands { checked.append(try check(operand)) }
            return try apply(function, checked, at: node.offset)
        case .list(let elements): return try checkList(elements, at: node.offset)
        case .map(let entries): return try checkMap(entries, at: node.offset)
        case .comprehension(let macro): return try checkMacro(macro, at: node.offset)
        case .message(let name):
            return try refuse(.undeclaredReference, "no message type '\(name)'", at: node.offset)
        }
    }

    private func literal(_ value: CELValue, at offset: Int) -> CELExpression {
        let type: CELType = if case .null = value { .null } else { value.staticType }
        return CELExpression(kind: .literal(value), type: type, offset: offset)
    }

    /// A mistake: thrown when checking is strict, else an expression that fails.
    func refuse(
        _ code: CELSyntaxError.Code, _ message: String, at offset: Int
    ) throws(SourceError) -> CELExpression {
        if checking == .strict { throw SourceError(code, message, at: offset) }
        let failure: CELEvaluationError.Code =
            switch code {
            case .undeclaredReference, .undeclaredField: .undeclaredReference
            case .unknownFunction: .unknownFunction
            default: .noSuchOverload
            }
        return CELExpression(kind: .failure(CELEvaluationError(failure, message)), type: .dyn, offset: offset)
    }

    // MARK: Names

    /// A name or a chain of selections, of which the longest declared prefix is the variable.
    private mutating func checkPath(_ node: SyntaxNode) throws(SourceError) -> CELExpression {
        guard let path = Path(node) else {
            guard case .select(let operand, let field, let isPresenceTest) = node.kind else {
                preconditionFailure("only names and selections come here")
            }
            return try select(field, of: try check(operand), isPresenceTest: isPresenceTest, at: node.offset)
        }
        if !path.isRooted, let local = scopes.last(where: { $0.name == path.parts[0].name }) {
            let base = CELExpression(kind: .local(local.number), type: local.type, offset: path.parts[0].offset)
            return try selections(path.parts.dropFirst(), of: base, path)
        }
        // A presence test asks about its last part, so that cannot belong to the variable's name.
        for length in stride(from: path.parts.count - (path.isPresenceTest ? 1 : 0), to: 0, by: -1) {
            let name = path.parts.prefix(length).map(\.name).joined(separator: ".")
            for candidate in environment.candidates(for: name, isRooted: path.isRooted) {
                if let found = try resolve(candidate, path, length) { return found }
            }
        }
        let name = path.parts[0].name
        let hint = environment.container.isEmpty ? "" : " (in container '\(environment.container)')"
        return try refuse(.undeclaredReference, "nothing is named '\(name)'\(hint)", at: path.parts[0].offset)
    }

    private func resolve(_ candidate: String, _ path: Path, _ length: Int) throws(SourceError) -> CELExpression? {
        let offset = path.parts[length - 1].offset
        let rest = path.parts.dropFirst(length)
        if let variable = environment.variable(candidate) {
            if case .object(let typeName, let fields) = variable.type {
                return try field(of: variable, candidate, typeName, fields, rest, path)
            }
            return try selections(
                rest, of: CELExpression(kind: .slot(variable.slot), type: variable.type, offset: offset), path)
        }
        if let type = CELTypeName(rawValue: candidate), type != .timestamp || candidate.contains(".") {
            return try selections(rest, of: literal(.type(type), at: offset), path)
        }
        return nil
    }

    private func field(
        of variable: CELEnvironment.Variable, _ name: String, _ typeName: String, _ fields: [CELField],
        _ rest: ArraySlice<Path.Part>, _ path: Path
    ) throws(SourceError) -> CELExpression {
        guard let part = rest.first else {
            return try refuse(
                .typeMismatch, "'\(name)' is \(typeName); name one of its fields", at: path.parts[0].offset)
        }
        guard let position = fields.firstIndex(where: { $0.name == part.name }) else {
            let known = fields.map(\.name).joined(separator: ", ")
            return try refuse(
                .undeclaredField, "\(typeName) has no field '\(part.name)'; it has \(known)", at: part.offset)
        }
        let value = CELExpression(
            kind: .slot(variable.slot + position), type: fields[position].type, offset: part.offset)
        if path.isPresenceTest, rest.count == 1 { return try apply(.notEqual, [value, null(part)], at: part.offset) }
        return try selections(rest.dropFirst(), of: value, path)
    }

    private func null(_ part: Path.Part) -> CELExpression {
        // As dyn, so that asking for a field that is always there is no mistake.
        CELExpression(kind: .literal(.null), type: .dyn, offset: part.offset)
    }

    private func selections(
        _ parts: ArraySlice<Path.Part>, of base: CELExpression, _ path: Path
    ) throws(SourceError) -> CELExpression {
        var base = base
        for (position, part) in zip(parts.indices, parts) {
            let isLast = position == parts.endIndex - 1
            base = try select(part.name, of: base, isPresenceTest: path.isPresenceTest && isLast, at: part.offset)
        }
        return base
    }

    private func select(
        _ field: String, of operand: CELExpression, isPresenceTest: Bool, at offset: Int
    ) throws(SourceError) -> CELExpression {
        let type: CELType
        switch operand.type.nonNull {
        case .map(let key, let value) where key.mayBe(.string): type = value
        case .dyn: type = .dyn
        default:
            if checking == .strict {
                throw SourceError(
                    .noMatchingOverload, "\(operand.type.withArticle) has no field '\(field)'", at: offset)
            }
            type = .dyn
        }
        return CELExpression(
            kind: .select(operand, field: field, isPresenceTest: isPresenceTest),
            type: isPresenceTest ? .bool : type, offset: offset)
    }

    // MARK: Calls

    private mutating func checkCall(
        _ name: String, isRooted: Bool, _ target: SyntaxNode?, _ arguments: [SyntaxNode], _ node: SyntaxNode
    ) throws(SourceError) -> CELExpression {
        guard let function = CELFunction.named(name), function.style.allows(receiver: target != nil) else {
            let kind = target == nil ? "function" : "method"
            return try refuse(.unknownFunction, "no \(kind) is named '\(name)'", at: node.offset)
        }
        var checked: [CELExpression] = []
        if let target { checked.append(try check(target)) }
        for argument in arguments { checked.append(try check(argument)) }
        return try apply(function, checked, at: node.offset)
    }

    func apply(
        _ function: CELFunction, _ arguments: [CELExpression], at offset: Int
    ) throws(SourceError) -> CELExpression {
        let types = arguments.map(\.type)
        let result: CELType
        switch resultType(of: function, types) {
        case .some(let type): result = type
        case nil where checking == .strict:
            throw SourceError(.noMatchingOverload, overloadMessage(function, types), at: offset)
        case nil: result = .dyn
        }
        let call = CELExpression(kind: .call(function, arguments), type: result, offset: offset)
        return try folded(call, function, arguments)
    }

    private func overloadMessage(_ function: CELFunction, _ types: [CELType]) -> String {
        let applied = types.map(\.description).joined(separator: ", ")
        if types.contains(where: { $0.nonNull == .decimal }), types.contains(.double) {
            return "'\(function.sign)' does not mix decimal with double; write decimal('0.1') for an exact number"
        }
        return "'\(function.sign)' does not take (\(applied))"
    }

    // MARK: Collections

    private mutating func checkList(_ elements: [SyntaxNode], at offset: Int) throws(SourceError) -> CELExpression {
        var checked: [CELExpression] = []
        for element in elements { checked.append(try check(element)) }
        let type = CELType.list(CELType.joined(checked.map(\.type)))
        let constants = checked.compactMap(\.literal)
        let kind: CELExpression.Kind = constants.count == checked.count ? .literal(.list(constants)) : .list(checked)
        return CELExpression(kind: kind, type: type, offset: offset)
    }

    private mutating func checkMap(
        _ entries: [(key: SyntaxNode, value: SyntaxNode)], at offset: Int
    ) throws(SourceError) -> CELExpression {
        var checked: [CELExpression.Entry] = []
        for entry in entries {
            let key = try check(entry.key)
            if checking == .strict, ![.bool, .int, .uint, .string].contains(where: { key.type.mayBe($0) }) {
                throw SourceError(.noMatchingOverload, "\(key.type.withArticle) cannot be a map's key", at: key.offset)
            }
            checked.append(CELExpression.Entry(key: key, value: try check(entry.value)))
        }
        let type = CELType.map(
            key: CELType.joined(checked.map(\.key.type)), value: CELType.joined(checked.map(\.value.type)))
        let keys = checked.compactMap(\.key.literal)
        let values = checked.compactMap(\.value.literal)
        if keys.count == checked.count, values.count == checked.count, let map = try? CELMap(keys: keys, values: values)
        {
            return CELExpression(kind: .literal(.map(map)), type: type, offset: offset)
        }
        return CELExpression(kind: .map(checked), type: type, offset: offset)
    }

    // MARK: Macros

    private mutating func checkMacro(_ macro: SyntaxNode.Macro, at offset: Int) throws(SourceError) -> CELExpression {
        let range = try check(macro.range)
        let first: CELType
        var second = CELType.dyn
        switch range.type.nonNull {
        case .list(let element):
            first = macro.secondVariable == nil ? element : .int
            second = element
        case .map(let key, let value):
            first = key
            second = value
        case .dyn: first = .dyn
        case let other:
            if checking == .strict {
                throw SourceError(
                    .noMatchingOverload, "\(other.withArticle) is no list or map to go over", at: range.offset)
            }
            first = .dyn
        }
        let depth = scopes.count
        defer { scopes.removeLast(scopes.count - depth) }
        let variable = bind(macro.variable, first)
        let secondVariable = macro.secondVariable.map { bind($0, second) }
        let filter = try macro.filter.map { (node) throws(SourceError) in try checkCondition(node) }
        let isTest = [.all, .exists, .existsOne, .filter].contains(macro.kind)
        let body = isTest ? try checkCondition(macro.body) : try check(macro.body)
        let type: CELType =
            switch macro.kind {
            case .all, .exists, .existsOne: .bool
            case .filter: .list(first)
            case .map: .list(body.type)
            case .transformMap: .map(key: first, value: body.type)
            }
        return CELExpression(
            kind: .comprehension(
                CELComprehension(
                    kind: macro.kind, range: range, variable: variable, secondVariable: secondVariable, filter: filter,
                    body: body)),
            type: type, offset: offset)
    }

    private mutating func bind(_ name: String, _ type: CELType) -> Int {
        defer { locals += 1 }
        scopes.append(Local(name: name, number: locals, type: type))
        return locals
    }

    private mutating func checkCondition(_ node: SyntaxNode) throws(SourceError) -> CELExpression {
        let condition = try check(node)
        if checking == .strict, !condition.type.mayBe(.bool) {
            throw SourceError(
                .typeMismatch, "the macro needs a condition, not \(condition.type.withArticle)", at: node.offset)
        }
        return condition
    }
}

/// A chain of plain names such as `a.b.c`, outermost last.
private struct Path {
    struct Part {
        let name: String
        let offset: Int
    }

    var parts: [Part] = []
    var isRooted = false
    var isPresenceTest = false

    /// Nil where the chain starts from something other than a name.
    init?(_ node: SyntaxNode) {
        var node = node
        if case .select(_, _, let isTest) = node.kind { isPresenceTest = isTest }
        while case .select(let operand, let field, let isTest) = node.kind {
            // A test in the middle is an operand like any other, not part of a name.
            if isTest, !parts.isEmpty { return nil }
            parts.append(Part(name: field, offset: node.offset))
            node = operand
        }
        guard case .identifier(let name, let isRooted) = node.kind else { return nil }
        parts.append(Part(name: name, offset: node.offset))
        parts.reverse()
        self.isRooted = isRooted
    }
}

extension Signature.Style {
    fileprivate func allows(receiver: Bool) -> Bool {
        switch self {
        case .both: true
        case .global: !receiver
        case .receiver: receiver
        }
    }
}

extension CELType {
    fileprivate var withArticle: String {
        let name = description
        return name == "int" || name.hasPrefix("o") ? "an \(name)" : "a \(name)"
    }

    fileprivate static func joined(_ types: [CELType]) -> CELType {
        guard let first = types.first else { return .dyn }
        return types.dropFirst().reduce(first) { $0.joined(with: $1) }
    }
}
