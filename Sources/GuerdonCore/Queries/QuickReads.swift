/// Answers the reads that are asked for by the thousand, while the state does not change: workspace, board and period that
/// the read before asked about are kept at hand, and nothing is allocated for a name.
///
/// It says `nil` to everything unusual, names that are not there included; ask ``World`` then. For one thread.
public final class QuickReads {
    /// A place on a board.
    public struct Place: BitwiseCopyable {
        public var rank: Int
        public var member: UInt32
        public var score: Int64
    }

    /// Where a member stands.
    public struct Rank {
        /// `nil` when the member is not on the board.
        public var rank: Int?
        public var score: Int64
    }

    /// A balance of a wallet.
    public struct Balance {
        public var code: Text
        public var scale: Int
        public var available: Int64
        public var debt: Int64
    }

    /// One period of a board.
    public struct Period {
        fileprivate let name: Text
        /// As asked for; `nil` for the current one.
        fileprivate let written: Text?
        fileprivate let board: Board
        fileprivate let standing: Standing?
        /// The board without its places.
        public let frame: BoardAnswer
        /// Counts the periods that were looked up: equal numbers are equal periods of an equal state.
        public let number: Int
    }

    private var world: World?
    private var now: Int64 = 0
    private var workspace: Workspace?
    private var period: Period?
    private var periodsFound = 0
    /// The places that ``list(_:from:limit:)`` found last.
    public let places = Buffer<Place>()

    public init() {}

    deinit { places.deallocate() }

    /// Begins to read a state; to be called again whenever it may have changed.
    ///
    /// - Parameter now: tells which period is the current one, in nanoseconds since 1970.
    public func begin(_ world: World, now: Int64) {
        self.world = world
        self.now = now
        workspace = nil
        period = nil
    }

    /// Ends reading.
    public func end() {
        world = nil
        workspace = nil
        period = nil
    }

    /// Chooses the workspace that all else is asked about; false when there is none.
    public func choose(workspace name: UnsafeRawBufferPointer) -> Bool {
        if let workspace, workspace.name.hasBytes(name) { return true }
        period = nil
        workspace = nil
        guard let world, let index = world.workspaceIndex[Text(copying: name)] else { return false }
        workspace = world.workspaces[index]
        return true
    }

    /// A member's number in the workspace chosen.
    @inline(__always)
    public func member(_ id: UnsafeRawBufferPointer) -> UInt32? {
        guard let members = workspace?.members else { return nil }
        return members.find(members.hash(id), id)
    }

    /// The id of a member of the workspace chosen; valid while the state does not change.
    @inline(__always)
    public func id(of member: UInt32) -> UnsafeRawBufferPointer {
        guard let workspace else { preconditionFailure("no workspace was chosen") }
        return workspace.members.id(member)
    }

    /// A period of a board in the workspace chosen.
    ///
    /// - Parameter written: its name; `nil` for the current one.
    public func period(board name: UnsafeRawBufferPointer, _ written: UnsafeRawBufferPointer?) -> Period? {
        if let period, period.name.hasBytes(name), QuickReads.isSame(period.written, written) { return period }
        return findPeriod(name, written)
    }

    @inline(never)
    private func findPeriod(_ name: UnsafeRawBufferPointer, _ written: UnsafeRawBufferPointer?) -> Period? {
        let text = Text(copying: name)
        let writtenText = written.map { Text(copying: $0) }
        guard let world, let workspace,
            let (board, key) = try? world.find(text, workspace, period: writtenText?.string, now: now)
        else { return nil }
        periodsFound += 1
        period = Period(
            name: text, written: writtenText, board: board, standing: board.standings[key],
            frame: world.frame(board, key, workspace), number: periodsFound)
        return period
    }

    private static func isSame(_ text: Text?, _ bytes: UnsafeRawBufferPointer?) -> Bool {
        guard let bytes else { return text == nil }
        return text?.hasBytes(bytes) ?? false
    }

    /// A member's rank and score, and the window around it in ``places``.
    ///
    /// - Parameter around: size of the window, the member in its middle; 0 for none.
    public func rank(of member: UInt32, in period: Period, around: Int) -> Rank {
        places.removeAll()
        guard let standing = period.standing else { return Rank(rank: nil, score: 0) }
        let score = standing.score(of: member)
        guard score.score > 0 else { return Rank(rank: nil, score: 0) }
        let ties = period.board.ties
        var ordinal = 0
        // Who shares a score is of no importance to a rank that is shared.
        if around > 0 || ties == .ordinal {
            ordinal = standing.ordinal(Standing.Place(member: member, score: score.score, since: score.since))
        }
        let rank = standing.rank(score: score.score, ordinal: ordinal, ties: ties)
        if around > 0 {
            let above = min(around / 2, ordinal)
            list(period, from: ordinal - above, limit: above + around - around / 2)
        }
        return Rank(rank: rank, score: score.score)
    }

    /// Lists places of a period into ``places``.
    public func list(_ period: Period, from start: Int, limit: Int) {
        places.removeAll()
        guard let standing = period.standing else { return }
        standing.forEachRank(from: start, limit: limit, ties: period.board.ties) { rank, place in
            places.append(Place(rank: rank, member: place.member, score: place.score))
        }
    }

    /// Calls `body` with a member's balances in the currencies he ever had a posting in, in order of their creation.
    public func wallet(of member: UInt32, _ body: (Balance) -> Void) {
        guard let workspace else { return }
        let wallets = workspace.shards[workspace.shard(of: member)].wallets
        let local = workspace.local(of: member)
        for (c, currency) in workspace.currencies.enumerated() {
            let wallet = wallets.wallets[c][local]
            guard wallet.lastSequence != 0 else { continue }
            body(
                Balance(code: currency.code, scale: currency.scale, available: wallet.available, debt: wallet.debt))
        }
    }
}

extension Text {
    /// Whether these are the bytes.
    fileprivate func hasBytes(_ other: UnsafeRawBufferPointer) -> Bool {
        bytes.withUnsafeBytes { own in
            guard own.count == other.count else { return false }
            guard let a = own.baseAddress, let b = other.baseAddress, own.count > 0 else { return own.count == 0 }
            return equalBytes(a, b, own.count)
        }
    }
}
