/// The virtual machine: one pass over the instructions with a stack of operands.
///
/// Errors are not values here. An instruction that fails looks for the nearest logical operator around it: that keeps the
/// error and lets its other operands decide. Without one the evaluation ends. So conditions that do not fail pay nothing
/// for error absorption.
struct Machine: ~Copyable {
    let code: Code
    var stack: OperandStack
    var meter: CostMeter
    /// The errors that wait at enclosing operators, outermost first; levels rise.
    private var pending: [(level: Int32, error: CELEvaluationError)] = []
    private var pendingLevel: Int32 = -1

    static func run<Activation: CELActivation & ~Copyable>(
        _ code: Code, _ activation: borrowing Activation, costLimit: Int
    ) throws(CELEvaluationError) -> CELValue {
        // Up to a kilobyte the memory is on the thread's own stack.
        let height = max(code.stackHeight, 1)
        return try withUnsafeTemporaryAllocation(of: CELValue.self, capacity: height) {
            (memory) throws(CELEvaluationError) -> CELValue in
            var machine = Machine(code, memory, costLimit: costLimit)
            return try machine.run(activation)
        }
    }

    private init(_ code: Code, _ memory: UnsafeMutableBufferPointer<CELValue>, costLimit: Int) {
        self.code = code
        stack = OperandStack(memory)
        meter = CostMeter(remaining: costLimit)
    }

    private mutating func run<Activation: CELActivation & ~Copyable>(
        _ activation: borrowing Activation
    ) throws(CELEvaluationError) -> CELValue {
        var position = 0
        while true {
            do {
                return try step(from: &position, activation)
            } catch {
                position = try absorb(error, at: position)
            }
        }
    }

    /// Runs until the end or an error, which leaves `position` at the instruction that failed.
    private mutating func step<Activation: CELActivation & ~Copyable>(
        from position: inout Int, _ activation: borrowing Activation
    ) throws(CELEvaluationError) -> CELValue {
        while true {
            let instruction = code.instructions[position]
            guard meter.spend(1) else { throw CELEvaluationError(.costExceeded) }
            var following = position + 1
            switch instruction.operation {
            case .slot: stack.push(activation.value(ofSlot: Int(instruction.a)))
            case .compareSlotConstant:
                let flag = try compare(
                    activation.value(ofSlot: Int(instruction.a)), code.constants[Int(instruction.b)],
                    instruction.c)
                stack.push(.bool(flag))
            case .slotSelect:
                let key = code.texts[Int(instruction.b)]
                stack.push(try entry(activation.member(key, ofSlot: Int(instruction.a)), key))
            case .slotHas:
                let key = code.texts[Int(instruction.b)]
                stack.push(.bool(try isPresent(activation.member(key, ofSlot: Int(instruction.a)))))
            case .finish: return stack.pop()
            default: try execute(instruction, &following)
            }
            position = following
        }
    }

    /// All instructions that need no activation.
    private mutating func execute(
        _ instruction: Instruction, _ following: inout Int
    ) throws(CELEvaluationError) {
        switch instruction.operation {
        case .constant: stack.push(code.constants[Int(instruction.a)])
        case .local: stack.push(stack[Int(instruction.a)])
        case .andStep: try logicalStep(instruction, &following, decisive: false)
        case .orStep: try logicalStep(instruction, &following, decisive: true)
        case .andEnd: try logicalEnd(instruction, decisive: false)
        case .orEnd: try logicalEnd(instruction, decisive: true)
        case .jump: following = Int(instruction.a)
        case .jumpIfFalse: if try !popCondition(.conditional) { following = Int(instruction.a) }
        case .compareConstant:
            let flag = try compare(stack.top, code.constants[Int(instruction.a)], instruction.c)
            stack.replaceTop(.bool(flag))
        case .compare:
            let right = stack.pop()
            let flag = try compare(stack.top, right, instruction.c)
            stack.replaceTop(.bool(flag))
        case .membershipConstant:
            let flag = try contains(code.constants[Int(instruction.a)], stack.top)
            stack.replaceTop(.bool(flag))
        case .not: stack.push(.bool(try !popCondition(.not)))
        case .begin, .next, .truncate, .squash, .countTrue, .appendIfTrue, .append, .appendEntry, .isOne,
            .makeAccumulatedMap:
            try iterate(instruction, &following)
        case .conclude:
            if let error = takePending(at: instruction.b) { throw error }
            stack.push(.bool(instruction.c == 1))
        case .fail: throw code.failures[Int(instruction.a)]
        default: try operate(instruction)
        }
    }

    // MARK: Logic

    @inline(__always)
    private mutating func logicalStep(
        _ instruction: Instruction, _ following: inout Int, decisive: Bool
    ) throws(CELEvaluationError) {
        guard let flag = stack.popBool() else { throw noCondition(decisive ? .or : .and) }
        guard flag == decisive else { return }
        _ = takePending(at: instruction.b)
        stack.push(.bool(flag))
        following = Int(instruction.a)
    }

    @inline(__always)
    private mutating func logicalEnd(_ instruction: Instruction, decisive: Bool) throws(CELEvaluationError) {
        guard case .bool(let flag) = stack.top else { throw noCondition(decisive ? .or : .and) }
        if let error = takePending(at: instruction.b), flag != decisive { throw error }
    }

    mutating func popCondition(_ function: CELFunction) throws(CELEvaluationError) -> Bool {
        guard let flag = stack.popBool() else { throw noCondition(function) }
        return flag
    }

    private func noCondition(_ function: CELFunction) -> CELEvaluationError {
        Arithmetic.noOverload(function, stack.top)
    }

    /// The error that waits at a level, which is thereby forgotten.
    @inline(__always)
    private mutating func takePending(at level: Int32) -> CELEvaluationError? {
        guard pendingLevel == level else { return nil }
        return dropPending()
    }

    @inline(never)
    private mutating func dropPending() -> CELEvaluationError? {
        let error = pending.popLast()?.error
        pendingLevel = pending.last?.level ?? -1
        return error
    }

    /// Keeps an error at the nearest enclosing operator and says where to go on, or throws it.
    private mutating func absorb(_ latest: CELEvaluationError, at position: Int) throws(CELEvaluationError) -> Int {
        if latest.code == .costExceeded { throw latest }
        let region = code.regions.first { $0.instructions.contains(position) }
        var error = latest
        // Operators in between failed with their last operand; of an operator's errors the first is told.
        while pendingLevel > region?.level ?? -1 { error = dropPending() ?? error }
        guard let region else { throw error }
        if pendingLevel < region.level {
            pending.append((level: region.level, error: error))
            pendingLevel = region.level
        }
        stack.truncate(to: region.height)
        return region.resume
    }
}
