/// Every bound of the language, in one place.
///
/// The bounds keep hostile expressions cheap: each is checked before the work that it limits, and
/// exceeding one is an ordinary error (`limit_exceeded` while compiling, `cost_exceeded` while evaluating).
public enum CELLimits {
    /// Longest source text, in UTF-8 bytes.
    public static let sourceBytesMax = 65_536

    /// Deepest nesting of brackets, calls and ternaries that the parser follows.
    public static let nestingMax = 96

    /// Deepest syntax tree, counting also chains such as `a + b + c + …`.
    public static let treeDepthMax = 400

    /// Most nodes in one syntax tree.
    public static let nodesMax = 20_000

    /// Most operands one evaluation keeps at a time.
    public static let stackSlotsMax = 4_096

    /// Largest compiled regular expression, in automaton states.
    public static let regexStatesMax = 4_000

    /// Deepest nesting of groups in a regular expression.
    public static let regexNestingMax = 100

    /// Largest count in a regular expression's `{n,m}`.
    public static let regexRepeatMax = 1_000

    /// What an evaluation may cost when the caller names no limit; about one unit an instruction.
    public static let defaultCostLimit = 1_000_000
}
