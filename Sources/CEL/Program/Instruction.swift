/// One step of the virtual machine; what `a`, `b` and `c` mean depends on the operation.
struct Instruction {
    let operation: Operation
    var c: UInt8 = 0
    var a: Int32 = 0
    var b: Int32 = 0

    enum Operation: UInt8 {
        // Pushing.
        /// Push constant `a`.
        case constant
        /// Push slot `a`.
        case slot
        /// Push the operand at place `a` of the stack.
        case local
        /// Push the entry of slot `a` under text constant `b`.
        case slotSelect
        /// Push whether slot `a` has an entry under text constant `b`.
        case slotHas

        // Operators; each replaces its operands by the result.
        /// The entry under text constant `a`.
        case select
        /// Whether there is an entry under text constant `a`.
        case has
        /// Comparison `c` of two operands.
        case compare
        /// Comparison `c` with constant `a`.
        case compareConstant
        /// Push comparison `c` of slot `a` with constant `b`.
        case compareSlotConstant
        /// Whether the operand is in constant `a`.
        case membershipConstant
        /// Whether the operand matches compiled pattern `a`.
        case matchesCompiled
        case membership, index, not, negate, add, subtract, multiply, divide, modulus
        /// Function number `c` of `a` arguments.
        case call
        /// A list of `a` operands.
        case makeList
        /// A map of `a` keys and values.
        case makeMap

        // Control.
        /// Go on at `a`.
        case jump
        /// Pop a condition; if false go on at `a`.
        case jumpIfFalse
        /// Pop a condition; if false, forget level `b`'s error, push false and go on at `a`.
        case andStep
        /// Pop a condition; if true, forget level `b`'s error, push true and go on at `a`.
        case orStep
        /// End of `&&` at level `b`: a true on top gives way to the level's error.
        case andEnd
        /// End of `||` at level `b`: a false on top gives way to the level's error.
        case orEnd
        /// Raise level `b`'s error, or push whether `c` is 1.
        case conclude
        /// Raise failure `a`.
        case fail
        /// The value on top is the result.
        case finish

        // Macros, over a frame of operands at place `b`: range, index, accumulator.
        /// Check that the top is a list or map; push the index.
        case begin
        /// Push the next element as `c` variables, or go on at `a` after the last.
        case next
        /// Cut the stack to `a` operands.
        case truncate
        /// Keep the top, but cut what is below it down to `a` operands.
        case squash
        /// Pop a condition; count a true in the accumulator.
        case countTrue
        /// Pop a condition; if true append the first variable to the accumulator.
        case appendIfTrue
        /// Pop a value and append it to the accumulator.
        case append
        /// Pop a value and append it and its key to the two accumulators.
        case appendEntry
        /// Push whether the accumulator is one.
        case isOne
        /// Push the map of the two accumulators.
        case makeAccumulatedMap
    }
}

/// The comparison operators.
enum Comparison: UInt8 {
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual

    init?(_ function: CELFunction) {
        switch function {
        case .equal: self = .equal
        case .notEqual: self = .notEqual
        case .less: self = .less
        case .lessOrEqual: self = .lessOrEqual
        case .greater: self = .greater
        case .greaterOrEqual: self = .greaterOrEqual
        default: return nil
        }
    }

    /// The operator with its sides exchanged.
    var mirrored: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }

    var function: CELFunction {
        switch self {
        case .equal: .equal
        case .notEqual: .notEqual
        case .less: .less
        case .lessOrEqual: .lessOrEqual
        case .greater: .greater
        case .greaterOrEqual: .greaterOrEqual
        }
    }

    @inline(__always)
    func holds(_ order: CELValue.Order) -> Bool {
        switch self {
        case .equal: order == .equal
        case .notEqual: order != .equal
        case .less: order == .before
        case .lessOrEqual: order == .before || order == .equal
        case .greater: order == .after
        case .greaterOrEqual: order == .after || order == .equal
        }
    }
}

/// Instructions whose errors wait at a logical operator: the other operands may still decide the result.
struct AbsorbingRegion {
    /// The region's instructions.
    let instructions: Range<Int>
    /// Where to go on after an error.
    let resume: Int
    /// How many operands stay.
    let height: Int
    /// The level of the operator that keeps the error; outer ones have lower levels.
    let level: Int32
}

/// A compiled expression: flat, immutable, shared by all evaluations.
///
/// A class, so that an evaluation holds it by one reference instead of one for every array.
final class Code: Sendable {
    let instructions: [Instruction]
    let constants: [CELValue]
    let texts: [String]
    let patterns: [Regex]
    let failures: [CELEvaluationError]
    /// Innermost first, so that the first that holds an instruction is the nearest.
    let regions: [AbsorbingRegion]
    let stackHeight: Int
    let timeZones: CELEnvironment.TimeZoneLookup?

    init(_ draft: CodeDraft, _ timeZones: CELEnvironment.TimeZoneLookup?) {
        instructions = draft.instructions
        constants = draft.constants
        texts = draft.texts
        patterns = draft.patterns
        failures = draft.failures
        regions = draft.regions
        stackHeight = draft.stackHeight
        self.timeZones = timeZones
    }
}

/// Code while it is being put together.
struct CodeDraft {
    var instructions: [Instruction] = []
    var constants: [CELValue] = []
    var texts: [String] = []
    var patterns: [Regex] = []
    var failures: [CELEvaluationError] = []
    var regions: [AbsorbingRegion] = []
    var stackHeight = 0
}
