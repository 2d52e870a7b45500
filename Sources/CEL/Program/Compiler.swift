/// Turns a checked expression into instructions.
struct Compiler {
    private var code = CodeDraft()
    /// How many operands the stack holds at the place being compiled; exact, since the code has no other loops.
    private var height = 0
    /// How many logical operators and quantifiers enclose the place being compiled.
    private var level: Int32 = 0
    private var places: [Int: Int] = [:]

    static func compile(
        _ root: CELExpression, _ timeZones: CELEnvironment.TimeZoneLookup?
    ) throws(SourceError) -> Code {
        var compiler = Compiler()
        compiler.compile(root)
        compiler.emit(.finish)
        guard compiler.code.stackHeight <= CELLimits.stackSlotsMax else {
            throw SourceError(.limitExceeded, "the expression needs too many operands at a time", at: root.offset)
        }
        return Code(compiler.code, timeZones)
    }

    // MARK: Emitting

    private var position: Int { code.instructions.count }

    @discardableResult
    private mutating func emit(_ operation: Instruction.Operation, a: Int = 0, b: Int = 0, c: UInt8 = 0) -> Int {
        code.instructions.append(Instruction(operation: operation, c: c, a: Int32(a), b: Int32(b)))
        return position - 1
    }

    private mutating func target(_ instructions: Int..., here: Int? = nil) {
        for instruction in instructions { code.instructions[instruction].a = Int32(here ?? position) }
    }

    private mutating func adjust(_ change: Int) {
        height += change
        code.stackHeight = max(code.stackHeight, height)
    }

    private mutating func push(_ operation: Instruction.Operation, a: Int = 0, b: Int = 0, c: UInt8 = 0) {
        emit(operation, a: a, b: b, c: c)
        adjust(1)
    }

    private mutating func constant(_ value: CELValue) -> Int {
        code.constants.append(value)
        return code.constants.count - 1
    }

    private mutating func text(_ text: String) -> Int {
        if let known = code.texts.firstIndex(where: { UTF8Text.equal($0, text) }) { return known }
        code.texts.append(text)
        return code.texts.count - 1
    }

    // MARK: Expressions

    private mutating func compile(_ expression: CELExpression) {
        switch expression.kind {
        case .literal(let value): push(.constant, a: constant(value))
        case .slot(let slot): push(.slot, a: slot)
        case .local(let number): push(.local, a: places[number] ?? 0)
        case .select(let operand, let field, let isPresenceTest): compileSelect(operand, field, isPresenceTest)
        case .call(let function, let arguments): compileCall(function, arguments)
        case .list(let elements):
            for element in elements { compile(element) }
            emit(.makeList, a: elements.count)
            adjust(1 - elements.count)
        case .map(let entries):
            for entry in entries {
                compile(entry.key)
                compile(entry.value)
            }
            emit(.makeMap, a: entries.count)
            adjust(1 - entries.count * 2)
        case .comprehension(let macro): compile(macro)
        case .failure(let error):
            code.failures.append(error)
            push(.fail, a: code.failures.count - 1)
        }
    }

    private mutating func compileSelect(_ operand: CELExpression, _ field: String, _ isPresenceTest: Bool) {
        let key = text(field)
        if case .slot(let slot) = operand.kind {
            push(isPresenceTest ? .slotHas : .slotSelect, a: slot, b: key)
        } else {
            compile(operand)
            emit(isPresenceTest ? .has : .select, a: key)
        }
    }

    private mutating func compileCall(_ function: CELFunction, _ arguments: [CELExpression]) {
        switch function {
        case .and: compileChain(arguments, step: .andStep, end: .andEnd)
        case .or: compileChain(arguments, step: .orStep, end: .orEnd)
        case .conditional: compileConditional(arguments)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            compileComparison(function, arguments[0], arguments[1])
        case .membership: compileMembership(arguments[0], arguments[1])
        case .matches: compileMatches(arguments)
        case .dyn: compile(arguments[0])
        case .not: compile(.not, arguments)
        case .negate: compile(.negate, arguments)
        case .add: compile(.add, arguments)
        case .subtract: compile(.subtract, arguments)
        case .multiply: compile(.multiply, arguments)
        case .divide: compile(.divide, arguments)
        case .modulus: compile(.modulus, arguments)
        case .index: compile(.index, arguments)
        default: compile(.call, arguments, function: function)
        }
    }

    private mutating func compile(
        _ operation: Instruction.Operation, _ arguments: [CELExpression], function: CELFunction? = nil
    ) {
        for argument in arguments { compile(argument) }
        emit(operation, a: arguments.count, c: function.map(\.number) ?? 0)
        adjust(1 - arguments.count)
    }

    private mutating func compileConditional(_ arguments: [CELExpression]) {
        compile(arguments[0])
        let toNegative = emit(.jumpIfFalse)
        adjust(-1)
        compile(arguments[1])
        let toEnd = emit(.jump)
        adjust(-1)
        target(toNegative)
        compile(arguments[2])
        target(toEnd)
    }

    private mutating func compileComparison(_ function: CELFunction, _ left: CELExpression, _ right: CELExpression) {
        guard let comparison = Comparison(function) else { preconditionFailure("not a comparison") }
        switch (left.kind, right.kind) {
        case (.slot(let slot), .literal(let value)):
            push(.compareSlotConstant, a: slot, b: constant(value), c: comparison.rawValue)
        case (.literal(let value), .slot(let slot)):
            push(.compareSlotConstant, a: slot, b: constant(value), c: comparison.mirrored.rawValue)
        case (_, .literal(let value)):
            compile(left)
            emit(.compareConstant, a: constant(value), c: comparison.rawValue)
        default:
            compile(left)
            compile(right)
            emit(.compare, c: comparison.rawValue)
            adjust(-1)
        }
    }

