/// The names of character classes in regular expressions.
enum RegexCategory {
    /// The general categories under a name such as `L` or `Lu`; nil for unknown ones, scripts among them.
    static func named(_ name: String) -> [Unicode.GeneralCategory]? {
        if name.utf8.count == 2 { return byName[name].map { [$0] } }
        guard name.utf8.count == 1, let family = name.utf8.first else { return nil }
        let members = categories.filter { $0.name.utf8.first == family }.map(\.category)
        return members.isEmpty ? nil : members
    }

    private static let byName = Dictionary(uniqueKeysWithValues: categories.map { ($0.name, $0.category) })

    private static let categories: [(name: String, category: Unicode.GeneralCategory)] = [
        ("Lu", .uppercaseLetter), ("Ll", .lowercaseLetter), ("Lt", .titlecaseLetter), ("Lm", .modifierLetter),
        ("Lo", .otherLetter), ("Mn", .nonspacingMark), ("Mc", .spacingMark), ("Me", .enclosingMark),
        ("Nd", .decimalNumber), ("Nl", .letterNumber), ("No", .otherNumber), ("Pc", .connectorPunctuation),
        ("Pd", .dashPunctuation), ("Ps", .openPunctuation), ("Pe", .closePunctuation), ("Pi", .initialPunctuation),
        ("Pf", .finalPunctuation), ("Po", .otherPunctuation), ("Sm", .mathSymbol), ("Sc", .currencySymbol),
        ("Sk", .modifierSymbol), ("So", .otherSymbol), ("Zs", .spaceSeparator), ("Zl", .lineSeparator),
        ("Zp", .paragraphSeparator), ("Cc", .control), ("Cf", .format), ("Cs", .surrogate), ("Co", .privateUse),
        ("Cn", .unassigned),
    ]

    /// The classes of `[[:alpha:]]`, all of them ASCII.
    static let posixClasses: [(name: String, ranges: [(UInt32, UInt32)])] = [
        ("alnum", [(48, 57), (65, 90), (97, 122)]), ("alpha", [(65, 90), (97, 122)]), ("ascii", [(0, 127)]),
        ("blank", [(9, 9), (32, 32)]), ("cntrl", [(0, 31), (127, 127)]), ("digit", [(48, 57)]),
        ("graph", [(33, 126)]), ("lower", [(97, 122)]), ("print", [(32, 126)]),
        ("punct", [(33, 47), (58, 64), (91, 96), (123, 126)]), ("space", [(9, 13), (32, 32)]),
        ("upper", [(65, 90)]), ("word", ScalarSet.wordCharacters), ("xdigit", [(48, 57), (65, 70), (97, 102)]),
    ]
}
