import CEL
import TestSupport
import Testing

/// Hostile input ends in an error, soon, and never in a trap.
struct LimitTests {
    private func repeated(_ text: String, _ count: Int) -> String {
        String(repeating: text, count: count)
    }

    @Test func deepNestingIsRefusedByName() {
        for source in [
            repeated("(", 5_000) + "1" + repeated(")", 5_000), repeated("[", 5_000) + repeated("]", 5_000),
            repeated("{1: ", 5_000) + "1" + repeated("}", 5_000), repeated("!", 5_000) + "true",
            repeated("-", 5_000) + "1",
            repeated("dyn(", 5_000) + "1" + repeated(")", 5_000), "1" + repeated(" + 1", 5_000),
            "x" + repeated(".x", 5_000),
            "[]" + repeated("[0]", 5_000), repeated("true ? 1 : ", 5_000) + "1", "[1]" + repeated(".map(x, x)", 5_000),
            repeated("[1].map(x, ", 5_000) + "x" + repeated(")", 5_000),
        ] {
            #expect(outcome(of: source) == "invalid limit_exceeded", "\(source.prefix(20))")
        }
    }

    @Test func nestingWithinTheLimitRuns() {
        #expect(outcome(of: repeated("(", 90) + "1" + repeated(")", 90)) == "1")
        #expect(outcome(of: "1" + repeated(" + 1", 390)) == "391")
        #expect(outcome(of: repeated("!", 200) + "true") == "true")
        #expect(outcome(of: "true" + repeated(" && true", 5_000)) == "true")
        #expect(outcome(of: "false" + repeated(" || false", 5_000) + " || true") == "true")
        #expect(outcome(of: "1/0 == 1" + repeated(" || 1/0 == 1", 1_000) + " || true") == "true")
    }

    @Test func longSourceIsRefused() {
        #expect(outcome(of: "'" + repeated("x", 70_000) + "'") == "invalid limit_exceeded")
        #expect(outcome(of: "[" + repeated("1,", 25_000) + "]") == "invalid limit_exceeded")
        #expect(outcome(of: "size('" + repeated("x", 65_000) + "')") == "65000")
    }

    @Test func wideExpressionsRunOrAreRefused() {
        #expect(outcome(of: "[" + repeated("1,", 15_000) + "].size()") == "15000")
        #expect(outcome(of: "[" + repeated("dyn(1),", 3_000) + "].size()") == "3000")
        #expect(outcome(of: "[" + repeated("dyn(1),", 6_000) + "].size()") == "invalid limit_exceeded")
    }

    @Test func costLimitEndsLongEvaluations() {
        let list = "[" + repeated("1,", 100) + "]"
        let loops = "\(list).all(a, \(list).all(b, \(list).all(c, a + b + c == 3)))"
        #expect(outcome(of: loops, costLimit: 10_000) == "error cost_exceeded")
        #expect(outcome(of: loops, costLimit: 100_000_000) == "true")
        #expect(outcome(of: "\(loops) || true", costLimit: 10_000) == "error cost_exceeded")
        #expect(outcome(of: "true", costLimit: 0) == "error cost_exceeded")
    }

    @Test func growthIsPaidFor() {
        // Each level doubles the text or list; without a price the last would need terabytes.
        var text = "s"
        for level in 0..<40 { text = "[\(text)].map(x\(level), x\(level) + x\(level))[0]" }
        for value in [
            CELValue.string(repeated("x", 1_000)), .list(Array(repeating: .int(1), count: 1_000)), .bytes([1, 2, 3]),
        ] {
            #expect(outcome(of: text, [("s", value)]) == "error cost_exceeded")
        }
    }

    @Test func comparingSharedStructureIsPaidFor() {
        // A list of lists of lists: 10^9 elements by reference, all equal.
        let inner = CELValue.list(Array(repeating: .int(1), count: 1_000))
        let middle = CELValue.list(Array(repeating: inner, count: 1_000))
        let outer = CELValue.list(Array(repeating: middle, count: 1_000))
        #expect(outcome(of: "a == b", [("a", outer), ("b", outer)]) == "error cost_exceeded")
        #expect(outcome(of: "a in [b]", [("a", outer), ("b", outer)]) == "error cost_exceeded")
    }

