import CEL
import TestSupport
import Testing

/// The exact decimal type, by tables and against 128-bit arithmetic done here.
struct DecimalTests {
    static let variables: [(String, CELValue)] = [
        ("value", .decimal(CELDecimal(coefficient: 1_234, scale: 2))),
        ("nothing", .null),
    ]

    @Test(arguments: cases)
    func decimalGives(_ test: Case) {
        #expect(outcome(of: test.expression, Self.variables) == test.expected)
    }

    static let cases = Case.table(
        """
        decimal('0.1') + decimal('0.2') == decimal('0.3') => true
        decimal('0.1') + decimal('0.2') => decimal('0.3')
        decimal('1.50') == decimal('1.5') => true
        decimal('1.50') => decimal('1.5')
        decimal('-0.00') => decimal('0')
        decimal(7) => decimal('7')
        decimal(7u) => decimal('7')
        decimal(value) == value => true
        decimal(1.5) => invalid no_matching_overload
        value >= 10 => true
        value < 12 => false
        value == decimal('12.34') => true
        value != 12 => true
        10 < value => true
        13u > value => true
        value + 1 => decimal('13.34')
        1 + value => decimal('13.34')
        value - 20u => decimal('-7.66')
        value * 2 => decimal('24.68')
        value / 2 => decimal('6.17')
        value % 5 => decimal('2.34')
        -value % 5 => decimal('-2.34')
        value % decimal('0.1') => decimal('0.04')
        -value => decimal('-12.34')
        value + 1.5 => invalid no_matching_overload
        value > 1.5 => invalid no_matching_overload
        value > dyn(12.3) => true
        value == dyn(12.34) => false
        decimal('12.5') == dyn(12.5) => true
        decimal('-12.5') < dyn(-12.25) => true
        decimal('0.1') < dyn(0.1) => true
        decimal('-0.1') > dyn(-0.1) => true
        decimal('1') / 3 => decimal('0.333333333333333333')
        decimal('2') / 3 => decimal('0.666666666666666667')
        decimal('-2') / 3 => decimal('-0.666666666666666667')
        decimal('1') / 4 => decimal('0.25')
        decimal('0.000000000000000001') / 2 => decimal('0')
        decimal('0.000000000000000003') / 2 => decimal('0.000000000000000002')
        decimal('0.000000000000000001') * decimal('0.5') => decimal('0')
        decimal('0.000000000000000003') * decimal('0.5') => decimal('0.000000000000000002')
        decimal('0.5') * decimal('0.20') => decimal('0.1')
        value / 0 => error divide_by_zero
        value % 0 => error modulus_by_zero
        value / decimal('0.00') => error divide_by_zero
        int(value) => 12
        int(-value) => -12
        uint(value) => 12u
        uint(-value) => error overflow
        int(decimal('9223372036854775808')) => invalid invalid_argument
        int(decimal('9223372036854775807') + 1) => error overflow
        double(value) => 12.34
        double(decimal('0.000000000000000001')) => 1e-18
        string(value) => '12.34'
        string(decimal('100.00')) => '100'
        string(decimal('-0.5')) => '-0.5'
        decimal('') => invalid invalid_argument
        decimal('1.') => invalid invalid_argument
        decimal('.5') => invalid invalid_argument
        decimal('1e3') => invalid invalid_argument
        decimal('1,5') => invalid invalid_argument
        decimal('--1') => invalid invalid_argument
        decimal('+1') => decimal('1')
        decimal('0.0000000000000000001') => invalid invalid_argument
        decimal(dyn('x')) => error invalid_argument
        decimal('170141183460469231731687303715884105727') => decimal('170141183460469231731687303715884105727')
        decimal('-170141183460469231731687303715884105728') => decimal('-170141183460469231731687303715884105728')
        decimal('170141183460469231731687303715884105728') => invalid invalid_argument
        decimal('170141183460469231731687303715884105727') + 1 => error overflow
        decimal('-170141183460469231731687303715884105728') - 1 => error overflow
        -decimal('-170141183460469231731687303715884105728') => error overflow
        decimal('-170141183460469231731687303715884105728') % -1 => decimal('0')
        decimal('-170141183460469231731687303715884105728') / -1 => error overflow
        decimal('170141183460469231731687303715884105727') * 2 => error overflow
        decimal('170141183460469231731687303715884105727') > decimal('0.5') => true
        decimal('-170141183460469231731687303715884105727') < decimal('-0.5') => true
        decimal('170141183460469231731687303715884105727') == dyn(1.7014118346046923e38) => false
        decimal('170141183460469231731687303715884105727') < dyn(1e300) => true
        decimal('5') in [5] => true
        5 in [decimal('5')] => true
        {5: 'x'}[decimal('5')] => 'x'
        {5: 'x'}[decimal('5.5')] => error no_such_key
        nothing > 5 => error no_such_overload
        nothing == value => false
        [value, decimal('1')].map(d, d * 2) => [decimal('24.68'), decimal('2')]
        """)

