/// A read that goes back into log and history: what is asked, held at the log position it was asked at.
///
/// The world's owner makes it and answers it from memory; whatever is not there is fetched in between, on any thread. The
/// past does not change, so the answer shows the state as it was when the read was made, however long fetching takes.
///
/// ```swift
/// var read = try world.statementRead("m2", in: "main", currency: nil, limit: 50, before: nil)
/// while try world.answer(&read) == nil { try read.fetch(from: log) }   // the second part on another thread
/// ```
public struct PastRead: Sendable {
    enum Question: Sendable {
        case statement(StatementWalk)
        /// Balances without the sources of their lots, and the log positions of these, by balance and lot.
        case wallet(WalletAnswer, sources: [[UInt64?]])
        /// A command, and what is left of it.
        case explain(UInt64, left: Int64?)
        /// A command whose external id is perhaps sealed, with what was left of all reversed ones.
        case find(ExternalIdKey, id: Text, reversals: [UInt64: Int64])
        /// Nothing has this external id.
        case unknown(Text)
    }

    /// What was fetched; of postings only what the question is about.
    struct Facts: Sendable {
        var commands: [UInt64: PastCommand] = [:]
        var postings: [UInt64: [StatementWalk.Placed]] = [:]
        /// Commands that turned out to be needed.
        var missing: Set<UInt64> = []
        /// Sealed external ids, those that were looked for, and those that turned out to be needed.
        var ids: [ExternalIdKey: RememberedId] = [:]
        var sought: Set<ExternalIdKey> = []
        var missingIds: Set<ExternalIdKey> = []

        var isComplete: Bool { missing.isEmpty && missingIds.isEmpty }
    }

    /// Log position of the state that is shown.
    public let sequence: UInt64
    let workspace: Int
    private(set) var question: Question
    var facts = Facts()

    /// Asks for an external id as if the filters could not rule out that it is sealed; for tests.
    package init(possiblySealed id: Text, in world: World) {
        self.init(
            sequence: world.sequence, workspace: 0,
            .find(world.externalKey(id), id: id, reversals: world.workspaces[0].reversals))
    }

    init(sequence: UInt64, workspace: Int, _ question: Question) {
        self.sequence = sequence
        self.workspace = workspace
        self.question = question
    }

    /// Fetches what is known to be needed.
    ///
    /// - Throws: what the log throws.
    /// - Complexity: about two look-ups for each line of a statement.
    public mutating func fetch(from log: any LogSource) throws {
        if case .find(let key, let id, let reversals) = question {
            // What was accepted later is not part of the answer.
            if let found = try log.findSealed(key, in: workspace), found.sequence <= sequence {
                question = .explain(found.sequence, left: reversals[found.sequence])
            } else {
                question = .unknown(id)
            }
        }
        if !facts.missingIds.isEmpty {
            var questions = facts.missingIds.map { SealedIdQuestion(workspace: workspace, key: $0) }
            try log.findSealed(&questions)
            for question in questions { facts.ids[question.key] = question.answer }
            facts.sought.formUnion(facts.missingIds)
            facts.missingIds.removeAll()
        }
        switch question {
        case .statement(let walk):
            var facts = facts
            let page = try walk.page { sequence in
                if let known = facts.postings[sequence] { return known }
                let own = walk.own(try log.postings(at: sequence))
                facts.postings[sequence] = own
                return own
            }
            facts.missing.formUnion(page.lines.map(\.posting.sequence))
            self.facts = facts
        case .wallet(_, let sources): facts.missing.formUnion(sources.joined().compactMap { $0 })
        case .explain(let sequence, _):
            facts.missing.insert(sequence)
            if facts.postings[sequence] == nil {
                facts.postings[sequence] = try log.postings(at: sequence).enumerated().map { ($0, $1) }
            }
        case .find, .unknown: break
        }
        for sequence in facts.missing.sorted() where facts.commands[sequence] == nil {
            facts.commands[sequence] = try log.command(at: sequence)
        }
        facts.missing.removeAll()
    }
}

extension Refusal {
    static func unknownAction(_ externalId: Text) -> Refusal {
        Refusal(
            .unknownAction, field: "externalId",
            "Nothing with the external id \"\(externalId)\" was accepted in this workspace.")
    }
}

/// What a ``PastRead`` asked for.
public enum PastAnswer: Sendable {
    case statement(StatementAnswer)
    case wallet(WalletAnswer)
    case explain(ExplainAnswer)
}

extension Command {
    /// The id that the producer gave it; `nil` for commands that have none.
    var externalId: Text? {
        switch self {
        case .action(let c): c.externalId
        case .reverse(let c): c.externalId
        case .adjust(let c), .redeem(let c): c.externalId
        default: nil
        }
    }
}
