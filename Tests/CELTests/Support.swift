import CEL
import TestSupport
import Testing

/// One line of a table: an expression and what it should give.
struct Case: CustomTestStringConvertible, Sendable {
    let expression: String
    let expected: String

    var testDescription: String { expression }

    /// Reads lines of the form `expression => expected`; blank lines are for people.
    static func table(_ text: String) -> [Case] {
        text.split(separator: "\n").compactMap { line in
            guard let arrow = line.place(of: " => ") else { return nil }
            let expected = line[arrow.upperBound...]
            return Case(
                expression: trimmed(line[..<arrow.lowerBound]), expected: trimmed(expected))
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

extension StringProtocol {
    /// The first place of a part of the text.
    func place(of part: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(part) { return start..<index(start, offsetBy: part.count) }
            start = index(after: start)
        }
        return nil
    }
}

/// Evaluates for tables: the value as a literal, `error CODE` or `invalid CODE`.
func outcome(
    of expression: String, _ variables: [(String, CELValue)] = [], checking: CELChecking = .strict,
    costLimit: Int = CELLimits.defaultCostLimit
) -> String {
    var environment = CELEnvironment()
    for (name, value) in variables { environment.declare(name, value.staticType) }
    do throws(CELSyntaxError) {
        let program = try CELProgram.compile(expression, in: environment, expecting: nil, checking: checking)
        do throws(CELEvaluationError) {
            let value = try program.evaluate(CELValues(variables.map(\.1)), costLimit: costLimit)
            return value.debugDescription
        } catch {
            return "error \(error.code.rawValue)"
        }
    } catch {
        return "invalid \(error.code.rawValue)"
    }
}

extension Array {
    func pick(_ random: inout SplitMix64) -> Element {
        self[Int.random(in: indices, using: &random)]
    }
}