    @Test func searchingIsPaidFor() {
        let hay = CELValue.string(repeated("a", 50_000))
        let needle = CELValue.string(repeated("a", 10_000) + "b")
        #expect(outcome(of: "h.contains(n)", [("h", hay), ("n", needle)]) == "error cost_exceeded")
    }

    @Test func randomTextNeverTraps() {
        var random = SplitMix64(seed: 21)
        let words = [
            "1", "2u", "1.5", "'a'", "b'x'", "true", "false", "null", "x", "y", ".", ",", "(", ")", "[", "]", "{", "}",
            "?", ":",
            "+", "-", "*", "/", "%", "!", "&&", "||", "==", "!=", "<", ">=", "in", "has", "all", "map", "exists",
            "size",
            "timestamp", "duration", "decimal", "'2026-01-01T00:00:00Z'", "'1s'", "matches", "`q`", " ", "\n", "//",
            "é", "\\",
            "r'", "\"\"\"", "0x", "1e", "int", "type", "getHours", "9223372036854775807",
        ]
        for _ in 0..<20_000 {
            let source = (0..<Int.random(in: 1...14, using: &random)).map { _ in words.pick(&random) }.joined(
                separator: Bool.random(using: &random) ? " " : "")
            _ = outcome(
                of: source, [("x", .int(1)), ("y", .list([.string("a")]))], checking: .deferred, costLimit: 5_000)
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = SplitMix64(seed: 22)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next())
            }
            _ = outcome(of: String(decoding: bytes, as: UTF8.self), checking: .deferred)
        }
    }

    @Test func randomValuesThroughEveryFunctionNeverTrap() {
        var random = SplitMix64(seed: 23)
        let values: [CELValue] = [
            .null, .bool(true), .int(.min), .int(.max), .int(-1), .int(0), .uint(.max), .uint(0), .double(.nan),
            .double(.infinity), .double(-.infinity), .double(-0.0), .double(.greatestFiniteMagnitude),
            .double(.leastNonzeroMagnitude), .double(9.223372036854775807e18), .string(""), .string("1"), .string("é"),
            .string("2026-01-01T00:00:00Z"), .string("9999-12-31T23:59:59.999999999Z"),
            .string("-9223372036854775808ns"),
            .string("[a-"), .bytes([]), .bytes([255]), .list([]), .list([.int(1), .null]),
            .map(CELMap(strings: [("a", .int(1))])),
            .timestamp(CELTimestamp(nanosecondsSinceEpoch: .min)),
            .timestamp(CELTimestamp(nanosecondsSinceEpoch: .max)),
            .duration(CELDuration(nanoseconds: .min)), .duration(CELDuration(nanoseconds: .max)), .type(.int),
            .decimal(CELDecimal(coefficient: .min, scale: 0)), .decimal(CELDecimal(coefficient: .min, scale: 18)),
            .decimal(CELDecimal(coefficient: .max, scale: 18)), .decimal(CELDecimal(coefficient: 0, scale: 9)),
        ]
        let binary = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "in", "&&", "||"].map { "a \($0) b" }
        let methods = CELFunction.allCases.map(\.rawValue).filter { !$0.contains("_") && $0 != "-_" }
        let calls = methods.flatMap { ["\($0)(a)", "a.\($0)()", "a.\($0)(b)", "\($0)(a, b)"] }
        let sources =
            binary + calls + [
                "-a", "!a", "a[b]", "a.x", "has(a.x)", "a ? b : a", "[a].map(x, b)", "a.all(x, b)", "{a: b}",
            ]
        for source in sources {
            for _ in 0..<60 {
                _ = outcome(
                    of: source, [("a", values.pick(&random)), ("b", values.pick(&random))], checking: .deferred)
            }
        }
    }
}
