/// What a condition can see: the action, the performer, and whoever would be paid.
public struct Context {
    var action: ActionFacts
    var member: MemberFacts
    var recipient: MemberFacts
    var level: Int
}

/// An action as conditions see it.
struct ActionFacts {
    var type: Text
    var value: ExactDecimal?
    var currency: Text?
    var at: Instant
    var title: Text?
    var externalId: Text
    var attributes: [Text: Attribute]
}

/// A member as conditions see him.
struct MemberFacts {
    var id: Text
    var kind: Text?
    var tags: [Text]
    var attributes: [Text: Attribute]
    var registered: CivilDate?
    var birthday: CivilDate?
    var name: Text?
}

/// The conditions that the model understands: texts of CEL, each with its meaning written by hand in Swift.
///
/// The meaning of a text is `nil` where CEL says that the evaluation fails: the condition then counts as false, but a
/// negation of it fails as well instead of becoming true.
public enum Conditions {
    /// The meaning of each text.
    public static let table: [String: @Sendable (Context) -> Bool?] = Dictionary(
        uniqueKeysWithValues: typeTests + valueTests + attributeTests + memberTests + recipientTests + logicTests)

    /// Texts that no `plan.put` may accept.
    public static let invalid = [
        "action.type ==", "action.type == 'purchase", "(action.value > 1", "action.type = 'x'", "1 +",
        "nobody.kind == 'x'",
        "unknownFunction(action.type)", "'text'", "1 + 2",
    ]

    /// Whether the text is evaluated for each recipient instead of once.
    static func isPerRecipient(_ text: String) -> Bool {
        text.contains("level") || text.contains("recipient")
    }

    static func text(_ attribute: Attribute?, equals other: Text) -> Bool? {
        guard let attribute else { return nil }
        return attribute == .string(other)
    }

    /// Three-valued `&&` that absorbs failures, as CEL's does.
    static func and(_ left: Bool?, _ right: Bool?) -> Bool? {
        if left == false || right == false { return false }
        return left == true && right == true ? true : nil
    }

    /// Three-valued `||` that absorbs failures, as CEL's does.
    static func or(_ left: Bool?, _ right: Bool?) -> Bool? {
        if left == true || right == true { return true }
        return left == false && right == false ? false : nil
    }

    /// An attribute as a number: `nil` when missing or no number, because CEL then finds no such comparison.
    static func number(_ attribute: Attribute?) -> ExactDecimal? {
        switch attribute {
        case .int(let value): ExactDecimal(units: value, scale: 0)
        case .decimal(let value): value
        default: nil
        }
    }

    static func integer(_ value: Int64) -> ExactDecimal { ExactDecimal(units: value, scale: 0) }

    static func value(_ context: Context, _ test: (ExactDecimal) -> Bool) -> Bool? { context.action.value.map(test) }
}
