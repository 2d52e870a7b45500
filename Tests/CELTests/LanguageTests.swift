import CEL
import Testing

/// Literals, operators and logic, as tables of expressions and results.
struct LanguageTests {
    @Test(arguments: literals)
    func literalMeans(_ test: Case) {
        #expect(outcome(of: test.expression) == test.expected)
    }

    static let literals = Case.table(
        #"""
        0 => 0
        42 => 42
        -7 => -7
        9223372036854775807 => 9223372036854775807
        -9223372036854775808 => -9223372036854775808
        9223372036854775808 => invalid syntax
        - 9223372036854775808 => -9223372036854775808
        -(-9223372036854775808) => error overflow
        0x10 => 16
        -0xFF => -255
        0xfFu => 255u
        0x => invalid syntax
        7u => 7u
        7U => 7u
        18446744073709551615u => 18446744073709551615u
        18446744073709551616u => invalid syntax
        1.5 => 1.5
        .25 => 0.25
        1e3 => 1000
        1E-2 => 0.01
        2.5e+1 => 25
        1e => invalid syntax
        1e400 => invalid syntax
        1e-400 => 0
        12abc => invalid syntax
        true => true
        false => false
        null => null
        'a' => 'a'
        "a" => 'a'
        '' => ''
        'it"s' => 'it"s'
        "it's" => 'it's'
        'a\tb' == "a\x09b" => true
        '\a\b\f\n\r\v' == '\x07\x08\x0c\x0a\x0d\x0b' => true
        '\\ \? \" \' \`' => '\ ? " ' `'
        '\101\102' => 'AB'
        '\u00e9' => 'é'
        '\U0001F600' => '😀'
        size('\U0001F600') => 1
        '\ud800' => invalid syntax
        '\U00110000' => invalid syntax
        '\q' => invalid syntax
        '\x4' => invalid syntax
        '\400' => invalid syntax
        'abc => invalid syntax
        r'a\nb' == 'a\\nb' => true
        R"\d" == '\\d' => true
        r'\' => '\'
        '''it's "so"''' => 'it's "so"'
        """a'b''c""" => 'a'b''c'
        r'''\''' => '\'
        size(b'\xff\x00') => 2
        b'é' == b'\xc3\xa9' => true
        b'\u00e9' == b'\303\251' => true
        br'\x' == b'\\x' => true
        rb'\x' == b'\\x' => true
        bb'x' => invalid syntax
        b'\377' == b'\xFF' => true
        '\377' == 'ÿ' => true
        [] => []
        [1, 2,] => [1, 2]
        [,] => invalid syntax
        {} => {}
        {'a': 1, 2: true,} => {'a': 1, 2: true}
        {1.5: 2} => invalid no_matching_overload
        {null: 2} => invalid no_matching_overload
        {'a': 1, 'a': 2} => error duplicate_key
        {1: 'x', 1u: 'y'} => error duplicate_key
        1 // the rest is a comment => 1
        """#)

    @Test(arguments: arithmetic)
    func arithmeticGives(_ test: Case) {
        #expect(outcome(of: test.expression) == test.expected)
    }

    static let arithmetic = Case.table(
        """
        1 + 2 * 3 => 7
        (1 + 2) * 3 => 9
        7 - 2 - 1 => 4
        100 / 10 / 2 => 5
        -7 / 2 => -3
        -7 % 2 => -1
        7 % -2 => 1
        7u / 2u => 3u
        7u % 4u => 3u
        2u - 3u => error overflow
        9223372036854775807 + 1 => error overflow
        -9223372036854775808 - 1 => error overflow
        9223372036854775807 * 2 => error overflow
        -9223372036854775808 / -1 => error overflow
        -9223372036854775808 % -1 => 0
        18446744073709551615u + 1u => error overflow
        18446744073709551615u * 2u => error overflow
        1 / 0 => error divide_by_zero
        1 % 0 => error modulus_by_zero
        1u / 0u => error divide_by_zero
        1u % 0u => error modulus_by_zero
        1.0 / 0.0 => Infinity
        -1.0 / 0.0 => -Infinity
        0.0 / 0.0 => NaN
        0.1 + 0.2 => 0.30000000000000004
        1.5 * 2.0 - 0.5 => 2.5
        5.5 % 2.0 => invalid no_matching_overload
        1 + 1.0 => invalid no_matching_overload
        1 + 1u => invalid no_matching_overload
        dyn(1) + 1.0 => error no_such_overload
        -(1) => -1
        --1 => 1
        -(1.5) => -1.5
        -(0.0) => -0
        -(1u) => invalid no_matching_overload
        -'a' => invalid no_matching_overload
        'a' + 'b' + 'c' => 'abc'
        'a' + 1 => invalid no_matching_overload
        b'ab' + b'c' == b'abc' => true
        [1] + [2, 3] => [1, 2, 3]
        [1] + ['a'] => [1, 'a']
        [] + [] => []
        {'a': 1} + {'b': 2} => invalid no_matching_overload
        """)

    @Test(arguments: comparisons)
    func comparisonGives(_ test: Case) {
        #expect(outcome(of: test.expression) == test.expected)
    }

    static let comparisons = Case.table(
        #"""
        1 == 1 => true
        1 != 1 => false
        1 == 1.0 => true
        1 == 1u => true
        2u < 3 => true
        -1 < 0u => true
        18446744073709551615u > 9223372036854775807 => true
        1 < 1.5 => true
        1.5 >= 2u => false
        0.0 == -0.0 => true
        0.0 / 0.0 == 0.0 / 0.0 => false
        0.0 / 0.0 != 0.0 / 0.0 => true
        0.0 / 0.0 < 1 => false
        0.0 / 0.0 >= 1 => false
        1 < 1.0 / 0.0 => true
        1 > -1.0 / 0.0 => true
        9007199254740993 == 9007199254740992.0 => true
        'a' < 'b' => true
        'a' < 'B' => false
        'abc' < 'abcd' => true
        '' < 'a' => true
        'é' == 'e\u0301' => false
        'K' == '\u212A' => false
        '\uFFFF' < '\U00010000' => true
        false < true => true
        b'\x01' < b'\x01\x00' => true
        b'\xff' > b'\x7f' => true
        [1, 2] == [1, 2] => true
        [1, 2] == [1.0, 2u] => true
        [1, 2] == [2, 1] => false
        [1] == [1, 1] => false
        [[1], []] == [[1], []] => true
        {'a': 1} == {'a': 1.0} => true
        {1: 'a'} == {1u: 'a'} => true
        {'a': 1, 'b': 2} == {'b': 2, 'a': 1} => true
        {'a': 1} == {'b': 1} => false
        {'a': null} == {'b': null} => false
        null == null => true
        1 == null => invalid no_matching_overload
        dyn(1) == null => false
        dyn(1) == 'a' => false
        dyn('1') != 1 => true
        1 == '1' => invalid no_matching_overload
        1 < 'a' => invalid no_matching_overload
        dyn(1) < 'a' => error no_such_overload
        [1] < [2] => invalid no_matching_overload
        null < null => invalid no_matching_overload
        type(1) == int => true
        type(1u) == int => false
        type('') == string => true
        type(type(1)) == type => true
        type([]) == list => true
        type(null) == null_type => true
        type(timestamp(0)) == google.protobuf.Timestamp => true
        type(duration('1s')) == google.protobuf.Duration => true
        type(decimal('1')) == decimal => true
        1 < 2 < 3 => invalid no_matching_overload
        1 < 2 == true => true
        """#)

    @Test(arguments: logic)
    func logicGives(_ test: Case) {
        #expect(outcome(of: test.expression, checking: .deferred) == test.expected)
    }

    /// Errors are absorbed where another operand decides, on whichever side they stand.
    static let logic = Case.table(
        """
        1 / 0 == 1 && 1 % 0 == 1 => error divide_by_zero
        1 % 0 == 1 && 1 / 0 == 1 => error modulus_by_zero
        (1 / 0 == 1 || false) && (1 % 0 == 1 || false) => error divide_by_zero
        false || (1 / 0 == 1 && (1 % 0 == 1 || 1u / 0u == 1u)) => error divide_by_zero
        true ? false ? 1 : 2 : 3 => invalid syntax
        true ? (false ? 1 : 2) : 3 => 2
        true && false => false
        true || false => true
        !true => false
        !!true => true
        true && true && true => true
        false || false || true => true
        1 / 0 == 1 && false => false
        false && 1 / 0 == 1 => false
        1 / 0 == 1 || true => true
        true || 1 / 0 == 1 => true
        1 / 0 == 1 && true => error divide_by_zero
        true && 1 / 0 == 1 => error divide_by_zero
        1 / 0 == 1 || false => error divide_by_zero
        1 / 0 == 1 && true && false => false
        true && 1 / 0 == 1 && 1 % 0 == 1 && false => false
        (1 / 0 == 1 && true) || true => true
        (1 / 0 == 1 || true) && (1 % 0 == 1 && false) => false
        ((1 / 0 == 1 || 1 % 0 == 1) && true) || (1 / 0 == 2 && false) || true => true
        !(1 / 0 == 1 && false) => true
        (1 / 0 == 1 ? true : false) || true => true
        true ? 1 : 1 / 0 => 1
        false ? 1 / 0 : 2 => 2
        1 / 0 == 1 ? 1 : 2 => error divide_by_zero
        false ? 1 : true ? 2 : 3 => 2
        1 && false => false
        'a' || true => true
        1 && true => error no_such_overload
        true && 1 => error no_such_overload
        'a' ? 1 : 2 => error no_such_overload
        !1 => error no_such_overload
        nothing || true => true
        nothing && true => error undeclared_reference
        nothing.at.all(1) || true => true
        unknown(1 / 0) => error unknown_function
        [1, 1 / 0].size() => error divide_by_zero
        {'a': 1 / 0} => error divide_by_zero
        google.protobuf.Int32Value{value: 1} || true => true
        """)

    @Test func mixedBranchesAreDynamic() throws {
        let program = try CELProgram.compile("true ? 'a' : 1", in: CELEnvironment(), expecting: nil)
        #expect(program.root.type == .dyn)
        #expect(try program.evaluate(CELValues([])) == .string("a"))
    }

    @Test func strictCheckingRefusesWhatDeferredCheckingRuns() {
        for expression in ["nothing || true", "1 && false", "'a' ? 1 : 2", "unknown(1)", "[1].name", "1.size()"] {
            #expect(outcome(of: expression).hasPrefix("invalid "), "\(expression)")
            #expect(!outcome(of: expression, checking: .deferred).hasPrefix("invalid "), "\(expression)")
        }
    }
}
