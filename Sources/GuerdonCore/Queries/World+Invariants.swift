// What must always hold; checked by `verify` and by the tests.

extension World {
    /// An invariant and where it does not hold.
    public struct Invariant: Equatable, Sendable {
        public var name: String
        /// Empty when it holds; otherwise what is wrong, and where.
        public var violation: String

        public var holds: Bool { violation.isEmpty }

        public init(name: String, violation: String) {
            self.name = name
            self.violation = violation
        }
    }

    /// Checks all invariants of the state.
    ///
    /// - Complexity: linear in members times currencies, and in lots and board entries.
    public func checkInvariants() -> [Invariant] {
        var zero = ""
        var lots = ""
        var negative = ""
        var forest = ""
        var boards = ""
        var budgets = ""
        for workspace in workspaces {
            for (c, currency) in workspace.currencies.enumerated() {
                let place = "workspace \(workspace.name), currency \(currency.code)"
                var wallets = Int128(0)
                for member in 0..<UInt32(workspace.memberCount) {
                    let wallet = workspace.wallet(of: member, currency: c)
                    wallets += Int128(wallet.balance)
                    var sum = wallet.undated
                    var previous = Int64.min
                    let shard = workspace.shards[workspace.shard(of: member)]
                    shard.wallets.forEachLot(wallet) { _, lot in
                        sum += lot.amount
                        if lot.amount <= 0 || lot.expires < previous {
                            lots = "\(place), member \(workspace.id(of: member)): a lot is empty or out of order"
                        }
                        previous = lot.expires
                    }
                    if sum != max(wallet.balance, 0) {
                        lots =
                            "\(place), member \(workspace.id(of: member)): lots make \(sum), balance \(wallet.balance)"
                    }
                    if wallet.undated < 0 {
                        negative = "\(place), member \(workspace.id(of: member)): undated value is negative"
                    }
                    if wallet.balance < 0, !workspace.plans.contains(where: { $0.definition.clawback == .debt }) {
                        negative = "\(place), member \(workspace.id(of: member)): in debt, and no plan allows it"
                    }
                }
                let funded = workspace.accounts.reduce(Int128(0)) { $0 + ($1.currency == c ? Int128($1.spent) : 0) }
                let books = currency.books
                let total =
                    wallets + Int128(books.issuance) + Int128(books.adjustments) + Int128(books.redeemed)
                    + Int128(books.breakage) - funded
                if total != 0 { zero = "\(place): all accounts sum to \(total)" }
            }
            for account in workspace.accounts where account.spent < 0 {
                budgets = "workspace \(workspace.name), account \(account.account): took back more than it paid"
            }
            if let member = workspace.firstMemberInLoop() {
                forest = "workspace \(workspace.name): \(workspace.id(of: member)) stands above himself"
            }
            for board in workspace.boards {
                for (key, standing) in board.standings where !standing.isConsistent() {
                    boards =
                        "workspace \(workspace.name), board \(board.name), period \(board.period.name(key: key)): order and scores differ"
                }
            }
        }
        return [
            Invariant(name: "currencies_sum_to_zero", violation: zero),
            Invariant(name: "lots_sum_to_balances", violation: lots),
            Invariant(name: "no_negative_balance", violation: negative),
            Invariant(name: "budgets_not_negative", violation: budgets),
            Invariant(name: "referrals_are_a_forest", violation: forest),
            Invariant(name: "boards_match_scores", violation: boards),
        ]
    }
}

extension Workspace {
    /// A member from whom the way up never ends; found by walking up once from everybody, each step only once.
    fileprivate func firstMemberInLoop() -> UInt32? {
        var visit = [UInt32](repeating: 0, count: memberCount)
        for start in 0..<UInt32(memberCount) {
            var member = start
            while member != Forest.none, visit[Int(member)] == 0 {
                visit[Int(member)] = start + 1
                member = forest.referrer(of: member)
            }
            if member != Forest.none, visit[Int(member)] == start + 1 { return member }
        }
        return nil
    }
}

extension Standing {
    /// Whether the order holds exactly the members with a score, each at his place.
    fileprivate func isConsistent() -> Bool {
        var scored = 0
        for table in tables {
            for local in 0..<table.scores.count where table.scores[local].score > 0 { scored += 1 }
        }
        var (ordered, last, isRight) = (0, Int64.max, true)
        forEachPlace(from: 0, limit: count) { place in
            let score = score(of: place.member)
            if score.score != place.score || score.since != place.since || place.score > last { isRight = false }
            (ordered, last) = (ordered + 1, place.score)
        }
        return isRight && ordered == scored
    }
}
