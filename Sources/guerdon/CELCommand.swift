import ArgumentParser
import CELTool

struct CELCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cel",
        abstract: "Try the conditions of plans (Common Expression Language).",
        subcommands: [EvaluateCommand.self])

    struct EvaluateCommand: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "eval",
            abstract: "Evaluate an expression and print a typed value as JSON.",
            discussion: """
                The exit status is 1 when evaluating failed, and 2 when the expression does not parse or check; the \
                place is then shown on standard error. --batch reads lines {"expr":…,"vars":{…},"container":""} from \
                standard input and answers a line each.

                Examples:
                  guerdon cel eval --expr '1 + 2'
                  guerdon cel eval --expr 'x > 2' --vars '{"x":{"type":"int","value":"3"}}'
                  guerdon cel eval --batch < expressions.ndjson
                """)

        @Option(parsing: .unconditional, help: ArgumentHelp("The expression.", valueName: "text"))
        var expr: String?

        @Option(help: ArgumentHelp("Typed values by name, as JSON.", valueName: "json"))
        var vars = ""

        @Option(help: ArgumentHelp("The namespace in which names are looked up first.", valueName: "name"))
        var container = ""

        @Flag(help: "Answer lines from standard input.")
        var batch = false

        func validate() throws {
            if batch == (expr != nil) { throw ValidationError("give either --expr or --batch") }
        }

        func run() throws {
            guard let expr else { return try answerLines() }
            let outcome = CELTool.evaluate(expression: expr, variablesJSON: vars, container: container)
            if let explanation = outcome.explanation { Terminal.error.line(explanation) }
            Terminal.output.line(outcome.output)
            if outcome.exitCode != 0 { throw ExitCode(outcome.exitCode) }
        }

        private func answerLines() throws {
            try run(reporting: "cel eval") {
                var pending = ""
                let input = try LineInput(path: "-")
                try input.forEachLine { line in
                    pending += CELTool.evaluateBatchLine(String(decoding: line, as: UTF8.self)) + "\n"
                } waiting: { _ in
                    // Whoever feeds line by line gets each answer before the next line is waited for.
                    Terminal.output.write(pending)
                    pending = ""
                }
                Terminal.output.write(pending)
            }
        }
    }
}
