extension Machine {
    // MARK: Comparison

    @inline(__always)
    mutating func compare(
        _ left: borrowing CELValue, _ right: borrowing CELValue, _ number: UInt8
    ) throws(CELEvaluationError) -> Bool {
        guard let comparison = Comparison(rawValue: number) else { preconditionFailure("no such comparison") }
        return try compare(copy left, copy right, comparison)
    }

    private mutating func compare(
        _ left: CELValue, _ right: CELValue, _ comparison: Comparison
    ) throws(CELEvaluationError) -> Bool {
        switch comparison {
        case .equal: return try areEqual(left, right)
        case .notEqual: return try !areEqual(left, right)
        default:
            guard let order = CELValue.compare(left, right, meter: &meter) else {
                throw Arithmetic.noOverload(comparison.function, left, right)
            }
            try checkMeter()
            return comparison.holds(order)
        }
    }

    @inline(__always)
    mutating func areEqual(_ left: CELValue, _ right: CELValue) throws(CELEvaluationError) -> Bool {
        let flag = left.equals(right, meter: &meter)
        try checkMeter()
        return flag
    }

    @inline(__always)
    func checkMeter() throws(CELEvaluationError) {
        if meter.isExhausted { throw CELEvaluationError(.costExceeded) }
    }

    @inline(__always)
    mutating func spend(_ units: Int) throws(CELEvaluationError) {
        guard meter.spend(units) else { throw CELEvaluationError(.costExceeded) }
    }

    // MARK: Membership and selection

    mutating func contains(_ collection: CELValue, _ element: CELValue) throws(CELEvaluationError) -> Bool {
        switch collection {
        case .list(let elements):
            for candidate in elements {
                try spend(1)
                if try areEqual(element, candidate) { return true }
            }
            return false
        case .map(let map):
            try spend(4)
            return map[element] != nil
        default: throw Arithmetic.noOverload(.membership, element, collection)
        }
    }

    func entry(_ member: CELMember, _ key: String) throws(CELEvaluationError) -> CELValue {
        switch member {
        case .value(let value): return value
        case .absent: throw CELEvaluationError(.noSuchKey, "", .string(key))
        case .unsupported(let type):
            throw CELEvaluationError(.noSuchOverload, "a \(type.rawValue) has no fields to select")
        }
    }

    func isPresent(_ member: CELMember) throws(CELEvaluationError) -> Bool {
        switch member {
        case .value: return true
        case .absent: return false
        case .unsupported(let type):
            throw CELEvaluationError(.noSuchOverload, "a \(type.rawValue) has no fields to test")
        }
    }

    private mutating func element(of collection: CELValue, at index: CELValue) throws(CELEvaluationError) -> CELValue {
        switch (collection, index) {
        case (.map(let map), _):
            try spend(4)
            guard let value = map[index] else { throw CELEvaluationError(.noSuchKey, "", index) }
            return value
        case (.list(let elements), .int(let position)): return try element(elements, Int(exactly: position), index)
        case (.list(let elements), .uint(let position)): return try element(elements, Int(exactly: position), index)
        case (.list(let elements), .double(let position)):
            guard let whole = Int(exactly: position) else {
                throw CELEvaluationError(.invalidArgument, "an index must be whole", index)
            }
            return try element(elements, whole, index)
        default: throw Arithmetic.noOverload(.index, collection, index)
        }
    }

    private func element(
        _ elements: [CELValue], _ position: Int?, _ index: CELValue
    ) throws(CELEvaluationError) -> CELValue {
        guard let position, elements.indices.contains(position) else {
            throw CELEvaluationError(.indexOutOfBounds, "", index)
        }
        return elements[position]
    }

    // MARK: The rest

    /// Operators and calls that replace their operands by a result.
    mutating func operate(_ instruction: Instruction) throws(CELEvaluationError) {
        let result: CELValue
        switch instruction.operation {
        case .add:
            let right = stack.pop()
            result = try Arithmetic.add(stack.pop(), right, meter: &meter)
        case .subtract:
            let right = stack.pop()
            result = try Arithmetic.subtract(stack.pop(), right)
        case .multiply:
            let right = stack.pop()
            result = try Arithmetic.multiply(stack.pop(), right)
        case .divide:
            let right = stack.pop()
            result = try Arithmetic.divide(stack.pop(), right)
        case .modulus:
            let right = stack.pop()
            result = try Arithmetic.modulus(stack.pop(), right)
        case .negate: result = try Arithmetic.negate(stack.pop())
        case .index:
            let index = stack.pop()
            result = try element(of: stack.pop(), at: index)
        case .membership:
            let collection = stack.pop()
            result = .bool(try contains(collection, stack.pop()))
        case .select:
            let key = code.texts[Int(instruction.a)]
            result = try entry(CELMember(key, of: stack.pop()), key)
        case .has: result = .bool(try isPresent(CELMember(code.texts[Int(instruction.a)], of: stack.pop())))
        case .matchesCompiled:
            let subject = stack.pop()
            guard case .string(let text) = subject else { throw Arithmetic.noOverload(.matches, subject, .string("")) }
            result = .bool(try code.patterns[Int(instruction.a)].matches(text, meter: &meter))
        case .makeList: result = .list(stack.popList(Int(instruction.a)))
        case .makeMap: result = .map(try makeMap(Int(instruction.a)))
        case .call:
            let arguments = stack.popList(Int(instruction.a))
            result = try Builtins.call(
                CELFunction.allCases[Int(instruction.c)], arguments, code.timeZones, meter: &meter)
        default: preconditionFailure("an instruction that is handled elsewhere")
        }
        stack.push(result)
    }

    private mutating func makeMap(_ count: Int) throws(CELEvaluationError) -> CELMap {
        let operands = stack.popList(count * 2)
        try spend(count * 4)
        return try CELMap(
            keys: stride(from: 0, to: count * 2, by: 2).map { operands[$0] },
            values: stride(from: 1, to: count * 2, by: 2).map { operands[$0] })
    }
}
