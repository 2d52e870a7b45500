import CEL

extension Workload {
    /// Conditions of plans: what asking one costs, and what putting one costs.
    static let condition = [
        Workload("cel-comparison", unit: "evaluation", operations: 1_000) {
            try EvaluationSession("action.type == 'purchase' && action.value >= 10")
        },
        Workload("cel-text-macro", unit: "evaluation", operations: 1_000) {
            try EvaluationSession(
                "member.tags.exists(tag, tag.startsWith('vip')) && action.title.contains('book')"
                    + " && action.attributes.channel in ['web', 'app']")
        },
        Workload("cel-compile", unit: "compilation", operations: 100) { CompilationSession() },
    ]

    fileprivate static let environment: CELEnvironment = {
        var environment = CELEnvironment()
        environment.declare(
            "action",
            .object(
                "Action",
                fields: [
                    CELField("type", .string), CELField("value", .nullable(.decimal)),
                    CELField("title", .nullable(.string)), CELField("attributes", .map(key: .string, value: .dyn)),
                ]))
        environment.declare("member", .object("Member", fields: [CELField("tags", .list(.string))]))
        return environment
    }()
}

/// Asks a condition that holds.
private final class EvaluationSession: Session {
    private let program: CELProgram
    private let values = CELValues([
        .string("purchase"), .decimal(CELDecimal(coefficient: 1234, scale: 2)), .string("An old book of maps"),
        .map(CELMap(strings: [("items", .int(3)), ("channel", .string("web"))])),
        .list([.string("newsletter"), .string("early"), .string("vip-2026")]),
    ])

    init(_ source: String) throws {
        program = try CELProgram.compile(source, in: Workload.environment)
    }

    func run() throws {
        for _ in 0..<1_000 where try !program.evaluateCondition(values) { expect(false, "a condition does not hold") }
    }
}

/// Parses, checks and compiles a condition of usual length.
private final class CompilationSession: Session {
    func run() throws {
        for _ in 0..<100 {
            let program = try CELProgram.compile(
                "action.type == 'purchase' && action.value >= 10 && (action.title.contains('book')"
                    + " || member.tags.exists(tag, tag.startsWith('vip')))",
                in: Workload.environment)
            expect(program.slots.count == 4, "slots \(program.slots)")
        }
    }
}
