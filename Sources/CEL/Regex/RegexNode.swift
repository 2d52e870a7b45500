/// A parsed regular expression.
indirect enum RegexNode {
    case empty
    case set(ScalarSet)
    case assertion(Assertion)
    case sequence([RegexNode])
    case alternatives([RegexNode])
    /// Greedy or not makes no difference to whether there is a match, so it is not kept.
    case repetition(RegexNode, min: Int, max: Int?)

    enum Assertion: UInt8 {
        case textStart, textEnd, lineStart, lineEnd, wordBoundary, notWordBoundary
    }
}

/// The code points that one place of a pattern accepts.
struct ScalarSet: Sendable {
    enum Item: Sendable {
        case range(UInt32, UInt32)
        case category([Unicode.GeneralCategory], isNegated: Bool)
        case outside([(UInt32, UInt32)])
    }

    var items: [Item] = []
    var isNegated = false
    var ignoresCase = false

    init(_ items: [Item], isNegated: Bool = false, ignoresCase: Bool = false) {
        self.items = items
        self.isNegated = isNegated
        self.ignoresCase = ignoresCase
    }

    static let digits: [(UInt32, UInt32)] = [(48, 57)]
    static let blanks: [(UInt32, UInt32)] = [(9, 10), (12, 13), (32, 32)]
    static let wordCharacters: [(UInt32, UInt32)] = [(48, 57), (65, 90), (95, 95), (97, 122)]

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var found = includes(scalar)
        if !found, ignoresCase {
            found = ScalarSet.variants(of: scalar).contains { includes($0) }
        }
        return found != isNegated
    }

    private func includes(_ scalar: Unicode.Scalar) -> Bool {
        for item in items {
            switch item {
            case .range(let low, let high):
                if scalar.value >= low, scalar.value <= high { return true }
            case .category(let categories, let isNegated):
                if categories.contains(scalar.properties.generalCategory) != isNegated { return true }
            case .outside(let ranges):
                if !ranges.contains(where: { scalar.value >= $0.0 && scalar.value <= $0.1 }) { return true }
            }
        }
        return false
    }

    /// The same letter in its other cases, as far as those are single code points.
    private static func variants(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        let properties = scalar.properties
        let mappings = [properties.lowercaseMapping, properties.uppercaseMapping, properties.titlecaseMapping]
        return mappings.compactMap { $0.unicodeScalars.count == 1 ? $0.unicodeScalars.first : nil }
    }
}