    private mutating func compileMembership(_ element: CELExpression, _ collection: CELExpression) {
        compile(element)
        if let constant = collection.literal {
            emit(.membershipConstant, a: self.constant(constant))
        } else {
            compile(collection)
            emit(.membership)
            adjust(-1)
        }
    }

    private mutating func compileMatches(_ arguments: [CELExpression]) {
        if arguments.count == 2, case .string(let pattern)? = arguments[1].literal, let regex = try? Regex(pattern) {
            compile(arguments[0])
            code.patterns.append(regex)
            emit(.matchesCompiled, a: code.patterns.count - 1)
        } else {
            compile(.call, arguments, function: .matches)
        }
    }

    /// `&&` and `||`: every operand but the last may fail and leave the decision to the others.
    private mutating func compileChain(
        _ operands: [CELExpression], step: Instruction.Operation, end: Instruction.Operation
    ) {
        let outerHeight = height
        var steps: [Int] = []
        level += 1
        for operand in operands.dropLast() {
            let start = position
            compile(operand)
            steps.append(emit(step, b: Int(level)))
            adjust(-1)
            absorb(from: start, height: outerHeight)
        }
        compile(operands[operands.count - 1])
        emit(end, b: Int(level))
        for step in steps { target(step) }
        level -= 1
    }

    /// Makes the instructions since `start` a region whose errors wait, resuming here.
    private mutating func absorb(from start: Int, height: Int) {
        code.regions.append(
            AbsorbingRegion(instructions: start..<position, resume: position, height: height, level: level))
    }

    // MARK: Macros

    private mutating func compile(_ macro: CELComprehension) {
        let frame = height
        compile(macro.range)
        push(.begin)
        switch macro.kind {
        case .all: compileQuantifier(macro, frame, step: .andStep, outcome: true)
        case .exists: compileQuantifier(macro, frame, step: .orStep, outcome: false)
        case .existsOne:
            push(.constant, a: constant(.int(0)))
            compileLoop(macro, frame) { $0.popEach(.countTrue, frame) }
            push(.isOne, b: frame)
            squash(to: frame)
        case .filter:
            push(.constant, a: constant(.list([])))
            compileLoop(macro, frame) { $0.popEach(.appendIfTrue, frame) }
            squash(to: frame)
        case .map:
            push(.constant, a: constant(.list([])))
            compileLoop(macro, frame) { $0.popEach(.append, frame) }
            squash(to: frame)
        case .transformMap:
            push(.constant, a: constant(.list([])))
            push(.constant, a: constant(.list([])))
            compileLoop(macro, frame) { $0.popEach(.appendEntry, frame) }
            push(.makeAccumulatedMap, b: frame)
            squash(to: frame)
        }
    }

    private mutating func popEach(_ operation: Instruction.Operation, _ frame: Int) {
        emit(operation, b: frame)
        adjust(-1)
    }

    private mutating func squash(to frame: Int) {
        emit(.squash, a: frame)
        adjust(frame + 1 - height)
    }

    private mutating func compileNext(_ macro: CELComprehension, _ frame: Int) -> Int {
        places[macro.variable] = height
        if let second = macro.secondVariable { places[second] = height + 1 }
        let variables = macro.secondVariable == nil ? 1 : 2
        let next = emit(.next, b: frame, c: UInt8(variables))
        adjust(variables)
        return next
    }

    private mutating func compileLoop(_ macro: CELComprehension, _ frame: Int, _ consume: (inout Compiler) -> Void) {
        let bodyHeight = height
        let loop = compileNext(macro, frame)
        var skip: Int?
        if let filter = macro.filter {
            compile(filter)
            skip = emit(.jumpIfFalse)
            adjust(-1)
        }
        compile(macro.body)
        consume(&self)
        if let skip { target(skip) }
        emit(.truncate, a: bodyHeight)
        emit(.jump, a: loop)
        target(loop)
        adjust(bodyHeight - height)
    }

    /// `all` and `exists` are `&&` and `||` over the elements, so they absorb errors alike.
    private mutating func compileQuantifier(
        _ macro: CELComprehension, _ frame: Int, step: Instruction.Operation, outcome: Bool
    ) {
        let bodyHeight = height
        level += 1
        let loop = compileNext(macro, frame)
        let start = position
        compile(macro.body)
        let decided = emit(step, b: Int(level))
        adjust(-1)
        absorb(from: start, height: bodyHeight)
        emit(.truncate, a: bodyHeight)
        emit(.jump, a: loop)
        target(loop)
        adjust(bodyHeight - height)
        push(.conclude, b: Int(level), c: outcome ? 1 : 0)
        target(decided)
        // A decision in the midst of an element leaves its variables below the result; squashing drops both alike.
        squash(to: frame)
        level -= 1
    }
}

extension CELFunction {
    private static let numbers = Dictionary(
        uniqueKeysWithValues: zip(CELFunction.allCases, UInt8(0)...UInt8(CELFunction.allCases.count - 1)))

    /// The function's place among all, as instructions carry it.
    var number: UInt8 { CELFunction.numbers[self] ?? 0 }
}
