import CEL

/// A compiled condition.
///
/// What depends on the action's type and currency alone is decided once per shape by ``resolved(type:currency:)``; of
/// what is left, comparisons of the value with a literal are asked without CEL's machine.
struct Condition: Sendable {
    /// What a condition comes to for one shape of actions.
    enum Resolution {
        case always
        case never
        case ask(Condition)
    }

    private let program: CELProgram
    /// All of these must hold; what each says of a shape is known before any action is seen, or not.
    private let parts: [(expression: CELExpression, test: ShapeTest)]
    /// When not `nil`, the condition is that all of these hold.
    private var comparisons: [ValueComparison]?

    /// - Throws: `plan_invalid` with line, column and what is wrong.
    static func compile(_ text: Text, path: String) throws(Refusal) -> Condition {
        do throws(CELSyntaxError) {
            return Condition(
                program: try CELProgram.compile(text.string, in: ConditionSlot.environment, expecting: .bool))
        } catch {
            throw Refusal(.planInvalid, field: path, "Line \(error.line), column \(error.column): \(error.message)")
        }
    }

    private init(program: CELProgram) {
        self.program = program
        parts = Condition.conjuncts(program.root).map { ($0, ShapeTest($0, of: program)) }
    }

    /// Whether the answer may differ between the recipients of one bonus.
    var readsRecipient: Bool { program.slots.contains { $0 >= ConditionSlot.recipientId.rawValue } }

    /// Whether it reads tags of a member other than the performer, which other actions may change.
    var readsRecipientTags: Bool { program.slots.contains(ConditionSlot.recipientTags.rawValue) }

    /// Decides what follows from type and currency.
    func resolved(type: Text, currency: Text) -> Resolution {
        let shape = ShapeTest.Values(type: type, currency: currency)
        var open: [CELExpression] = []
        for part in parts {
            switch part.test.holds(for: shape) {
            case true?: continue
            case false?: return .never
            case nil: open.append(part.expression)
            }
        }
        if open.isEmpty { return .always }
        var result = self
        let lowered = open.compactMap { ValueComparison($0) }
        if lowered.count == open.count { result.comparisons = lowered }
        return .ask(result)
    }

    /// Asks the condition; `nil` when evaluating it failed.
    func evaluate(_ context: ConditionContext) -> Bool? {
        if let comparisons {
            // An event has no value to compare: the comparison fails, as CEL has it.
            guard let units = context.row.value else { return nil }
            for comparison in comparisons where !comparison.holds(units, scale: context.valueScale) { return false }
            return true
        }
        return try? program.evaluateCondition(context, costLimit: Limits.conditionCost)
    }

    private static func conjuncts(_ expression: CELExpression) -> [CELExpression] {
        if case .call(.and, let parts) = expression.kind { return parts.flatMap(conjuncts) }
        return [expression]
    }
}

/// `action.value` compared with a number.
private struct ValueComparison: Sendable {
    private let function: CELFunction
    private let coefficient: Int64
    private let scale: Int

    init?(_ expression: CELExpression) {
        guard case .call(let function, let parts) = expression.kind, parts.count == 2 else { return nil }
        func isValue(_ part: CELExpression) -> Bool {
            if case .slot(ConditionSlot.actionValue.rawValue) = part.kind { return true }
            return false
        }
        let literal: CELValue?
        switch (isValue(parts[0]), isValue(parts[1])) {
        case (true, false):
            self.function = function
            literal = parts[1].literal
        case (false, true):
            switch function {
            case .less: self.function = .greater
            case .lessOrEqual: self.function = .greaterOrEqual
            case .greater: self.function = .less
            case .greaterOrEqual: self.function = .lessOrEqual
            default: return nil
            }
            literal = parts[0].literal
        default: return nil
        }
        switch self.function {
        case .less, .lessOrEqual, .greater, .greaterOrEqual: break
        default: return nil
        }
        switch literal {
        case .int(let number)?: (coefficient, scale) = (number, 0)
        case .decimal(let number)?:
            guard let fits = Int64(exactly: number.coefficient) else { return nil }
            (coefficient, scale) = (fits, Int(number.scale))
        default: return nil
        }
    }

    @inline(__always)
    func holds(_ units: Int64, scale unitScale: Int) -> Bool {
        // Both sides at the finer scale; 64-bit numbers times at most 10^18 fit 128 bits.
        let common = max(scale, unitScale)
        let left = Int128(units) * Int128(PowersOfTen.int64[common - unitScale])
        let right = Int128(coefficient) * Int128(PowersOfTen.int64[common - scale])
        switch function {
        case .less: return left < right
        case .lessOrEqual: return left <= right
        case .greater: return left > right
        default: return left >= right
        }
    }
}
