import CEL

/// A second, plain implementation of the language over the checked tree: no instructions, no stack, errors as values.
///
/// It knows the types that `RandomExpression` makes and shares nothing with the machine but the tree and the values.
struct NaiveEvaluator {
    enum Failure: Error, Equatable {
        case code(CELEvaluationError.Code)
        case outOfScope
    }

    typealias Outcome = Result<CELValue, Failure>

    let slots: [CELValue]

    func evaluate(_ expression: CELExpression, _ locals: [Int: CELValue] = [:]) -> Outcome {
        switch expression.kind {
        case .literal(let value): return .success(value)
        case .slot(let slot): return .success(slots[slot])
        case .local(let number): return locals[number].map { .success($0) } ?? .failure(.outOfScope)
        case .list(let elements): return collect(elements, locals).map { .list($0) }
        case .call(.and, let operands): return decide(operands.map { evaluate($0, locals) }, by: false)
        case .call(.or, let operands): return decide(operands.map { evaluate($0, locals) }, by: true)
        case .call(.conditional, let operands):
            return evaluate(operands[0], locals).flatMap {
                guard case .bool(let flag) = $0 else { return .failure(.code(.noSuchOverload)) }
                return evaluate(operands[flag ? 1 : 2], locals)
            }
        case .call(let function, let arguments):
            return collect(arguments, locals).flatMap { apply(function, $0) }
        case .comprehension(let macro): return evaluate(macro, locals)
        case .select, .map, .failure: return .failure(.outOfScope)
        }
    }

    private func collect(_ expressions: [CELExpression], _ locals: [Int: CELValue]) -> Result<[CELValue], Failure> {
        var values: [CELValue] = []
        for expression in expressions {
            switch evaluate(expression, locals) {
            case .success(let value): values.append(value)
            case .failure(let failure): return .failure(failure)
            }
        }
        return .success(values)
    }

    /// `&&`, `||`, `all` and `exists`: any operand may decide, whatever the others do.
    private func decide(_ outcomes: [Outcome], by decisive: Bool) -> Outcome {
        var first: Failure?
        for outcome in outcomes {
            switch outcome {
            case .success(.bool(let flag)): if flag == decisive { return .success(.bool(decisive)) }
            case .success: first = first ?? .code(.noSuchOverload)
            case .failure(let failure): first = first ?? failure
            }
        }
        return first.map { .failure($0) } ?? .success(.bool(!decisive))
    }

    private func evaluate(_ macro: CELComprehension, _ locals: [Int: CELValue]) -> Outcome {
        switch evaluate(macro.range, locals) {
        case .failure(let failure): return .failure(failure)
        case .success(.list(let elements)):
            let bodies = elements.lazy.map { element in
                evaluate(macro.body, locals.merging([macro.variable: element]) { $1 })
            }
            switch macro.kind {
            case .all: return decide(Array(bodies), by: false)
            case .exists: return decide(Array(bodies), by: true)
            case .map: return gather(bodies.map { $0.map { [$0] } })
            case .filter, .existsOne:
                let kept = zip(elements, bodies).lazy.map { element, body in
                    body.flatMap { flag -> Result<[CELValue], Failure> in
                        guard case .bool(let isKept) = flag else { return .failure(.code(.noSuchOverload)) }
                        return .success(isKept ? [element] : [])
                    }
                }
                let list = gather(kept)
                guard macro.kind == .existsOne, case .success(.list(let members)) = list else { return list }
                return .success(.bool(members.count == 1))
            case .transformMap: return .failure(.outOfScope)
            }
        case .success: return .failure(.code(.noSuchOverload))
        }
    }

    private func gather(_ parts: some Sequence<Result<[CELValue], Failure>>) -> Outcome {
        var values: [CELValue] = []
        for part in parts {
            switch part {
            case .success(let some): values += some
            case .failure(let failure): return .failure(failure)
            }
        }
        return .success(.list(values))
    }

