import CEL
import Testing

/// What is refused before it runs, where the message points, and what the engine reads off a program.
struct CheckTests {
    static let environment: CELEnvironment = {
        var environment = CELEnvironment()
        environment.declare("level", .int)
        environment.declare(
            "action",
            .object(
                "Action",
                fields: [
                    CELField("type", .string), CELField("value", .nullable(.decimal)), CELField("at", .timestamp),
                    CELField("attributes", .map(key: .string, value: .dyn)),
                ]))
        environment.declare("tags", .list(.string))
        return environment
    }()

    @Test(arguments: [
        ("", "syntax", 1, 1), ("1 +", "syntax", 1, 4), ("(1", "syntax", 1, 3), ("1)", "syntax", 1, 2),
        ("1 2", "syntax", 1, 3), ("a b", "syntax", 1, 3), ("level >", "syntax", 1, 8), ("level = 1", "syntax", 1, 7),
        ("level & 1", "syntax", 1, 7), ("'abc", "syntax", 1, 1), ("true &&\n  'x", "syntax", 2, 3),
        ("level > 1 &&\n  levle < 3", "undeclared_reference", 2, 3),
        ("level > 1\n  && action.tpye == 'x'", "undeclared_field", 2, 13),
        ("'łódź' + 1 == 'x'", "no_matching_overload", 1, 8), ("'😀' == level", "no_matching_overload", 1, 5),
        ("level", "type_mismatch", 1, 1), ("action == action", "type_mismatch", 1, 1),
        ("action.type > 1", "no_matching_overload", 1, 13),
        ("action.value + 'x' == 'y'", "no_matching_overload", 1, 14),
        ("action.value > 0.5", "no_matching_overload", 1, 14), ("level.name == 1", "no_matching_overload", 1, 7),
        ("tags.name == 'x'", "no_matching_overload", 1, 6), ("nope(1)", "unknown_function", 1, 1),
        ("action.type.nope()", "unknown_function", 1, 13),
        ("action.value >= decimal('1,5')", "invalid_argument", 1, 25),
        ("action.type.matches('[')", "invalid_argument", 1, 21),
        ("action.at > timestamp('2026-02-30T00:00:00Z')", "invalid_argument", 1, 23),
        ("action.at.getHours('Europe/Warsaw') > 8", "invalid_argument", 1, 20),
        ("tags.all(t, t)", "type_mismatch", 1, 13),
        ("action.attributes.x.y.z == 1 && no", "undeclared_reference", 1, 33), ("if", "syntax", 1, 1),
        ("level == 'a' // ż", "no_matching_overload", 1, 7), ("'x' in action.type", "no_matching_overload", 1, 5),
        ("\t\tnope", "undeclared_reference", 1, 3), ("Foo{a: 1}", "undeclared_reference", 1, 1),
    ])
    func mistakeIsToldWithItsPlace(_ source: String, _ code: String, _ line: Int, _ column: Int) {
        do throws(CELSyntaxError) {
            _ = try CELProgram.compile(source, in: Self.environment)
            Issue.record("compiled")
        } catch {
            #expect(error.code.rawValue == code)
            #expect(error.line == line)
            #expect(error.column == column)
            #expect(!error.message.isEmpty)
        }
    }

    @Test(arguments: [
        "level >= 1 && level < 5", "action.type == 'purchase' && action.value >= 10", "action.value == null",
        "has(action.value)", "has(action.attributes.channel)", "action.attributes.channel == 'web'",
        "action.attributes['channel'] in ['web', 'app']", "'vip' in tags && tags.exists(t, t.startsWith('v'))",
        "action.at.getMonth() == 10", "action.at - timestamp('2026-01-01T00:00:00Z') < duration('24h')",
        "level > 1 ? action.value * 2 > 5 : action.type != ''", ".level == 1", "dyn(level) == 'x'",
        "action.value > decimal('0.5')", "[1, 'a'].exists(x, x == 2)",
    ])
    func conditionChecks(_ source: String) throws {
        #expect(try CELProgram.compile(source, in: Self.environment).root.type != .decimal)
    }

