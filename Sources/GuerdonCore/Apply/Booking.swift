/// Pays rewards of one shape in one shard; holds at hand what all of a run share.
struct Booking {
    private let workspace: Workspace
    private let shard: Int
    private let targets: UnsafeBufferPointer<PayTarget>
    private let shardBits: Int
    // The standings of the last day and currency met; most rewards of a run go to the same.
    private var day = Int32.min
    private var currency = UInt16.max
    private let standings: Buffer<Unmanaged<Standing>>

    init(_ shape: ActiveShape, shard: Int, _ standings: Buffer<Unmanaged<Standing>>) {
        workspace = shape.workspace
        self.shard = shard
        targets = shape.workspace.payTable.targets(shard: shard)
        shardBits = shape.workspace.shardBits
        self.standings = standings
    }

    @inline(__always)
    func target(_ info: UInt32) -> UnsafePointer<PayTarget> {
        precondition(Int(info) < targets.count)
        return targets.baseAddress.unsafelyUnwrapped + Int(info)
    }

    @inline(__always)
    private func loadWallet(_ message: UnsafePointer<RewardMessage>) {
        if message.pointee.isConditionError { return }
        target(message.pointee.info).pointee.wallets.prefetch(Int(message.pointee.member) &>> shardBits)
    }

    /// Books a run of messages: one posting each.
    @inline(__always)
    func book(
        _ messages: UnsafePointer<RewardMessage>, count: Int, of rows: UnsafePointer<ActionRow>,
        areLoaded: Bool, into postings: UnsafeMutablePointer<Posting>
    ) {
        if !areLoaded {
            for m in 0..<min(Self.messagesAhead, count) { loadWallet(messages + m) }
        }
        for m in 0..<count {
            if !areLoaded, m &+ Self.messagesAhead < count { loadWallet(messages + m + Self.messagesAhead) }
            book(messages + m, of: rows, into: postings + m)
        }
    }

    private static let messagesAhead = 32

    /// Books a message; what is rare is elsewhere, so that what is not stays in registers.
    @inline(__always)
    private func book(
        _ message: UnsafePointer<RewardMessage>, of rows: UnsafePointer<ActionRow>,
        into posting: UnsafeMutablePointer<Posting>
    ) {
        let row = rows + Int(message.pointee.row)
        if message.pointee.isConditionError { return posting.pointee = tellError(message.pointee, row) }
        let target = target(message.pointee.info)
        if target.pointee.hasLifetime { return posting.pointee = bookDated(message.pointee, row) }
        pay(
            message.pointee.amount, to: message.pointee.member, level: message.pointee.level, target,
            sequence: row.pointee.sequence, into: posting)
    }

    /// Pays what never expires.
    @inline(__always)
    func pay(
        _ amount: Int64, to member: UInt32, level: UInt8, _ target: UnsafePointer<PayTarget>, sequence: UInt64,
        into posting: UnsafeMutablePointer<Posting>
    ) {
        let wallet = target.pointee.wallets.writableAddress(of: Int(member) &>> shardBits)
        posting.pointee = Posting(
            sequence: sequence, previous: wallet.pointee.lastSequence, amount: amount, member: member,
            shape: target.pointee.shape.at(level: level))
        target.pointee.paid.pointee += amount
        wallet.pointee.credit(undated: amount, sequence: sequence)
    }

    /// Notes what a run of messages changes on boards.
    @inline(__always)
    mutating func noteScores(
        _ messages: UnsafePointer<RewardMessage>, count: Int, of rows: UnsafePointer<ActionRow>,
        _ changes: Buffer<BoardChange>
    ) {
        for m in 0..<count {
            let message = messages + m
            if message.pointee.isConditionError { continue }
            let target = target(message.pointee.info)
            guard target.pointee.hasBoards else { continue }
            noteScore(
                message.pointee.amount, of: message.pointee.member, rows + Int(message.pointee.row),
                currency: target.pointee.shape.currency, changes)
        }
    }

    /// Notes what a reward changes on the boards of its currency.
    @inline(__always)
    mutating func noteScore(
        _ amount: Int64, of member: UInt32, _ row: UnsafePointer<ActionRow>, currency: UInt16,
        _ changes: Buffer<BoardChange>
    ) {
        if row.pointee.day != day || currency != self.currency { findStandings(row.pointee.day, currency) }
        for s in 0..<standings.count {
            changes.append(
                BoardChange(
                    standing: standings[s], member: member, amount: amount, sequence: row.pointee.sequence))
        }
    }

    @inline(never)
    private func tellError(_ message: RewardMessage, _ row: UnsafePointer<ActionRow>) -> Posting {
        workspace.shards[shard].conditionErrors += 1
        return Posting(
            sequence: row.pointee.sequence, previous: 0, amount: 0, workspace: UInt16(workspace.index),
            member: message.member,
            currency: 0, kind: .conditionError, plan: message.info, bonus: UInt16(message.amount),
            level: message.level)
    }

    @inline(never)
    private func bookDated(_ message: RewardMessage, _ row: UnsafePointer<ActionRow>) -> Posting {
        let target = targets[Int(message.info)]
        let (local, sequence) = (Int(message.member) &>> shardBits, row.pointee.sequence)
        let posting = Posting(
            sequence: sequence, previous: target.wallets[local].lastSequence, amount: message.amount,
            member: message.member, shape: target.shape.at(level: message.level))
        target.paid.pointee += message.amount
        workspace.shards[shard].wallets.credit(
            local: local, currency: Int(target.shape.currency), amount: message.amount,
            expires: expiry(message.info, at: row.pointee.at), sequence: sequence)
        return posting
    }

    /// When a reward of now expires: by its own lifetime, else by the currency's.
    private func expiry(_ index: UInt32, at: Int64) -> Int64? {
        let info = workspace.rewardInfos[Int(index)]
        if info.hasLifetime { return info.lifetime.added(to: at) }
        return workspace.currencies[Int(info.currency)].lifetime?.added(to: at)
    }

    @inline(never)
    private mutating func findStandings(_ day: Int32, _ currency: UInt16) {
        self.day = day
        self.currency = currency
        standings.removeAll()
        for board in workspace.boardsOfCurrency[Int(currency)] {
            // With several shards at work, all standings were made before.
            let standing =
                workspace.shards.count == 1
                ? board.standing(day: Int64(day), weekStart: workspace.weekStart)
                : board.existingStanding(day: Int64(day), weekStart: workspace.weekStart)
            standings.append(Unmanaged.passUnretained(standing))
        }
    }
}
