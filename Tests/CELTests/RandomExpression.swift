import TestSupport

/// Random well-typed expressions as source text, many of which fail while evaluating.
struct RandomExpression {
    enum Kind {
        case bool, int, decimal, string, list
    }

    private var random: SplitMix64
    private var locals: [String] = []
    private var names = 0

    init(seed: UInt64) {
        random = SplitMix64(seed: seed)
    }

    mutating func next(_ kind: Kind, depth: Int) -> String {
        if depth == 0 || Int.random(in: 0..<8, using: &random) == 0 { return leaf(kind) }
        if Int.random(in: 0..<10, using: &random) == 0 {
            return
                "(\(next(.bool, depth: depth - 1)) ? \(next(kind, depth: depth - 1)) : \(next(kind, depth: depth - 1)))"
        }
        switch kind {
        case .bool: return bool(depth - 1)
        case .int: return int(depth - 1)
        case .decimal:
            let sides = [(Kind.decimal, Kind.decimal), (.decimal, .int), (.int, .decimal)].pick(&random)
            return "(\(next(sides.0, depth: depth - 1)) \(["+", "-"].pick(&random)) \(next(sides.1, depth: depth - 1)))"
        case .string:
            return [
                "(\(next(.string, depth: depth - 1)) + \(next(.string, depth: depth - 1)))",
                "string(\(next(.int, depth: depth - 1)))",
            ].pick(&random)
        case .list: return list(depth - 1)
        }
    }

    private mutating func leaf(_ kind: Kind) -> String {
        switch kind {
        case .bool: return ["true", "false", "flag"].pick(&random)
        case .int: return (["0", "1", "-1", "2", "7", "n", "m", "9223372036854775807"] + locals + locals).pick(&random)
        case .decimal: return ["decimal('0.5')", "decimal('12.34')", "decimal('-3')", "price"].pick(&random)
        case .string: return ["''", "'a'", "'é'", "'e\\u0301'", "text"].pick(&random)
        case .list: return ["[]", "[1, 2, 3]", "[0, n]", "numbers"].pick(&random)
        }
    }

    private mutating func bool(_ depth: Int) -> String {
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1, 2:
            let operands = (0..<Int.random(in: 2...4, using: &random)).map { _ in next(.bool, depth: depth) }
            return "(" + operands.joined(separator: [" && ", " || "].pick(&random)) + ")"
        case 3: return "!\(next(.bool, depth: depth))"
        case 4: return "(\(next(.int, depth: depth)) in \(next(.list, depth: depth)))"
        case 5: return "\(next(.string, depth: depth)).startsWith(\(next(.string, depth: depth)))"
        case 6: return macro(["all", "exists", "exists_one"].pick(&random), .bool, depth)
        default:
            let kind = [Kind.int, .decimal, .string, .int].pick(&random)
            let comparison = ["==", "!=", "<", "<=", ">", ">="].pick(&random)
            let other = kind == .decimal ? [Kind.decimal, .int].pick(&random) : kind
            return "(\(next(kind, depth: depth)) \(comparison) \(next(other, depth: depth)))"
        }
    }

    private mutating func int(_ depth: Int) -> String {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: return "size(\(next([.list, .string].pick(&random), depth: depth)))"
        case 1: return "\(next(.list, depth: depth))[\(next(.int, depth: depth))]"
        case 2: return "-(\(next(.int, depth: depth)))"
        default:
            return
                "(\(next(.int, depth: depth)) \(["+", "-", "*", "/", "%"].pick(&random)) \(next(.int, depth: depth)))"
        }
    }

    private mutating func list(_ depth: Int) -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: return "[\(next(.int, depth: depth)), \(next(.int, depth: depth))]"
        case 1: return "(\(next(.list, depth: depth)) + \(next(.list, depth: depth)))"
        case 2: return macro("map", .int, depth)
        default: return macro("filter", .bool, depth)
        }
    }

    private mutating func macro(_ name: String, _ body: Kind, _ depth: Int) -> String {
        let range = next(.list, depth: depth)
        let variable = "v\(names)"
        names += 1
        locals.append(variable)
        defer { locals.removeLast() }
        return "\(range).\(name)(\(variable), \(next(body, depth: depth)))"
    }
}