    @Test func slotsAreNumberedInOrderOfDeclarationByField() {
        let environment = Self.environment
        #expect(environment.slotCount == 6)
        #expect(
            (0..<6).map(environment.name(ofSlot:)) == [
                "level", "action.type", "action.value", "action.at", "action.attributes", "tags",
            ])
        #expect(environment.slot(of: "level") == 0)
        #expect(environment.slot(of: "action", field: "value") == 2)
        #expect(environment.slot(of: "action", field: "nope") == nil)
        #expect(environment.slot(of: "action") == nil)
        #expect(environment.slot(of: "nope") == nil)
    }

    @Test func onlyTheFieldsReadAreLoaded() throws {
        struct Recorder: CELActivation {
            let expected: Set<Int>
            func value(ofSlot slot: Int) -> CELValue {
                #expect(expected.contains(slot))
                return slot == 0 ? .int(1) : slot == 1 ? .string("a") : .null
            }
        }
        let program = try CELProgram.compile(
            "level == 1 && action.type == 'a' || action.value > 5", in: Self.environment)
        #expect(program.slots == [0, 1, 2])
        #expect(try program.evaluateCondition(Recorder(expected: [0, 1])))
    }

    @Test func attributesCanBeAnsweredWithoutTheirMap() throws {
        struct Attributes: CELActivation {
            func value(ofSlot slot: Int) -> CELValue {
                Issue.record("the map was asked for")
                return .null
            }
            func member(_ key: String, ofSlot slot: Int) -> CELMember {
                key == "channel" ? .value(.string("web")) : key == "odd" ? .unsupported(.int) : .absent
            }
        }
        let environment = Self.environment
        func run(_ source: String) throws -> Bool {
            try CELProgram.compile(source, in: environment).evaluateCondition(Attributes())
        }
        #expect(try run("action.attributes.channel == 'web'"))
        #expect(try run("has(action.attributes.channel)"))
        #expect(try !run("has(action.attributes.region)"))
        #expect(throws: CELEvaluationError.self) { try run("action.attributes.region == 'x'") }
        #expect(throws: CELEvaluationError.self) { try run("action.attributes.odd == 'x'") }
    }

    @Test func theTreeShowsSimpleConditions() throws {
        let program = try CELProgram.compile("action.type in ['a', 'b'] && level >= -1", in: Self.environment)
        guard case .call(.and, let operands) = program.root.kind, operands.count == 2,
            case .call(.membership, let membership) = operands[0].kind, case .slot(1) = membership[0].kind,
            case .call(.greaterOrEqual, let comparison) = operands[1].kind, case .slot(0) = comparison[0].kind
        else {
            Issue.record("the tree has another shape")
            return
        }
        #expect(membership[1].literal == .list([.string("a"), .string("b")]))
        #expect(comparison[1].literal == .int(-1))
        #expect(program.root.type == .bool)
        #expect(program.root.offset == 26)
    }

    @Test func constantsAreFolded() throws {
        for (source, value) in [
            ("decimal('1.5')", CELValue.decimal(CELDecimal(coefficient: 15, scale: 1))),
            ("duration('1m')", .duration(CELDuration(nanoseconds: 60_000_000_000))),
            ("[1, -2]", .list([.int(1), .int(-2)])), ("-decimal('2')", .decimal(CELDecimal(Int64(-2)))),
        ] {
            #expect(try CELProgram.compile(source, in: CELEnvironment(), expecting: nil).root.literal == value)
        }
    }

    @Test func namesResolveFromTheContainerOutwards() throws {
        var environment = CELEnvironment(container: "a.b")
        for name in ["x", "a.x", "a.b.x", "y", "a.y", "z", "a.b.m", "m.k"] { environment.declare(name, .dyn) }
        let values = CELValues(
            (0..<6).map { .int($0) } + [.map(CELMap(strings: [("k", .string("in the map"))])), .string("declared")])
        for (source, expected) in [
            ("x", CELValue.int(2)), (".x", .int(0)), (".a.x", .int(1)), ("y", .int(4)), (".y", .int(3)), ("z", .int(5)),
            ("b.x", .int(2)), ("a.b.x", .int(2)), ("m.k", .string("declared")), ("a.b.m.k", .string("in the map")),
            ("[7].map(x, x)[0]", .int(7)), ("[7].map(x, .x)[0]", .int(0)),
        ] {
            let program = try CELProgram.compile(source, in: environment, expecting: nil)
            #expect(try program.evaluate(values) == expected, "\(source)")
        }
    }

    @Test func longestDeclaredNameWins() throws {
        var environment = CELEnvironment()
        environment.declare("a.b", .map(key: .string, value: .string))
        environment.declare("a.b.c", .string)
        let values = CELValues([
            .map(CELMap(strings: [("c", .string("map")), ("d", .string("entry"))])), .string("name"),
        ])
        func run(_ source: String) throws -> CELValue {
            try CELProgram.compile(source, in: environment, expecting: nil).evaluate(values)
        }
        #expect(try run("a.b.c") == .string("name"))
        #expect(try run("a.b.d") == .string("entry"))
        #expect(try run("has(a.b.c)") == .bool(true))
    }

    @Test func failureWithoutAnExpectedTypeIsDecidedAtRunTime() throws {
        let program = try CELProgram.compile("action.attributes.flag", in: Self.environment)
        #expect(program.root.type == .dyn)
        let values = CELValues([
            .int(0), .string(""), .null, .timestamp(CELTimestamp(nanosecondsSinceEpoch: 0)),
            .map(CELMap(strings: [("flag", .int(1))])), .list([]),
        ])
        #expect(throws: CELEvaluationError.self) { try program.evaluateCondition(values) }
    }
}
