import CEL
import Testing

/// The machine against the plain evaluator, on expressions nobody thought of.
struct EquivalenceTests {
    private static let slots: [CELValue] = [
        .bool(true), .int(3), .int(0), .decimal(CELDecimal(coefficient: 1_050, scale: 2)), .string("aé"),
        .list([.int(4), .int(0), .int(-2)]),
    ]

    private static let environment: CELEnvironment = {
        var environment = CELEnvironment()
        let types: [(String, CELType)] = [
            ("flag", .bool), ("n", .int), ("m", .int), ("price", .decimal), ("text", .string), ("numbers", .list(.int)),
        ]
        for (name, type) in types { environment.declare(name, type) }
        return environment
    }()

    @Test(arguments: 0..<8)
    func machineAgreesWithThePlainEvaluator(_ seed: UInt64) throws {
        var generator = RandomExpression(seed: seed)
        let kinds: [RandomExpression.Kind] = [.bool, .int, .decimal, .string, .list]
        let naive = NaiveEvaluator(slots: Self.slots)
        var values = 0
        var failures = 0
        for round in 0..<1_500 {
            let source = generator.next(kinds[round % 3 == 0 ? round % kinds.count : 0], depth: 2 + round % 4)
            let program = try CELProgram.compile(source, in: Self.environment, expecting: nil)
            let expected = naive.evaluate(program.root)
            let actual = run(program)
            #expect(expected == actual, "\(source)")
            if case .success = actual { values += 1 } else { failures += 1 }
            // Deferred checking must not change what a well-typed expression gives.
            let deferred = try CELProgram.compile(source, in: Self.environment, expecting: nil, checking: .deferred)
            #expect(run(deferred) == actual, "\(source)")
        }
        #expect(values > 200 && failures > 50)
    }

    private func run(_ program: CELProgram) -> NaiveEvaluator.Outcome {
        do throws(CELEvaluationError) {
            return .success(try program.evaluate(CELValues(Self.slots), costLimit: 10_000_000))
        } catch {
            return .failure(.code(error.code))
        }
    }
}
