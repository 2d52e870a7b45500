/// A node of the tree that the parser makes: names are not yet resolved, types not yet known.
struct SyntaxNode {
    indirect enum Kind {
        case literal(CELValue)
        case identifier(String, isRooted: Bool)
        case select(SyntaxNode, field: String, isPresenceTest: Bool)
        case call(name: String, isRooted: Bool, target: SyntaxNode?, arguments: [SyntaxNode])
        case operation(CELFunction, [SyntaxNode])
        case list([SyntaxNode])
        case map([(key: SyntaxNode, value: SyntaxNode)])
        case comprehension(Macro)
        case message(String)
    }

    /// A macro over a range, before its variables are resolved.
    struct Macro {
        let kind: CELComprehension.Kind
        let range: SyntaxNode
        let variable: String
        let secondVariable: String?
        let filter: SyntaxNode?
        let body: SyntaxNode
    }

    let kind: Kind
    /// The byte that a message about this node points at.
    let offset: Int
    /// Levels of nodes below and including this one.
    let depth: Int
}
