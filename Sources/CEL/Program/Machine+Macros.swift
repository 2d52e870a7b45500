extension Machine {
    /// The instructions of macros. A frame is three or four operands: range, index, and what is gathered.
    mutating func iterate(
        _ instruction: Instruction, _ following: inout Int
    ) throws(CELEvaluationError) {
        let frame = Int(instruction.b)
        switch instruction.operation {
        case .begin:
            switch stack.top {
            case .list, .map: stack.push(.int(0))
            default:
                throw CELEvaluationError(
                    .noSuchOverload, "a \(stack.top.typeName.rawValue) is no list or map to go over")
            }
        case .next: if try !pushNext(frame, instruction.c) { following = Int(instruction.a) }
        case .truncate: stack.truncate(to: Int(instruction.a))
        case .squash:
            let result = stack.pop()
            stack.truncate(to: Int(instruction.a))
            stack.push(result)
        case .countTrue: if try popCondition(.conditional) { increment(frame + 2) }
        case .appendIfTrue: if try popCondition(.conditional) { append(stack[frame + 3], to: frame + 2) }
        case .append: append(stack.pop(), to: frame + 2)
        case .appendEntry:
            let value = stack.pop()
            append(stack[frame + 4], to: frame + 2)
            append(value, to: frame + 3)
        case .isOne:
            guard case .int(let count) = stack[frame + 2] else { preconditionFailure("the counter is an int") }
            stack.push(.bool(count == 1))
        case .makeAccumulatedMap:
            guard case .list(let keys) = stack[frame + 2], case .list(let values) = stack[frame + 3] else {
                preconditionFailure("the accumulators are lists")
            }
            try spend(keys.count * 4)
            stack.push(.map(try CELMap(keys: keys, values: values)))
        default: preconditionFailure("an instruction that is handled elsewhere")
        }
    }

    /// Pushes the variables of the next element; false after the last.
    private mutating func pushNext(_ frame: Int, _ variables: UInt8) throws(CELEvaluationError) -> Bool {
        guard case .int(let position) = stack[frame + 1] else { preconditionFailure("the index is an int") }
        let index = Int(position)
        switch stack[frame] {
        case .list(let elements):
            guard index < elements.count else { return false }
            if variables == 2 { stack.push(.int(position)) }
            stack.push(elements[index])
        case .map(let map):
            guard index < map.count else { return false }
            stack.push(map.key(at: index))
            if variables == 2 { stack.push(map.value(at: index)) }
        default: preconditionFailure("the range is a list or map")
        }
        increment(frame + 1)
        return true
    }

    private mutating func increment(_ place: Int) {
        guard case .int(let count) = stack[place] else { preconditionFailure("the counter is an int") }
        stack[place] = .int(count + 1)
    }

    /// Appends in place: the list is taken out first, so that nobody else holds it.
    private mutating func append(_ value: CELValue, to place: Int) {
        var taken = CELValue.null
        swap(&taken, &stack[place])
        guard case .list(var elements) = consume taken else { preconditionFailure("the accumulator is a list") }
        elements.append(value)
        stack[place] = .list(elements)
    }
}
