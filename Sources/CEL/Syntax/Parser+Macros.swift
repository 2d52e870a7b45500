extension Parser {
    /// A call, or what the macro of that name and number of arguments stands for.
    mutating func call(
        _ name: String, isRooted: Bool, target: SyntaxNode?, _ arguments: [SyntaxNode], at offset: Int
    ) throws(SourceError) -> SyntaxNode {
        if let target {
            if let macro = try comprehension(name, over: target, arguments) {
                let children = [macro.range, macro.body] + (macro.filter.map { [$0] } ?? [])
                return try node(.comprehension(macro), children, at: offset)
            }
        } else if name == "has", !isRooted, arguments.count == 1 {
            return try presenceTest(arguments[0], at: offset)
        }
        let kind = SyntaxNode.Kind.call(name: name, isRooted: isRooted, target: target, arguments: arguments)
        return try node(kind, arguments + (target.map { [$0] } ?? []), at: offset)
    }

    private mutating func presenceTest(_ argument: SyntaxNode, at offset: Int) throws(SourceError) -> SyntaxNode {
        guard case .select(let operand, let field, false) = argument.kind else {
            throw SourceError("has() takes a field selection such as has(a.b)", at: argument.offset)
        }
        return try node(.select(operand, field: field, isPresenceTest: true), [operand], at: offset)
    }

    private func comprehension(
        _ name: String, over range: SyntaxNode, _ arguments: [SyntaxNode]
    ) throws(SourceError) -> SyntaxNode.Macro? {
        typealias Shape = (kind: CELComprehension.Kind, variables: Int, hasFilter: Bool)
        let shape: Shape
        switch (name, arguments.count) {
        case ("all", 2): shape = (.all, 1, false)
        case ("exists", 2): shape = (.exists, 1, false)
        case ("exists_one", 2), ("existsOne", 2): shape = (.existsOne, 1, false)
        case ("filter", 2): shape = (.filter, 1, false)
        case ("map", 2): shape = (.map, 1, false)
        case ("map", 3): shape = (.map, 1, true)
        case ("all", 3): shape = (.all, 2, false)
        case ("exists", 3): shape = (.exists, 2, false)
        case ("exists_one", 3), ("existsOne", 3): shape = (.existsOne, 2, false)
        case ("transformList", 3): shape = (.map, 2, false)
        case ("transformList", 4): shape = (.map, 2, true)
        case ("transformMap", 3): shape = (.transformMap, 2, false)
        case ("transformMap", 4): shape = (.transformMap, 2, true)
        default: return nil
        }
        let variable = try variableName(arguments[0], of: name)
        let second = shape.variables == 2 ? try variableName(arguments[1], of: name) : nil
        if second == variable { throw SourceError("\(name)() needs two different variables", at: arguments[1].offset) }
        return SyntaxNode.Macro(
            kind: shape.kind, range: range, variable: variable, secondVariable: second,
            filter: shape.hasFilter ? arguments[shape.variables] : nil, body: arguments[arguments.count - 1])
    }

    private func variableName(_ argument: SyntaxNode, of macro: String) throws(SourceError) -> String {
        guard case .identifier(let name, isRooted: false) = argument.kind else {
            throw SourceError("\(macro)() takes a plain variable name here", at: argument.offset)
        }
        return name
    }
}
