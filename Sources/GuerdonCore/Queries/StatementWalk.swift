/// A member's way back through the postings of his wallets, newest first: needs postings and nothing of the world.
struct StatementWalk: Sendable {
    /// A posting with its place among all of its command's postings.
    typealias Placed = (place: Int, posting: Posting)

    /// A line: a posting, and what was available behind it.
    struct Line {
        var posting: Posting
        var balance: Int64
    }

    /// One wallet's way back.
    struct Wallet: Sendable {
        let currency: Int
        /// Balance behind the newest posting not yet passed.
        var balance: Int64
        /// Postings of the command at hand that are not yet passed, oldest first.
        var pending: [Placed] = []
        /// Log position of the next command; 0 behind the last.
        var next: UInt64
        /// After a cursor: how many postings of the command at ``next`` are not yet passed; 0 for all.
        var resumeCount = 0
    }

    let workspace: Int
    let member: UInt32
    let limit: Int
    var wallets: [Wallet]

    /// What a command's postings mean to this member.
    func own(_ postings: [Posting]) -> [Placed] {
        postings.enumerated().filter { _, posting in
            posting.member == member && Int(posting.workspace) == workspace && posting.kind != .conditionError
        }.map { (place: $0.offset, posting: $0.element) }
    }

    /// Splits off one wallet's postings of a command, and says where its way goes on.
    static func step(_ own: [Placed], currency: Int, at sequence: UInt64) -> (pending: [Placed], next: UInt64) {
        let pending = own.filter { Int($0.posting.currency) == currency }
        // Several postings of one command all but the first name the command itself as the one before.
        let next = pending.map(\.posting.previous).min() ?? 0
        return (pending, next < sequence ? next : 0)
    }

    /// The page's lines, and the cursor of the page behind; `nil` at the end.
    ///
    /// - Parameter lookUp: gives this member's postings of a command.
    func page(_ lookUp: (UInt64) throws -> [Placed]) throws -> (lines: [Line], next: String?) {
        var walk = self
        var lines: [Line] = []
        while lines.count < limit, let line = try walk.pop(lookUp) { lines.append(line) }
        return (lines, try walk.newest(lookUp) == nil ? nil : walk.cursor)
    }

    private mutating func pop(_ lookUp: (UInt64) throws -> [Placed]) throws -> Line? {
        guard let i = try newest(lookUp) else { return nil }
        let posting = wallets[i].pending.removeLast().posting
        let balance = wallets[i].balance
        wallets[i].balance -= posting.amount
        return Line(posting: posting, balance: max(balance, 0))
    }

    /// The wallet whose newest posting is the newest of all.
    private mutating func newest(_ lookUp: (UInt64) throws -> [Placed]) throws -> Int? {
        var best: Int?
        for i in wallets.indices {
            try load(&wallets[i], lookUp)
            guard let last = wallets[i].pending.last else { continue }
            guard let other = best, let top = wallets[other].pending.last else {
                best = i
                continue
            }
            // Within one command, the order in which it posted.
            if (last.posting.sequence, last.place) > (top.posting.sequence, top.place) { best = i }
        }
        return best
    }

    private func load(_ wallet: inout Wallet, _ lookUp: (UInt64) throws -> [Placed]) throws {
        guard wallet.pending.isEmpty, wallet.next != 0 else { return }
        let found = StatementWalk.step(try lookUp(wallet.next), currency: wallet.currency, at: wallet.next)
        (wallet.pending, wallet.next) = (found.pending, found.next)
        if wallet.resumeCount > 0 {
            wallet.pending.removeLast(max(0, wallet.pending.count - wallet.resumeCount))
            wallet.resumeCount = 0
        }
    }

    // A cursor names, for each wallet, where to go on: currency:position:postings left there:balance.
    private var cursor: String {
        wallets.filter { !$0.pending.isEmpty || $0.next != 0 }
            .map { wallet in
                let at = wallet.pending.last?.posting.sequence ?? wallet.next
                return "\(wallet.currency):\(at):\(wallet.pending.count):\(wallet.balance)"
            }
            .joined(separator: "/")
    }

    /// Goes on where a page ended.
    ///
    /// - Parameter last: the newest log position that a cursor can name.
    mutating func resume(_ cursor: String, last: UInt64) throws(Refusal) {
        let malformed = Refusal(
            .badRequest, field: "before", "Not a cursor of this statement; give the `next` of the page before.")
        var places: [Int: (next: UInt64, left: Int, balance: Int64)] = [:]
        for part in cursor.split(separator: "/", omittingEmptySubsequences: false) {
            let fields = part.split(separator: ":", omittingEmptySubsequences: false)
            guard fields.count == 4, let currency = Int(fields[0]), let next = UInt64(fields[1]),
                let left = Int(fields[2]), let balance = Int64(fields[3]), next > 0, next <= last, left >= 0
            else { throw malformed }
            places[currency] = (next, left, balance)
        }
        for i in wallets.indices {
            guard let place = places[wallets[i].currency] else {
                wallets[i].next = 0
                continue
            }
            wallets[i].balance = place.balance
            wallets[i].next = place.next
            wallets[i].resumeCount = place.left
        }
    }
}
