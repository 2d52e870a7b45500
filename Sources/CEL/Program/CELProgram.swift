/// A compiled expression, ready to be evaluated any number of times from any thread.
///
/// ```swift
/// var environment = CELEnvironment()
/// environment.declare("x", .int)
/// let program = try CELProgram.compile("x > 2", in: environment)
/// try program.evaluate(CELValues([.int(3)]))  // true
/// ```
public struct CELProgram: Sendable {
    /// The checked expression.
    public let root: CELExpression
    /// The slots that an evaluation may load.
    public let slots: Set<Int>

    let code: Code

    /// Parses, checks and compiles an expression.
    ///
    /// - Parameters:
    ///   - source: the text of the expression.
    ///   - environment: the names that it may use.
    ///   - expected: the type that the result must have, or nil for any; strict checking only.
    ///   - checking: whether unknown names and wrong types are refused now or fail while evaluating.
    /// - Throws: what is wrong, with line and column.
    /// - Complexity: linear in the length of the source, but for names in deep containers.
    public static func compile(
        _ source: String, in environment: CELEnvironment, expecting expected: CELType? = .bool,
        checking: CELChecking = .strict
    ) throws(CELSyntaxError) -> CELProgram {
        let bytes = Array(source.utf8)
        do throws(SourceError) {
            var checker = Checker(environment: environment, checking: checking)
            let root = try checker.check(try Parser.parse(bytes), expecting: expected)
            let code = try Compiler.compile(root, environment.timeZones)
            return CELProgram(root: root, slots: root.slots, code: code)
        } catch {
            throw error.located(in: bytes)
        }
    }

    /// A part of the expression as a program of its own.
    ///
    /// - Parameter part: some expression in ``root``, but none in a macro's body.
    public func program(of part: CELExpression) -> CELProgram? {
        guard let code = try? Compiler.compile(part, code.timeZones) else { return nil }
        return CELProgram(root: part, slots: part.slots, code: code)
    }

    /// Evaluates the expression.
    ///
    /// Scalars, comparisons, logic and membership in literal lists allocate nothing.
    /// - Parameters:
    ///   - activation: the values of the variables; asked only for slots that the evaluation reaches.
    ///   - costLimit: how many units of work, about one an instruction, may be spent before `cost_exceeded`.
    /// - Throws: why there is no value.
    public func evaluate<Activation: CELActivation & ~Copyable>(
        _ activation: borrowing Activation, costLimit: Int = CELLimits.defaultCostLimit
    ) throws(CELEvaluationError) -> CELValue {
        try Machine.run(code, activation, costLimit: costLimit)
    }

    /// Evaluates a condition; a value that is no truth value is `no_such_overload`.
    public func evaluateCondition<Activation: CELActivation & ~Copyable>(
        _ activation: borrowing Activation, costLimit: Int = CELLimits.defaultCostLimit
    ) throws(CELEvaluationError) -> Bool {
        guard case .bool(let flag) = try evaluate(activation, costLimit: costLimit) else {
            throw CELEvaluationError(.noSuchOverload, "the condition gave no truth value")
        }
        return flag
    }
}

/// Where an evaluation finds the values of variables.
public protocol CELActivation: ~Copyable {
    /// The value of a slot, as `CELEnvironment` numbered it; called once for every time that it is read.
    borrowing func value(ofSlot slot: Int) -> CELValue

    /// The entry of a slot's map under a text key, for `slot.key` and `has(slot.key)`.
    ///
    /// The default takes it from `value(ofSlot:)`; an activation that keeps attributes in another form can answer without
    /// building the map.
    borrowing func member(_ key: String, ofSlot slot: Int) -> CELMember
}

/// What selecting from a slot finds.
public enum CELMember: Sendable {
    /// The entry's value.
    case value(CELValue)
    /// The slot is a map without that key.
    case absent
    /// The slot is no map; its type.
    case unsupported(CELTypeName)

    /// Selects from a value.
    public init(_ key: String, of value: CELValue) {
        guard case .map(let map) = value else {
            self = .unsupported(value.typeName)
            return
        }
        self = map[key].map { .value($0) } ?? .absent
    }
}

extension CELActivation where Self: ~Copyable {
    /// Selects from the slot's value.
    public borrowing func member(_ key: String, ofSlot slot: Int) -> CELMember {
        CELMember(key, of: value(ofSlot: slot))
    }
}

/// The simplest activation: a value for every slot.
public struct CELValues: CELActivation, Sendable {
    private let values: [CELValue]

    /// Takes the values in the order of their slots.
    public init(_ values: [CELValue]) {
        self.values = values
    }

    /// The value of a slot.
    public func value(ofSlot slot: Int) -> CELValue {
        values[slot]
    }
}
