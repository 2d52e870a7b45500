/// A regular expression in RE2's syntax, matched in time linear in the text.
///
/// The pattern becomes a nondeterministic automaton, and matching follows all of its states at once (Thompson's
/// method): no backtracking, so no pattern is slow on any text.
struct Regex: Sendable {
    private enum State: Sendable {
        case set(Int, next: Int)
        case split(Int, Int)
        case assertion(RegexNode.Assertion, next: Int)
        case accept
    }

    private var states: [State] = []
    private var sets: [ScalarSet] = []
    private var start = 0

    /// Compiles a pattern, or throws `invalid_argument` with what is wrong.
    init(_ pattern: String) throws(CELEvaluationError) {
        let node = try RegexParser.parse(pattern)
        let accept = try add(.accept)
        start = try compile(node, next: accept)
    }

    private mutating func add(_ state: State) throws(CELEvaluationError) -> Int {
        guard states.count < CELLimits.regexStatesMax else {
            throw CELEvaluationError(.invalidArgument, "the regular expression is too large")
        }
        states.append(state)
        return states.count - 1
    }

    /// Adds states that match `node` and go on at `next`; built back to front, so that targets exist.
    private mutating func compile(_ node: RegexNode, next: Int) throws(CELEvaluationError) -> Int {
        switch node {
        case .empty: return next
        case .set(let set):
            sets.append(set)
            return try add(.set(sets.count - 1, next: next))
        case .assertion(let assertion): return try add(.assertion(assertion, next: next))
        case .sequence(let parts):
            var target = next
            for part in parts.reversed() { target = try compile(part, next: target) }
            return target
        case .alternatives(let branches):
            var target = try compile(branches[branches.count - 1], next: next)
            for branch in branches.dropLast().reversed() {
                target = try add(.split(try compile(branch, next: next), target))
            }
            return target
        case .repetition(let body, let low, let high): return try compileRepetition(of: body, low, high, next: next)
        }
    }

    private mutating func compileRepetition(
        of body: RegexNode, _ low: Int, _ high: Int?, next: Int
    ) throws(CELEvaluationError) -> Int {
        var target = next
        if let high {
            for _ in low..<high { target = try add(.split(try compile(body, next: target), next)) }
        } else {
            let loop = try add(.split(next, next))
            states[loop] = .split(try compile(body, next: loop), next)
            target = loop
        }
        for _ in 0..<low { target = try compile(body, next: target) }
        return target
    }

    // MARK: Matching

    /// The states that the automaton may be in, each once, in the order they were reached.
    private struct StateList {
        private(set) var members: [Int] = []
        private var marks: [Bool]

        init(capacity: Int) {
            marks = Array(repeating: false, count: capacity)
            members.reserveCapacity(capacity)
        }

        mutating func insert(_ state: Int) -> Bool {
            guard !marks[state] else { return false }
            marks[state] = true
            members.append(state)
            return true
        }

        mutating func removeAll() {
            for state in members { marks[state] = false }
            members.removeAll(keepingCapacity: true)
        }
    }

    /// Whether any part of the text matches; throws `cost_exceeded` when the meter runs out.
    /// - Complexity: O(text × states), at most.
    func matches(_ text: String, meter: inout CostMeter) throws(CELEvaluationError) -> Bool {
        var current = StateList(capacity: states.count)
        var following = StateList(capacity: states.count)
        var pending: [Int] = []
        var previous: Unicode.Scalar?
        var scalars = text.unicodeScalars.makeIterator()
        var scalar = scalars.next()
        while true {
            // A match may begin at every place of the text.
            if reach(start, in: &current, &pending, previous, scalar) { return true }
            guard let consumed = scalar else { return false }
            guard meter.spend(current.members.count / 4 + 1) else { throw CELEvaluationError(.costExceeded) }
            let upcoming = scalars.next()
            for state in current.members {
                guard case .set(let set, let next) = states[state], sets[set].contains(consumed) else { continue }
                if reach(next, in: &following, &pending, consumed, upcoming) { return true }
            }
            current.removeAll()
            swap(&current, &following)
            previous = consumed
            scalar = upcoming
        }
    }

    /// Adds a state and all that it leads to without consuming; true once that is the accepting one.
    private func reach(
        _ state: Int, in list: inout StateList, _ pending: inout [Int], _ previous: Unicode.Scalar?,
        _ next: Unicode.Scalar?
    ) -> Bool {
        pending.append(state)
        defer { pending.removeAll(keepingCapacity: true) }
        while let state = pending.popLast() {
            guard list.insert(state) else { continue }
            switch states[state] {
            case .accept: return true
            case .set: break
            case .split(let first, let second):
                pending.append(second)
                pending.append(first)
            case .assertion(let assertion, let target):
                if assertion.holds(between: previous, and: next) { pending.append(target) }
            }
        }
        return false
    }
}

extension RegexNode.Assertion {
    fileprivate func holds(between previous: Unicode.Scalar?, and next: Unicode.Scalar?) -> Bool {
        switch self {
        case .textStart: previous == nil
        case .textEnd: next == nil
        case .lineStart: previous == nil || previous == "\n"
        case .lineEnd: next == nil || next == "\n"
        case .wordBoundary: isWord(previous) != isWord(next)
        case .notWordBoundary: isWord(previous) == isWord(next)
        }
    }

    private func isWord(_ scalar: Unicode.Scalar?) -> Bool {
        guard let scalar else { return false }
        return ScalarSet.wordCharacters.contains { scalar.value >= $0.0 && scalar.value <= $0.1 }
    }
}
