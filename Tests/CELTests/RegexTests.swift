import CEL
import Testing

/// Regular expressions in RE2's syntax, and that none is slow.
struct RegexTests {
    struct Match: CustomTestStringConvertible, Sendable {
        let pattern: String
        let accepts: [String]
        let refuses: [String]

        init(_ pattern: String, accepts: [String] = [], refuses: [String] = []) {
            self.pattern = pattern
            self.accepts = accepts
            self.refuses = refuses
        }

        var testDescription: String { pattern }
    }

    @Test(arguments: matches)
    func patternMatches(_ test: Match) {
        for text in test.accepts { #expect(match(text, test.pattern) == "true", "\(text)") }
        for text in test.refuses { #expect(match(text, test.pattern) == "false", "\(text)") }
    }

    static let matches: [Match] = [
        Match("abc", accepts: ["abc", "xabcx"], refuses: ["ab", "acb", ""]),
        Match("", accepts: ["", "x"]),
        Match("^abc$", accepts: ["abc"], refuses: ["xabc", "abcx", "abc\n"]),
        Match(#"\Aabc\z"#, accepts: ["abc"], refuses: ["abc\n"]),
        Match("a.c", accepts: ["abc", "a€c", "a😀c"], refuses: ["ac", "a\nc"]),
        Match("(?s)a.c", accepts: ["a\nc"]),
        Match("(?m)^b$", accepts: ["a\nb\nc"], refuses: ["a\nbb"]),
        Match("^b$", refuses: ["a\nb\nc"]),
        Match("ab*c", accepts: ["ac", "abbbc"], refuses: ["adc"]),
        Match("ab+c", accepts: ["abc", "abbc"], refuses: ["ac"]),
        Match("^ab?c$", accepts: ["ac", "abc"], refuses: ["abbc"]),
        Match("^a{3}$", accepts: ["aaa"], refuses: ["aa", "aaaa"]),
        Match("^a{2,}$", accepts: ["aa", "aaaaa"], refuses: ["a"]),
        Match("^a{2,3}$", accepts: ["aa", "aaa"], refuses: ["a", "aaaa"]),
        Match("^a{0}$", accepts: [""], refuses: ["a"]),
        Match("a{,2}", accepts: ["a{,2}"], refuses: ["aa"]),
        Match("x{y}", accepts: ["x{y}"]),
        Match("^(a|bc)+$", accepts: ["a", "bca", "abcbc"], refuses: ["b", ""]),
        Match("^(?:a|b|)$", accepts: ["a", "b", ""], refuses: ["c"]),
        Match("^(?P<name>a)(?<other>b)$", accepts: ["ab"]),
        Match("^[a-c]+$", accepts: ["abc"], refuses: ["abd", ""]),
        Match("^[^a-c]+$", accepts: ["xyz", "é"], refuses: ["xay"]),
        Match("^[]a]+$", accepts: ["]a"], refuses: ["b"]),
        Match("^[a-]+$", accepts: ["a-"], refuses: ["b"]),
        Match(#"^[\]\\]+$"#, accepts: [#"]\"#]),
        Match(#"^[\d_]+$"#, accepts: ["12_3"], refuses: ["a"]),
        Match(#"^[\D]+$"#, accepts: ["ab"], refuses: ["1"]),
        Match(#"^\d\D\w\W\s\S$"#, accepts: ["1a_- x"], refuses: ["aa_- x"]),
        Match("^[[:alpha:]]+[[:^digit:]]$", accepts: ["abc!"], refuses: ["abc1"]),
        Match(#"^\pL+\p{Nd}\P{Lu}$"#, accepts: ["łódź3x"], refuses: ["łódź3X"]),
        Match(#"^\p{^L}$"#, accepts: ["1"], refuses: ["a"]),
        Match(#"\bcat\b"#, accepts: ["a cat sat"], refuses: ["concat"]),
        Match(#"\Bcat"#, accepts: ["concat"], refuses: ["a cat"]),
        Match("(?i)^straSSe$", accepts: ["STRASSE", "strasse"], refuses: ["straße"]),
        Match("(?i)^łÓdź$", accepts: ["ŁÓDŹ", "łódź"]),
        Match("(?i)^[a-c]+$", accepts: ["ABC"], refuses: ["D"]),
        Match("^(?i:a)b$", accepts: ["Ab", "ab"], refuses: ["aB"]),
        Match("^(?i)a(?-i)b$", accepts: ["Ab"], refuses: ["AB"]),
        Match("^((?i)a)b$", accepts: ["Ab"], refuses: ["aB"]),
        Match("^a*?b+?$", accepts: ["b", "aabb"]),
        Match("(?U)^a+b$", accepts: ["aab"]),
        Match(#"^\x41\x{1F600}\101\n$"#, accepts: ["A😀A\n"]),
        Match(#"^\Qa.b*\E+$"#, accepts: ["a.b**"], refuses: ["aXb"]),
        Match(#"^\.\*\+\?\(\)\[\]\{\}\|\^\$\/$"#, accepts: [".*+?()[]{}|^$/"]),
        Match("^(a*)*$", accepts: ["", "aaa"], refuses: ["b"]),
        Match("^(|a)+$", accepts: ["", "aa"], refuses: ["b"]),
    ]

    @Test(arguments: [
        "(", ")", "a)", "[", "[a", "[b-a]", "*", "+a", "?", "a**", "a{2}{3}", "a{3,2}", "a{1001}", "(?=a)", "(?<!a)",
        "(?x)",
        #"\1"#, #"\"#, #"\y"#, #"\pX"#, #"\p{Greek}"#, #"\p{L"#, #"\x{110000}"#, #"\xZ"#, "[[:nope:]]", "(?P<>a)",
        "(?P<n", "(?i", #"[\q]"#, "{2}", "((((a{100}){100}){100}){100})",
    ])
    func wrongPatternIsAnError(_ pattern: String) {
        #expect(match("text", pattern) == "error invalid_argument")
    }

    @Test func pathologicalPatternsStayLinear() {
        let text = String(repeating: "a", count: 20_000)
        for pattern in ["^(a+)+$", "^(a|a)*$", "^(a*)*b$", "(a?){50}a{50}$", "^(.*)*(.*)*(.*)*x$", "(x+x+)+y"] {
            let clock = ContinuousClock()
            let elapsed = clock.measure { _ = match(text, pattern, costLimit: .max) }
            #expect(elapsed < .seconds(20), "\(pattern)")
        }
    }

    @Test func matchingIsPaidFor() {
        let text = String(repeating: "a", count: 10_000)
        #expect(match(text, "(a?){50}a{50}b", costLimit: 10_000) == "error cost_exceeded")
        #expect(match(text, "^b", costLimit: 100_000) == "false")
    }

    @Test func deeplyNestedGroupsAreRefused() {
        let pattern = String(repeating: "(", count: 500) + String(repeating: ")", count: 500)
        #expect(match("", pattern) == "error invalid_argument")
    }

    private func match(_ text: String, _ pattern: String, costLimit: Int = CELLimits.defaultCostLimit) -> String {
        outcome(
            of: "text.matches(pattern)", [("text", .string(text)), ("pattern", .string(pattern))], costLimit: costLimit)
    }
}
