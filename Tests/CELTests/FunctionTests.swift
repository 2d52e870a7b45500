import CEL
import Testing

/// Conversions, text functions, times and spans.
struct FunctionTests {
    @Test(arguments: conversions)
    func conversionGives(_ test: Case) {
        #expect(outcome(of: test.expression, checking: .deferred) == test.expected)
    }

    static let conversions = Case.table(
        #"""
        int('42') => 42
        int('-42') => -42
        int('9223372036854775808') => error overflow
        int('4.2') => error invalid_argument
        int('') => error invalid_argument
        int(' 1') => error invalid_argument
        int(3.99) => 3
        int(-3.99) => -3
        int(9223372036854775807.0) => error overflow
        int(1e300) => error overflow
        int(double('NaN')) => error overflow
        int(7u) => 7
        int(18446744073709551615u) => error overflow
        int(timestamp('1970-01-01T00:01:00.9Z')) => 60
        int(timestamp('1969-12-31T23:59:59.5Z')) => -1
        int(true) => error no_such_overload
        int(null) => error no_such_overload
        uint(5) => 5u
        uint(-5) => error overflow
        uint('5') => 5u
        uint('-5') => error invalid_argument
        uint(2.9) => 2u
        uint(-0.5) => error overflow
        uint(1e20) => error overflow
        uint(18446744073709551615.0) => error overflow
        double(3) => 3
        double('1e3') => 1000
        double('-.5') => -0.5
        double('abc') => error invalid_argument
        double('0x10') => error invalid_argument
        double('1e999') => error invalid_argument
        double('NaN') => NaN
        double('Infinity') => Infinity
        double('-inf') => -Infinity
        double('') => error invalid_argument
        string(true) => 'true'
        string(-3) => '-3'
        string(3u) => '3'
        string(1.0) => '1'
        string(0.1) => '0.1'
        string(100000.0) => '100000'
        string(1e20) => '100000000000000000000'
        string(1e21) => '1e+21'
        string(1.5e300) => '1.5e+300'
        string(0.0001) => '0.0001'
        string(0.00001) => '1e-05'
        string(-4.5e-3) => '-0.0045'
        string(5e-324) => '5e-324'
        string(123456789.125) => '123456789.125'
        string(b'abc') => 'abc'
        string(b'\xff') => error invalid_argument
        string(timestamp('2026-11-01T10:00:00+01:00')) => '2026-11-01T09:00:00Z'
        string(timestamp('2026-11-01T10:00:00.120Z')) => '2026-11-01T10:00:00.12Z'
        string(duration('90m')) => '5400s'
        string(duration('-1.5s')) => '-1.5s'
        string(duration('1ns')) => '0.000000001s'
        string(null) => error no_such_overload
        string([1]) => error no_such_overload
        bytes('é') == b'\xc3\xa9' => true
        bytes(1) => error no_such_overload
        bool('true') => true
        bool('T') => error invalid_argument
        bool('t') => true
        bool('0') => false
        bool('yes') => error invalid_argument
        bool(1) => error no_such_overload
        type(1) => int
        type(1.0) => double
        type(b'') => bytes
        type({}) => map
        type(int) => type
        dyn([1]) => [1]
        int => int
        google.protobuf.Timestamp => google.protobuf.Timestamp
        timestamp => error undeclared_reference
        dyn => error undeclared_reference
        int() => error no_such_overload
        int(1, 2) => error no_such_overload
        """#)

    @Test(arguments: texts)
    func textFunctionGives(_ test: Case) {
        #expect(outcome(of: test.expression) == test.expected)
    }

    static let texts = Case.table(
        #"""
        'reward'.contains('war') => true
        'reward'.contains('raw') => false
        'reward'.contains('') => true
        ''.contains('a') => false
        'aaab'.contains('aab') => true
        'Łódź'.contains('ód') => true
        'e\u0301'.contains('e') => true
        'é'.contains('e') => false
        'reward'.startsWith('re') => true
        're'.startsWith('reward') => false
        'reward'.endsWith('ward') => true
        'reward'.endsWith('re') => false
        ''.endsWith('') => true
        contains('reward', 'war') => invalid unknown_function
        'reward'.contains(1) => invalid no_matching_overload
        'reward'.matches('^r.*d$') => true
        matches('reward', 'w.r') => true
        'reward'.matches('^ward') => false
        'reward'.matches('(') => invalid invalid_argument
        'reward'.matches(dyn('(')) => error invalid_argument
        'order-17'.matches('^order-[0-9]+$') => true
        'order-x'.matches('^order-[0-9]+$') => false
        """#)

    @Test(arguments: times)
    func timeGives(_ test: Case) {
        #expect(outcome(of: test.expression, checking: .deferred) == test.expected)
    }

    static let times = Case.table(
        """
        timestamp('2026-02-28T23:59:59Z') + duration('1s') => timestamp('2026-03-01T00:00:00Z')
        timestamp('2024-02-28T23:59:59Z') + duration('1s') => timestamp('2024-02-29T00:00:00Z')
        duration('1h') + timestamp('2026-01-01T00:00:00Z') => timestamp('2026-01-01T01:00:00Z')
        timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') => duration('86400s')
        timestamp('2026-01-01T00:00:00Z') - duration('1ns') => timestamp('2025-12-31T23:59:59.999999999Z')
        timestamp('2026-01-01T00:00:00Z') + timestamp('2026-01-01T00:00:00Z') => error no_such_overload
        duration('1h30m') - duration('30m') == duration('1h') => true
        -duration('1s') => duration('-1s')
        duration('1s') * 2 => error no_such_overload
        timestamp('9999-12-31T23:59:59Z') + duration('1s') => error overflow
        timestamp('0001-01-01T00:00:00Z') - duration('1ns') => error overflow
        timestamp('9999-12-31T00:00:00Z') - timestamp('0001-01-01T00:00:00Z') => error overflow
        timestamp('2026-02-29T00:00:00Z') => error invalid_argument
        timestamp('2026-13-01T00:00:00Z') => error invalid_argument
        timestamp('2026-01-01T24:00:00Z') => error invalid_argument
        timestamp('2026-01-01T23:60:00Z') => error invalid_argument
        timestamp('2026-01-01 00:00:00Z') => error invalid_argument
        timestamp('2026-01-01T00:00:00') => error invalid_argument
        timestamp('2026-01-01T00:00:00.Z') => error invalid_argument
        timestamp('2026-01-01T00:00:00.1234567890Z') => error invalid_argument
        timestamp('2026-01-01T00:00:00Zx') => error invalid_argument
        timestamp('0001-01-01T00:00:00+00:01') => error invalid_argument
        timestamp('2026-01-01') => error invalid_argument
        timestamp(0) => timestamp('1970-01-01T00:00:00Z')
        timestamp(-1) => timestamp('1969-12-31T23:59:59Z')
        timestamp(253402300799) => timestamp('9999-12-31T23:59:59Z')
        timestamp(253402300800) => error overflow
        duration('1h1m1s1ms1us1ns') => duration('3661.001001001s')
        duration('1.5h') => duration('5400s')
        duration('.5s') => duration('0.5s')
        duration('0') => duration('0s')
        duration('-0') => duration('0s')
        duration('1') => error invalid_argument
        duration('1d') => error invalid_argument
        duration('') => error invalid_argument
        duration('1s ') => error invalid_argument
        duration('9223372036s') => duration('9223372036s')
        duration('9223372037s') => error invalid_argument
        duration('-9223372036.854775808s') => duration('-9223372036.854775808s')
        duration('9223372036.854775807s') + duration('1ns') => error overflow
        timestamp('2026-11-01T10:20:30.456Z').getFullYear() => 2026
        timestamp('2026-11-01T10:20:30.456Z').getMonth() => 10
        timestamp('2026-11-01T10:20:30.456Z').getDate() => 1
        timestamp('2026-11-01T10:20:30.456Z').getDayOfMonth() => 0
        timestamp('2026-11-01T10:20:30.456Z').getDayOfWeek() => 0
        timestamp('2026-11-01T10:20:30.456Z').getDayOfYear() => 304
        timestamp('2024-12-31T00:00:00Z').getDayOfYear() => 365
        timestamp('2026-11-01T10:20:30.456Z').getHours() => 10
        timestamp('2026-11-01T10:20:30.456Z').getMinutes() => 20
        timestamp('2026-11-01T10:20:30.456Z').getSeconds() => 30
        timestamp('2026-11-01T10:20:30.456Z').getMilliseconds() => 456
        timestamp('1969-12-31T23:59:59.25Z').getMilliseconds() => 250
        timestamp('2026-11-01T23:30:00Z').getDate('+01:00') => 2
        timestamp('2026-11-01T23:30:00Z').getDate('01:00') => 2
        timestamp('2026-11-01T00:30:00Z').getDate('-01:00') => 31
        timestamp('2026-11-01T23:30:00Z').getHours('UTC') => 23
        timestamp('0001-01-01T00:00:00Z').getFullYear('-23:59') => 0
        timestamp('9999-12-31T23:59:59Z').getFullYear('+23:59') => 10000
        timestamp('2026-11-01T23:30:00Z').getHours('Europe/Warsaw') => error invalid_argument
        timestamp('2026-11-01T23:30:00Z').getHours('+1:00') => error invalid_argument
        timestamp('2026-11-01T23:30:00Z').getHours('+24:00') => error invalid_argument
        duration('3h25m45.5s').getHours() => 3
        duration('3h25m45.5s').getMinutes() => 205
        duration('3h25m45.5s').getSeconds() => 12345
        duration('3h25m45.5s').getMilliseconds() => 500
        duration('-90s').getMinutes() => -1
        duration('1s').getDate() => error no_such_overload
        duration('1s').getHours('UTC') => error no_such_overload
        1.getHours() => error no_such_overload
        """)

    @Test func namedTimeZonesComeFromTheLookupAlone() throws {
        let environment = CELEnvironment(timeZones: { name, seconds in
            name == "Test/Half" ? (seconds < 0 ? -1_800 : 1_800) : nil
        })
        func run(_ source: String) throws -> CELValue {
            try CELProgram.compile(source, in: environment, expecting: nil).evaluate(CELValues([]))
        }
        #expect(try run("timestamp(0).getMinutes('Test/Half')") == .int(30))
        #expect(try run("timestamp(-1).getHours('Test/Half')") == .int(23))
        #expect(throws: CELSyntaxError.self) { try run("timestamp(0).getHours('Test/Other')") }
        #expect(throws: CELEvaluationError.self) { try run("timestamp(0).getHours(dyn('Test/Other'))") }
    }

    @Test func everyDayOfFourCenturiesSurvivesTheCalendar() {
        for day in stride(from: -719_162, to: 2_932_896, by: 37) {
            let moment = CELTimestamp(seconds: Int64(day) * 86_400 + 1)
            let text = moment?.description ?? ""
            #expect(CELTimestamp(text) == moment)
        }
    }
}
