import CEL
import CELTool
import Foundation
import Testing

/// The lines that `guerdon cel eval` reads and prints.
struct ToolTests {
    @Test(arguments: [
        (#"{"expr":"1 + 1"}"#, #"{"type":"int","value":"2"}"#),
        (#"{"expr":"x > 2","vars":{"x":{"type":"int","value":"3"}},"container":""}"#, #"{"type":"bool","value":true}"#),
        (
            #"{"expr":"x","vars":{"x":{"type":"uint","value":"18446744073709551615"}}}"#,
            #"{"type":"uint","value":"18446744073709551615"}"#
        ),
        (#"{"expr":"x","vars":{"x":{"type":"double","value":1.5}}}"#, #"{"type":"double","value":1.5}"#),
        (#"{"expr":"x","vars":{"x":{"type":"double","value":"NaN"}}}"#, #"{"type":"double","value":"NaN"}"#),
        (
            #"{"expr":"-x","vars":{"x":{"type":"double","value":"Infinity"}}}"#,
            #"{"type":"double","value":"-Infinity"}"#
        ),
        (#"{"expr":"x","vars":{"x":{"type":"bytes","value":"/wA="}}}"#, #"{"type":"bytes","value":"/wA="}"#),
        (#"{"expr":"x","vars":{"x":{"type":"null","value":null}}}"#, #"{"type":"null","value":null}"#),
        (
            #"{"expr":"x[0]","vars":{"x":{"type":"list","value":[{"type":"string","value":"é\n\u0001"}]}}}"#,
            #"{"type":"string","value":"é\n\u0001"}"#
        ),
        (
            #"{"expr":"x","vars":{"x":{"type":"map","value":[[{"type":"int","value":"1"},{"type":"bool","value":false}]]}}}"#,
            #"{"type":"map","value":[[{"type":"int","value":"1"},{"type":"bool","value":false}]]}"#
        ),
        (
            #"{"expr":"x","vars":{"x":{"type":"timestamp","value":"2026-01-01T01:00:00+01:00"}}}"#,
            #"{"type":"timestamp","value":"2026-01-01T00:00:00Z"}"#
        ),
        (#"{"expr":"x","vars":{"x":{"type":"duration","value":"1.5s"}}}"#, #"{"type":"duration","value":"1.5s"}"#),
        (#"{"expr":"x + 1","vars":{"x":{"type":"decimal","value":"0.10"}}}"#, #"{"type":"decimal","value":"1.1"}"#),
        (#"{"expr":"x == int","vars":{"x":{"type":"type","value":"int"}}}"#, #"{"type":"bool","value":true}"#),
        (#"{"expr":"type(1)"}"#, #"{"type":"type","value":"int"}"#),
        (#"{"expr":"x","vars":{"x":"plain"}}"#, #"{"type":"string","value":"plain"}"#),
        (
            #"{"expr":"y","vars":{"x.y":{"type":"bool","value":true}},"container":"x"}"#,
            #"{"type":"bool","value":true}"#
        ),
        (#"{"expr":"x || true"}"#, #"{"type":"bool","value":true}"#),
        (#"{"expr":"timestamp('2026-07-01T00:00:00Z').getHours('Europe/Warsaw')"}"#, #"{"type":"int","value":"2"}"#),
    ])
    func batchLineGives(_ line: String, _ answer: String) {
        #expect(CELTool.evaluateBatchLine(line) == answer)
    }

    @Test(arguments: [
        (#"{"expr":"9223372036854775807 + 1"}"#, #""error":"overflow""#),
        (#"{"expr":"1 / 0"}"#, #""error":"divide_by_zero""#),
        (#"{"expr":"x"}"#, #""error":"undeclared_reference""#), (#"{"expr":"'a' + 1"}"#, #""line":1,"column":5"#),
        (#"{"expr":"int('x')"}"#, #""error":"invalid_argument""#), (#"{"expr":"1 +"}"#, #""invalid":"syntax""#),
        (#"{"expr":"1 +"}"#, #""line":1,"column":4"#),
        (#"{"expr":"x","check":true}"#, #""invalid":"undeclared_reference""#),
        ("not json", #""invalid":"bad_json""#), ("{}", #""invalid":"bad_json""#), ("", #""invalid":"bad_json""#),
        (#"{"expr":"1","vars":{"x":{"type":"int","value":"1.5"}}}"#, #""invalid":"bad_json""#),
        (#"{"expr":"1","vars":{"x":{"type":"nope","value":"1"}}}"#, #""invalid":"bad_json""#),
        (#"{"expr":"1","vars":{"x":1,"x":2}}"#, #""invalid":"bad_json""#),
        (#"{"expr":"1","extra":1}"#, #""invalid":"bad_json""#),
        (#"{"expr":"1"} x"#, #""invalid":"bad_json""#), (#"{"expr":"\ud800"}"#, #""invalid":"bad_json""#),
    ])
    func badBatchLineTells(_ line: String, _ part: String) {
        let answer = CELTool.evaluateBatchLine(line)
        #expect(answer.contains(part), "\(answer)")
    }

    @Test func aPersonGetsExitCodesAndACaret() {
        let value = CELTool.evaluate(expression: "x > 2", variablesJSON: #"{"x":{"type":"int","value":"3"}}"#)
        #expect(value.output == #"{"type":"bool","value":true}"#)
        #expect(value.exitCode == 0 && value.explanation == nil)
        let failure = CELTool.evaluate(expression: "1 / 0")
        #expect(failure.exitCode == 1)
        #expect(failure.explanation == "division by zero")
        #expect(CELTool.evaluate(expression: "int('x')").exitCode == 1)
        let mistake = CELTool.evaluate(expression: "true &&\n\tlevle > 1")
        #expect(mistake.exitCode == 2)
        #expect(mistake.explanation == "2:2: nothing is named 'levle'\n  | \tlevle > 1\n  | \t^")
        #expect(CELTool.evaluate(expression: "1", variablesJSON: "[").exitCode == 2)
    }

    @Test func deeplyNestedJSONIsRefused() {
        let line = #"{"expr":"1","vars":{"x":"# + String(repeating: "[", count: 10_000)
        #expect(CELTool.evaluateBatchLine(line).contains("bad_json"))
    }

    /// Every line `expression // => result` of the page runs and gives what it says.
    @Test func documentationExamplesRun() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "Sources/CEL/Documentation.docc/CEL.md"), encoding: .utf8)
        let variables: [(String, CELValue)] = [
            ("level", .int(2)), ("price", .decimal(CELDecimal(coefficient: 1_234, scale: 2))),
            ("tags", .list([.string("vip"), .string("north")])),
            ("attributes", .map(CELMap(strings: [("channel", .string("web")), ("items", .int(3))]))),
            ("at", .timestamp(CELTimestamp(nanosecondsSinceEpoch: 1_793_527_200_000_000_000))), ("nothing", .null),
        ]
        var count = 0
        for line in page.split(separator: "\n") {
            guard let mark = line.place(of: " // => ") else { continue }
            let expected = String(line[mark.upperBound...])
            #expect(outcome(of: String(line[..<mark.lowerBound]), variables) == expected, "\(line)")
            count += 1
        }
        #expect(count >= 40)
    }
}
