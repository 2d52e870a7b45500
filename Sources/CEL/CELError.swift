/// Why an expression was refused before it ran, and where.
public struct CELSyntaxError: Error, Sendable, Equatable {
    /// The stable kinds of refusal; the raw value is the code that the wire carries.
    public enum Code: String, Sendable, CaseIterable {
        /// The text is no expression.
        case syntax
        /// A name that nothing declares.
        case undeclaredReference = "undeclared_reference"
        /// An object without such a field.
        case undeclaredField = "undeclared_field"
        /// No function has this name.
        case unknownFunction = "unknown_function"
        /// The function does not take arguments of these types.
        case noMatchingOverload = "no_matching_overload"
        /// The expression has another type than the one expected.
        case typeMismatch = "type_mismatch"
        /// A constant argument that can never be right, such as `decimal('x')`.
        case invalidArgument = "invalid_argument"
        /// Too long, too deep or too large; see `CELLimits`.
        case limitExceeded = "limit_exceeded"
    }

    /// The stable kind.
    public let code: Code
    /// What is wrong, for people.
    public let message: String
    /// The line of the mistake, from 1.
    public let line: Int
    /// The column of the mistake in code points, from 1.
    public let column: Int

    /// Makes an error.
    public init(_ code: Code, _ message: String, line: Int, column: Int) {
        self.code = code
        self.message = message
        self.line = line
        self.column = column
    }
}

/// Why an evaluation gave no value.
///
/// The message is put together only when somebody reads it: a condition that fails costs no text.
public struct CELEvaluationError: Error, Sendable {
    /// The stable kinds of failure; the raw value is the code that the wire carries.
    public enum Code: String, Sendable, CaseIterable {
        /// A result outside the range of its type.
        case overflow
        /// Division by an integer or decimal zero.
        case divideByZero = "divide_by_zero"
        /// Modulus by an integer or decimal zero.
        case modulusByZero = "modulus_by_zero"
        /// The operation does not exist for these values.
        case noSuchOverload = "no_such_overload"
        /// A map without that key.
        case noSuchKey = "no_such_key"
        /// A list without that index.
        case indexOutOfBounds = "index_out_of_bounds"
        /// An argument of the right type with a wrong value.
        case invalidArgument = "invalid_argument"
        /// A key given twice in a map.
        case duplicateKey = "duplicate_key"
        /// The name was not declared; only where checking was put off.
        case undeclaredReference = "undeclared_reference"
        /// The function does not exist; only where checking was put off.
        case unknownFunction = "unknown_function"
        /// The evaluation cost more than its limit.
        case costExceeded = "cost_exceeded"
    }

    /// The stable kind.
    public let code: Code
    private let reason: String
    private let subject: CELValue?
    private let call: Call?

    private struct Call {
        let function: CELFunction
        let types: [CELTypeName]
    }

    init(_ code: Code, _ reason: String = "", _ subject: CELValue? = nil) {
        self.code = code
        self.reason = reason
        self.subject = subject
        call = nil
    }

    init(_ code: Code, _ function: CELFunction, _ types: [CELTypeName]) {
        self.code = code
        reason = ""
        subject = nil
        call = Call(function: function, types: types)
    }

    /// What went wrong, for people.
    public var message: String {
        var text = reason.isEmpty ? CELEvaluationError.summary(of: code) : reason
        if let subject { text += ": " + subject.debugText }
        if let call {
            text += ": '\(call.function.sign)' of (\(call.types.map(\.rawValue).joined(separator: ", ")))"
        }
        return text
    }

    private static func summary(of code: Code) -> String {
        switch code {
        case .overflow: "the result is out of range"
        case .divideByZero: "division by zero"
        case .modulusByZero: "modulus by zero"
        case .noSuchOverload: "no such overload"
        case .noSuchKey: "no such key"
        case .indexOutOfBounds: "index out of bounds"
        case .invalidArgument: "invalid argument"
        case .duplicateKey: "the map has this key twice"
        case .undeclaredReference: "undeclared reference"
        case .unknownFunction: "unknown function"
        case .costExceeded: "the evaluation cost more than its limit"
        }
    }
}

extension CELEvaluationError: Equatable {
    /// Two failures are equal when their codes and messages are.
    public static func == (left: CELEvaluationError, right: CELEvaluationError) -> Bool {
        left.code == right.code && left.message == right.message
    }
}

/// What is left of an evaluation's cost limit.
struct CostMeter {
    private(set) var remaining: Int

    init(remaining: Int) {
        self.remaining = remaining
    }

    /// Whether the limit still holds after spending `units`; nobody spends on after a no.
    @inline(__always)
    mutating func spend(_ units: Int) -> Bool {
        remaining -= units
        return remaining > 0
    }

    var isExhausted: Bool { remaining <= 0 }
}