    /// A reference that shares no code: fixed at 6 decimals, in Int128.
    @Test func randomArithmeticIsExact() throws {
        var random = SplitMix64(seed: 11)
        for _ in 0..<3_000 {
            let scales = (UInt8.random(in: 0...6, using: &random), UInt8.random(in: 0...6, using: &random))
            let raw = (
                Int64.random(in: -10_000_000...10_000_000, using: &random),
                Int64.random(in: -10_000...10_000, using: &random)
            )
            let left = CELDecimal(coefficient: Int128(raw.0), scale: scales.0)
            let right = CELDecimal(coefficient: Int128(raw.1), scale: scales.1)
            let first = Int128(raw.0) * power(6 - Int(scales.0))
            let second = Int128(raw.1) * power(6 - Int(scales.1))
            #expect(try left + right == CELDecimal(coefficient: first + second, scale: 6))
            #expect(try left - right == CELDecimal(coefficient: first - second, scale: 6))
            #expect(try left * right == CELDecimal(coefficient: first * second, scale: 12))
            #expect((left < right) == (first < second))
            #expect((left == right) == (first == second))
            guard second != 0 else { continue }
            #expect(try left % right == CELDecimal(coefficient: first % second, scale: 6))
            let quotient = try left / right
            // |left - quotient × right| is at most half of the last place times right.
            let rest = try left - quotient * right
            #expect(rest.coefficient.magnitude <= Int128.max.magnitude)
            #expect(abs(rest.doubleValue) <= abs(right.doubleValue) * 1e-18)
        }
    }

    @Test func textSurvivesReadingAndWriting() {
        var random = SplitMix64(seed: 12)
        for _ in 0..<2_000 {
            let coefficient = Int128(Int64(bitPattern: random.next())) * Int128(Int64(bitPattern: random.next() >> 8))
            let number = CELDecimal(coefficient: coefficient, scale: UInt8.random(in: 0...18, using: &random))
            #expect(CELDecimal(number.description) == number)
        }
    }

    /// Doubles are binary fractions, so that a decimal of 18 places can be told from them exactly.
    @Test func comparisonWithDoublesIsExact() throws {
        var random = SplitMix64(seed: 13)
        for _ in 0..<2_000 {
            let eighths = Int64.random(in: -1_000_000...1_000_000, using: &random)
            let number = Double(eighths) / 8
            let decimal = CELDecimal(coefficient: Int128(eighths) * 125, scale: 3)
            let more = try decimal + CELDecimal(coefficient: 1, scale: 18)
            #expect(CELValue.decimal(decimal) == .double(number))
            #expect(CELValue.decimal(more) != .double(number))
            #expect(
                outcome(of: "d > x && x < d", [("d", .decimal(more)), ("x", .double(number))], checking: .deferred)
                    == "true")
        }
    }

    private func power(_ exponent: Int) -> Int128 {
        (0..<exponent).reduce(1) { product, _ in product * 10 }
    }
}
