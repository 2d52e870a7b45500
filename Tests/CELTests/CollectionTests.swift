import CEL
import Testing

/// Lists, maps, selections and macros.
struct CollectionTests {
    static let variables: [(String, CELValue)] = [
        ("numbers", .list([.int(3), .int(1), .int(2)])),
        ("person", .map(CELMap(strings: [("name", .string("Ada")), ("age", .int(36)), ("vip", .bool(true))]))),
        ("nothing", .null),
    ]

    @Test(arguments: cases)
    func collectionGives(_ test: Case) {
        #expect(outcome(of: test.expression, Self.variables) == test.expected)
    }

    static let cases = Case.table(
        """
        [1, 2, 3][0] => 1
        [1, 2, 3][2] => 3
        [1, 2, 3][3] => error index_out_of_bounds
        [1, 2, 3][-1] => error index_out_of_bounds
        [1, 2][1u] => 2
        [1, 2][dyn(1.0)] => 2
        [1, 2][dyn(0.5)] => error invalid_argument
        [1, 2]['a'] => invalid no_matching_overload
        [1, 2][dyn('a')] => error no_such_overload
        numbers[0] + numbers[1] => 4
        {'a': 1}['a'] => 1
        {'a': 1}.a => 1
        {'a': 1}.b => error no_such_key
        {'a': 1}['b'] => error no_such_key
        {1: 'x'}[1u] => 'x'
        {1: 'x'}[1.0] => 'x'
        {1u: 'x'}[1] => 'x'
        {1: 'x'}[1.5] => error no_such_key
        {true: 'x'}[true] => 'x'
        {'a b': 1}.`a b` => 1
        {'in-x': 1}.`in-x` => 1
        {'x': 1}.`` => invalid syntax
        {'if': 1}.if => 1
        {'in': 1}.in => invalid syntax
        {'a': {'b': {'c': 7}}}.a.b.c => 7
        has({'a': 1}.a) => true
        has({'a': null}.a) => true
        has({'a': 1}.b) => false
        has({'a': {}}.a.b) => false
        has({}.a.b) => error no_such_key
        has(person.name) => true
        has(person.phone) => false
        has(person) => invalid syntax
        has(1) => invalid syntax
        person.name => 'Ada'
        person.name + '!' => 'Ada!'
        person.age + 1 => 37
        person.missing => error no_such_key
        nothing == null => true
        nothing.field => error no_such_overload
        1 in [1, 2] => true
        1.0 in [1, 2] => true
        3 in [] => false
        'a' in ['b'] => false
        [1] in [[1], [2]] => true
        1 in numbers => true
        'name' in person => true
        'nope' in person => false
        1 in {1: 2} => true
        2 in {1: 2} => false
        1u in {1: 2} => true
        'a' in 'abc' => invalid no_matching_overload
        dyn('a') in dyn('abc') => error no_such_overload
        null in [null] => true
        size([1, 2]) => 2
        [1, 2].size() => 2
        size({'a': 1}) => 1
        size('łódź') => 4
        'łódź'.size() => 4
        size(b'łódź') => 7
        size(1) => invalid no_matching_overload
        numbers.all(n, n > 0) => true
        numbers.all(n, n > 1) => false
        [].all(n, n) => true
        [1, 2, 0].all(n, 4 / n > 3) => false
        [0, 4, 2].all(n, 4 / n > 0) => error divide_by_zero
        [0, 8].all(n, 4 / n > 0) => false
        numbers.exists(n, n == 2) => true
        numbers.exists(n, n == 9) => false
        [].exists(n, true) => false
        [0, 2].exists(n, 4 / n == 2) => true
        [0, 2].exists(n, 4 / n == 3) => error divide_by_zero
        [[1], [2, 3]].exists(l, l.exists(n, n == 3)) => true
        [[0], [2]].exists(l, l.all(n, 4 / n == 2)) => true
        [[0], [0]].exists(l, l.all(n, 4 / n == 2)) || true => true
        [1, 2].all(x, [1, 2].exists(y, x == y)) => true
        numbers.exists_one(n, n > 2) => true
        numbers.exists_one(n, n > 1) => false
        [0, 1].exists_one(n, 1 / n == 1) => error divide_by_zero
        numbers.map(n, n * n) => [9, 1, 4]
        numbers.map(n, n > 1, n * 10) => [30, 20]
        numbers.map(n, [n]) => [[3], [1], [2]]
        numbers.filter(n, n != 1) => [3, 2]
        [].map(n, n) => []
        {'b': 1, 'a': 2}.map(k, k) => ['b', 'a']
        {'b': 1, 'a': 2}.filter(k, k < 'b') => ['a']
        {'b': 1}.all(k, k == 'b') => true
        person.exists(k, k == 'age') => true
        numbers.map(n, numbers.filter(m, m < n)) => [[1, 2], [], [1]]
        numbers.map(n, n).map(n, n + 1).filter(n, n > 2) => [4, 3]
        [1, 2, 3].exists(i, v, i == 1 && v == 2) => true
        {'a': 1}.all(k, v, k == 'a' && v == 1) => true
        [5, 6].existsOne(i, v, v - i == 5) => false
        [5, 7].existsOne(i, v, v - i == 5) => true
        [5, 7].transformList(i, v, v * 10 + i) => [50, 71]
        [5, 7].transformList(i, v, i > 0, v) => [7]
        {'a': 1, 'b': 2}.transformMap(k, v, v + 1) => {'a': 2, 'b': 3}
        {'a': 1, 'b': 2}.transformMap(k, v, v > 1, k + '!') => {'b': 'b!'}
        numbers.all(1, true) => invalid syntax
        numbers.all(n) => invalid unknown_function
        numbers.all(n.x, true) => invalid syntax
        [1].all(x, x, true) => invalid syntax
        1.all(n, true) => invalid no_matching_overload
        dyn(1).all(n, true) => error no_such_overload
        [1].all(n, [n]) => invalid type_mismatch
        numbers.all(n, n + 1) => error no_such_overload
        numbers.all(n, dyn(n)) => error no_such_overload
        [true].all(n, dyn(1)) || true => true
        n => invalid undeclared_reference
        [1].map(n, n) == [1] && n => invalid undeclared_reference
        """)

    @Test func macroVariableHidesTheVariableOfTheSameName() {
        #expect(outcome(of: "numbers.map(numbers, numbers + 1)", Self.variables) == "[4, 2, 3]")
        #expect(outcome(of: "numbers.map(n, n).size() + numbers.size()", Self.variables) == "6")
    }

    @Test func largeMapsFindEveryKeyAndKeepInsertionOrder() throws {
        let keys: [CELValue] = (0..<200).map { $0 % 2 == 0 ? .int($0) : .string("key \($0)") }
        let map = try CELMap(keys.enumerated().map { (key: $1, value: CELValue.int(Int64($0))) })
        for (position, key) in keys.enumerated() { #expect(map[key] == .int(Int64(position))) }
        #expect(map.keys == keys)
        #expect(map[.uint(10)] == .int(10))
        #expect(map[.double(10)] == .int(10))
        #expect(map["key 11"] == .int(11))
        #expect(map[.int(11)] == nil)
        #expect(map[.null] == nil)
    }

    @Test func canonicallyEquivalentKeysAreTwoKeys() throws {
        let pairs = (0..<20).map { (key: CELValue.int($0), value: CELValue.null) }
        let map = try CELMap(pairs + [(key: .string("é"), value: .int(1)), (key: .string("e\u{301}"), value: .int(2))])
        #expect(map["é"] == .int(1))
        #expect(map["e\u{301}"] == .int(2))
    }
}
