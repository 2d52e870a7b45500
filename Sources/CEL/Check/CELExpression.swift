/// A checked expression: every name resolved, every type known, constants folded.
///
/// The tree is public so that an engine may recognise simple conditions, such as a field compared with a literal, and
/// evaluate those in its own way.
public struct CELExpression: Sendable {
    /// What the expression does.
    public let kind: Kind
    /// Its static type; `.dyn` where only evaluation can tell.
    public let type: CELType
    /// The byte of the source that messages about it point at.
    public let offset: Int

    /// The forms of expressions.
    public indirect enum Kind: Sendable {
        /// A constant, folded lists, maps, timestamps, durations and decimals included.
        case literal(CELValue)
        /// A declared variable or a field of an object variable, by slot.
        case slot(Int)
        /// A macro's variable, by its number within the program.
        case local(Int)
        /// A map's entry by a name, or whether there is one.
        case select(CELExpression, field: String, isPresenceTest: Bool)
        /// An operator or function; a receiver is the first argument. `&&` and `||` have two or more.
        case call(CELFunction, [CELExpression])
        /// A list that is not constant.
        case list([CELExpression])
        /// A map that is not constant.
        case map([Entry])
        /// A macro over a list or map.
        case comprehension(CELComprehension)
        /// What can only fail; made where checking was put off.
        case failure(CELEvaluationError)
    }

    /// An entry of a map that is not constant.
    public struct Entry: Sendable {
        /// The key.
        public let key: CELExpression
        /// The value.
        public let value: CELExpression
    }

    /// The constant, where it is one.
    public var literal: CELValue? {
        if case .literal(let value) = kind { return value }
        return nil
    }

    /// Every expression directly inside this one, in evaluation order.
    public var children: [CELExpression] {
        switch kind {
        case .literal, .slot, .local, .failure: []
        case .select(let operand, _, _): [operand]
        case .call(_, let arguments): arguments
        case .list(let elements): elements
        case .map(let entries): entries.flatMap { [$0.key, $0.value] }
        case .comprehension(let macro): [macro.range] + (macro.filter.map { [$0] } ?? []) + [macro.body]
        }
    }

    /// The slots that evaluating may read.
    /// - Complexity: O(n) in the size of the expression.
    public var slots: Set<Int> {
        var slots: Set<Int> = []
        var pending = [self]
        while let expression = pending.popLast() {
            if case .slot(let slot) = expression.kind { slots.insert(slot) }
            pending.append(contentsOf: expression.children)
        }
        return slots
    }
}

/// A macro over the elements of a list or the keys of a map.
public struct CELComprehension: Sendable {
    /// The macros, by what they make of the elements.
    public enum Kind: Sendable, Hashable {
        /// Whether the body holds for all; errors are absorbed by a `false`.
        case all
        /// Whether the body holds for any; errors are absorbed by a `true`.
        case exists
        /// Whether the body holds for exactly one.
        case existsOne
        /// The elements for which the body holds.
        case filter
        /// The body's values, of those elements that the filter lets pass.
        case map
        /// A map with the same keys and the body's values.
        case transformMap
    }

    /// Which macro.
    public let kind: Kind
    /// The list or map.
    public let range: CELExpression
    /// The number of the variable; with a second one it holds the index or key.
    public let variable: Int
    /// The number of the variable that holds the element or value, in the forms with two variables.
    public let secondVariable: Int?
    /// The three-argument `map`'s condition.
    public let filter: CELExpression?
    /// The expression evaluated for each element.
    public let body: CELExpression
}
