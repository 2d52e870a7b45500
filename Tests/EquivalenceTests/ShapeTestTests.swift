import Testing

@testable import GuerdonCore

/// What conditions say of types and currencies is settled before any action is seen, whatever words they say it in (I22).
@Suite struct ShapeTestTests {
    private static func answer(_ condition: String, _ type: Text, _ currency: Text = "EUR") throws -> String {
        switch try Condition.compile(Text(condition), path: "when").resolved(type: type, currency: currency) {
        case .always: "always"
        case .never: "never"
        case .ask: "ask"
        }
    }

    @Test(arguments: [
        ("action.type == 'course.a'", "always", "never"),
        ("action.type != 'course.a'", "never", "always"),
        ("action.type in ['x', 'course.a']", "always", "never"),
        ("action.type.startsWith('course.')", "always", "never"),
        ("action.type.matches('^c.*[a-z]$') && size(action.type) == 8", "always", "never"),
        ("!action.type.endsWith('.a')", "never", "always"),
        ("action.currency == 'EUR' && action.type.contains('.a')", "always", "never"),
        ("action.currency == null || action.type.startsWith('course.')", "always", "never"),
        ("action.type.startsWith('course.') && action.value > 5", "ask", "never"),
        ("action.type.startsWith('course.') || action.value > 5", "always", "ask"),
        ("action.type.startsWith('course.') ? true : action.value > 5", "ask", "ask"),
        ("['deal', 'course'].exists(t, action.type.startsWith(t))", "always", "never"),
        ("['deal', 'course'].exists(t, action.type.startsWith(t) && action.value > 5)", "ask", "ask"),
    ])
    func typesAreSettledByTheShape(condition: String, course: String, order: String) throws {
        #expect(try Self.answer(condition, "course.a") == course)
        #expect(try Self.answer(condition, "order") == order)
    }

    @Test func currenciesAreSettledToo() throws {
        #expect(try Self.answer("action.currency == null", "order", "") == "always")
        #expect(try Self.answer("action.currency == null", "order") == "never")
        #expect(try Self.answer("action.currency != null && action.currency.startsWith('EU')", "order") == "always")
    }

    /// What fails is told for every action, and not once for all of them.
    @Test func whatFailsIsAsked() throws {
        #expect(try Self.answer("size(action.type) / (size(action.type) - 5) > 1", "order") == "ask")
        #expect(try Self.answer("size(action.type) / (size(action.type) - 5) > 1", "orders") == "always")
    }
}