    private func apply(_ function: CELFunction, _ arguments: [CELValue]) -> Outcome {
        switch (function, arguments.first, arguments.last) {
        case (.not, .bool(let flag), _): return .success(.bool(!flag))
        case (.negate, .int(let number), _): return integer(0 - Int128(number))
        case (.size, .string(let text), _): return .success(.int(Int64(Array(text.unicodeScalars).count)))
        case (.size, .list(let elements), _): return .success(.int(Int64(elements.count)))
        case (.string, .int(let number), _): return .success(.string("\(number)"))
        case (.startsWith, .string(let text), .string(let part)):
            return .success(.bool(Array(text.utf8).starts(with: Array(part.utf8))))
        case (.add, .string(let left), .string(let right)): return .success(.string(left + right))
        case (.add, .list(let left), .list(let right)): return .success(.list(left + right))
        case (.index, .list(let elements), .int(let position)):
            guard position >= 0, position < elements.count else { return .failure(.code(.indexOutOfBounds)) }
            return .success(elements[Int(position)])
        case (.membership, let element?, .list(let elements)):
            return .success(.bool(elements.contains { same($0, element) }))
        case (.equal, let left?, let right?): return .success(.bool(same(left, right)))
        case (.notEqual, let left?, let right?): return .success(.bool(!same(left, right)))
        case (_, .string(let left), .string(let right)):
            return compare(
                function, left.unicodeScalars.map { Int($0.value) }, right.unicodeScalars.map { Int($0.value) })
        case (_, let left?, let right?): return numbers(function, left, right)
        default: return .failure(.outOfScope)
        }
    }

    /// Integers as themselves, decimals (of the tests: two places) as hundredths.
    private func hundredths(_ value: CELValue) -> Int128? {
        switch value {
        case .int(let number): Int128(number) * 100
        case .uint(let number): Int128(number) * 100
        case .decimal(let number): number.coefficient * (number.scale == 0 ? 100 : number.scale == 1 ? 10 : 1)
        default: nil
        }
    }

    private func same(_ left: CELValue, _ right: CELValue) -> Bool {
        switch (left, right) {
        case (.bool(let left), .bool(let right)): return left == right
        case (.string(let left), .string(let right)): return Array(left.utf8) == Array(right.utf8)
        case (.list(let left), .list(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { same($0, $1) }
        default:
            guard let left = hundredths(left), let right = hundredths(right) else { return false }
            return left == right
        }
    }

    private func numbers(_ function: CELFunction, _ left: CELValue, _ right: CELValue) -> Outcome {
        guard let first = hundredths(left), let second = hundredths(right) else { return .failure(.outOfScope) }
        switch (function, left, right) {
        case (.add, .int, .int): return integer((first + second) / 100)
        case (.subtract, .int, .int): return integer((first - second) / 100)
        case (.multiply, .int, .int): return integer((first / 100) * (second / 100))
        case (.divide, .int, .int): return second == 0 ? .failure(.code(.divideByZero)) : integer(first / second)
        case (.modulus, .int, .int):
            return second == 0 ? .failure(.code(.modulusByZero)) : integer((first % second) / 100)
        case (.add, _, _): return .success(.decimal(CELDecimal(coefficient: first + second, scale: 2)))
        case (.subtract, _, _): return .success(.decimal(CELDecimal(coefficient: first - second, scale: 2)))
        default: return compare(function, [first], [second])
        }
    }

    private func integer(_ number: Int128) -> Outcome {
        Int64(exactly: number).map { .success(.int($0)) } ?? .failure(.code(.overflow))
    }

    private func compare<Number: Comparable>(_ function: CELFunction, _ left: [Number], _ right: [Number]) -> Outcome {
        let isBefore = left.lexicographicallyPrecedes(right)
        let isAfter = right.lexicographicallyPrecedes(left)
        switch function {
        case .less: return .success(.bool(isBefore))
        case .lessOrEqual: return .success(.bool(!isAfter))
        case .greater: return .success(.bool(isAfter))
        case .greaterOrEqual: return .success(.bool(!isBefore))
        default: return .failure(.outOfScope)
        }
    }
}
