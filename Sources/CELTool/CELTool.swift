public import CEL

/// What `guerdon cel eval` does, without the command line: typed values in, one line of JSON out.
///
/// ```swift
/// CELTool.evaluate(expression: "x > 2", variablesJSON: #"{"x":{"type":"int","value":"3"}}"#)
/// // output {"type":"bool","value":true}, exit code 0
/// ```
public enum CELTool {
    /// What an evaluation printed, and how the process should exit.
    public struct Outcome: Sendable, Equatable {
        /// One line of JSON, without the line's end.
        public let output: String
        /// 0 for a value, 1 for a failed evaluation, 2 for what does not parse or check.
        public let exitCode: Int32
        /// For a person at a terminal: the message with the line of source and a caret; nil for a value.
        public let explanation: String?
    }

    /// Evaluates one expression for a person: checked strictly, as a plan's conditions are.
    ///
    /// - Parameters:
    ///   - expression: the source text.
    ///   - variablesJSON: an object of typed values by variable name; empty text for none.
    ///   - container: the namespace in which names are looked up first.
    ///   - checking: `.deferred` lets what does not check fail while evaluating, as batches do.
    public static func evaluate(
        expression: String, variablesJSON: String = "", container: String = "", checking: CELChecking = .strict
    ) -> Outcome {
        do throws(JSONError) {
            let variables = try variablesJSON.isEmpty ? [] : TypedValue.variables(from: JSON.parse(variablesJSON))
            return evaluate(
                Request(expression: expression, variables: variables, container: container, checking: checking))
        } catch {
            return Outcome(
                output: invalid("bad_json", "the variables: " + error.message, line: 1, column: error.column),
                exitCode: 2,
                explanation: "the variables: " + error.message)
        }
    }

    /// Answers one line `{"expr":…,"vars":{…},"container":"…"}` of a batch.
    ///
    /// Names and types are checked while evaluating, as the language's own conformance suites expect; a line with
    /// `"check":true` is checked strictly.
    public static func evaluateBatchLine(_ line: String) -> String {
        do throws(JSONError) {
            return evaluate(try Request(line: line)).output
        } catch {
            return invalid("bad_json", error.message, line: 1, column: error.column)
        }
    }

    struct Request {
        let expression: String
        let variables: [(name: String, value: CELValue)]
        let container: String
        let checking: CELChecking
    }

    private static func evaluate(_ request: Request) -> Outcome {
        var environment = CELEnvironment(container: request.container, timeZones: TimeZones.offset)
        for variable in request.variables { environment.declare(variable.name, variable.value.staticType) }
        do throws(CELSyntaxError) {
            let program = try compile(request, environment)
            return run(program, request, environment)
        } catch {
            return Outcome(
                output: invalid(error.code.rawValue, error.message, line: error.line, column: error.column),
                exitCode: 2,
                explanation: caret(error, in: request.expression))
        }
    }

    private static func compile(
        _ request: Request, _ environment: CELEnvironment
    ) throws(CELSyntaxError) -> CELProgram {
        do throws(CELSyntaxError) {
            return try CELProgram.compile(
                request.expression, in: environment, expecting: nil, checking: request.checking)
        } catch {
            // A constant that cannot be converted is a mistake in a plan, but here its evaluation is asked for.
            guard error.code == .invalidArgument else { throw error }
            return try CELProgram.compile(request.expression, in: environment, expecting: nil, checking: .deferred)
        }
    }

    private static func run(_ program: CELProgram, _ request: Request, _ environment: CELEnvironment) -> Outcome {
        do throws(CELEvaluationError) {
            let value = try program.evaluate(CELValues(request.variables.map(\.value)))
            return Outcome(output: TypedValue.encode(value), exitCode: 0, explanation: nil)
        } catch {
            var output = #"{"error":"# + JSON.quoted(error.code.rawValue) + #","message":"# + JSON.quoted(error.message)
            var explanation = error.message
            if let mistake = mistake(in: request, environment) {
                output += #","line":\#(mistake.line),"column":\#(mistake.column)"#
                explanation = caret(mistake, in: request.expression)
            }
            return Outcome(output: output + "}", exitCode: 1, explanation: explanation)
        }
    }

    /// What strict checking has against the expression: most often the reason why it failed.
    private static func mistake(in request: Request, _ environment: CELEnvironment) -> CELSyntaxError? {
        do throws(CELSyntaxError) {
            _ = try CELProgram.compile(request.expression, in: environment, expecting: nil)
            return nil
        } catch {
            return error
        }
    }

    private static func invalid(_ code: String, _ message: String, line: Int, column: Int) -> String {
        #"{"invalid":\#(JSON.quoted(code)),"message":\#(JSON.quoted(message)),"line":\#(line),"column":\#(column)}"#
    }

    /// The error for a person: place and message, the line of source, and a caret below the mistake.
    ///
    /// ```
    /// 1:5: the expression ends where a value should
    ///   | x >
    ///   |    ^
    /// ```
    public static func caret(_ error: CELSyntaxError, in source: String) -> String {
        let lines = source.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
        let line = error.line <= lines.count ? String(lines[error.line - 1]) : ""
        // Tabs stay tabs, so that the caret stands below its character however wide they are.
        let lead = line.unicodeScalars.prefix(error.column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
        return "\(error.line):\(error.column): \(error.message)\n  | \(line)\n  | \(lead)^"
    }
}

extension CELTool.Request {
    /// Reads a batch line.
    init(line: String) throws(JSONError) {
        guard case .object(let members) = try JSON.parse(line) else { throw JSONError("the line is no object") }
        var expression: String?
        var variables: [(name: String, value: CELValue)] = []
        var container = ""
        var checking = CELChecking.deferred
        for (name, value) in members {
            switch (name, value) {
            case ("expr", .string(let text)): expression = text
            case ("vars", .null), ("container", .null): break
            case ("vars", let value): variables = try TypedValue.variables(from: value)
            case ("container", .string(let text)): container = text
            case ("check", .bool(let flag)): checking = flag ? .strict : .deferred
            default: throw JSONError("the field '\(name)' is unknown or of the wrong type")
            }
        }
        guard let expression else { throw JSONError("the field 'expr' is missing") }
        self.init(expression: expression, variables: variables, container: container, checking: checking)
    }
}
