import CEL

/// What a condition says of an action's type and currency: a truth that holds for all actions of a shape, or nothing.
indirect enum ShapeTest: Sendable {
    /// Reads type and currency alone.
    case asked(CELProgram)
    case not(ShapeTest)
    case all([ShapeTest])
    case any([ShapeTest])
    /// Depends on more.
    case open

    /// - Parameter expression: the program's, or a part of it that only `!`, `&&` and `||` stand around.
    init(_ expression: CELExpression, of program: CELProgram) {
        if expression.slots.isSubset(of: Values.slots), let part = program.program(of: expression) {
            self = .asked(part)
            return
        }
        switch expression.kind {
        case .call(.not, let parts): self = .not(ShapeTest(parts[0], of: program))
        case .call(.and, let parts): self = .all(parts.map { ShapeTest($0, of: program) })
        case .call(.or, let parts): self = .any(parts.map { ShapeTest($0, of: program) })
        default: self = .open
        }
    }

    /// Whether it holds for all actions of a shape; `nil` where that depends on the action, or asking fails, which is told for
    /// every action then.
    func holds(for shape: Values) -> Bool? {
        switch self {
        case .asked(let program): return try? program.evaluateCondition(shape, costLimit: Limits.conditionCost)
        case .not(let test): return test.holds(for: shape).map { !$0 }
        case .all(let tests):
            let answers = tests.map { $0.holds(for: shape) }
            if answers.contains(false) { return false }
            return answers.contains(nil) ? nil : true
        case .any(let tests):
            let answers = tests.map { $0.holds(for: shape) }
            if answers.contains(true) { return true }
            return answers.contains(nil) ? nil : false
        case .open: return nil
        }
    }

    /// What all actions of a shape have in common.
    struct Values: CELActivation {
        static let slots: Set<Int> = [ConditionSlot.actionType.rawValue, ConditionSlot.actionCurrency.rawValue]
        private let type: CELValue
        private let currency: CELValue

        /// - Parameter currency: empty when the shape names none.
        init(type: Text, currency: Text) {
            self.type = .string(type.string)
            self.currency = currency.isEmpty ? .null : .string(currency.string)
        }

        func value(ofSlot slot: Int) -> CELValue { slot == ConditionSlot.actionType.rawValue ? type : currency }
    }
}
