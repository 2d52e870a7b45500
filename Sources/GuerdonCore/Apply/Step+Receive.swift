// Phase 2: owners book what they were sent, in the order of the log.

/// A change of a member's score that waits until the run's bookings are done.
struct BoardChange: BitwiseCopyable {
    let standing: Unmanaged<Standing>
    let member: UInt32
    let amount: Int64
    let sequence: UInt64
}

/// Books rewards of one shape in one shard; holds at hand what all of a run share.
private struct Booking {
    let workspace: Workspace
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
    private func target(_ message: UnsafePointer<RewardMessage>) -> UnsafePointer<PayTarget> {
        let info = Int(message.pointee.info)
        precondition(info < targets.count)
        return targets.baseAddress.unsafelyUnwrapped + info
    }

    @inline(__always)
    private func loadWallet(_ message: UnsafePointer<RewardMessage>) {
        if message.pointee.isConditionError { return }
        target(message).pointee.wallets.prefetch(Int(message.pointee.member) &>> shardBits)
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
        let target = target(message)
        if target.pointee.hasLifetime { return posting.pointee = bookDated(message.pointee, row) }
        let (amount, sequence) = (message.pointee.amount, row.pointee.sequence)
        let wallet = target.pointee.wallets.writableAddress(of: Int(message.pointee.member) &>> shardBits)
        posting.pointee = Posting(
            sequence: sequence, previous: wallet.pointee.lastSequence, amount: amount, member: message.pointee.member,
            shape: target.pointee.shape.at(level: message.pointee.level))
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
            let target = target(message)
            guard target.pointee.hasBoards else { continue }
            let row = rows + Int(message.pointee.row)
            if row.pointee.day != day || target.pointee.shape.currency != currency {
                findStandings(row.pointee.day, target.pointee.shape.currency)
            }
            for s in 0..<standings.count {
                changes.append(
                    BoardChange(
                        standing: standings[s], member: message.pointee.member, amount: message.pointee.amount,
                        sequence: row.pointee.sequence))
            }
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

extension Step {
    /// Books messages that are in order and for members of one shard, and appends their postings: one each.
    ///
    /// - Parameters:
    ///   - areLoaded: whether somebody has seen to it that the wallets are loaded.
    ///   - postings: `nil` when nobody asks for them.
    func receive(
        _ messages: UnsafeBufferPointer<RewardMessage>, shard: Int, areLoaded: Bool,
        into wantedPostings: Buffer<Posting>?,
        _ lane: ShardLane
    ) {
        guard let first = messages.baseAddress, !messages.isEmpty else { return }
        let postings = wantedPostings ?? lane.postings
        let (changes, rows) = (lane.changes, UnsafePointer(rows.address(of: 0)))
        var start = 0
        while start < messages.count {
            // Messages of one shape, few enough that their wallets stay in the nearest cache.
            let number = rows[Int(first[start].row)].shape
            guard let shape = shapes[Int(number)] else { preconditionFailure("a message of no shape") }
            var booking = Booking(shape, shard: shard, lane.standings)
            while start < messages.count, rows[Int(first[start].row)].shape == number {
                var end = start + 1
                let limit = min(start + Step.messageRun, messages.count)
                while end < limit, rows[Int(first[end].row)].shape == number { end += 1 }
                let (run, count) = (first + start, end - start)
                booking.book(run, count: count, of: rows, areLoaded: areLoaded, into: postings.extend(by: count))
                booking.noteScores(run, count: count, of: rows, changes)
                if changes.count >= Step.messageRun { applyChanges(changes) }
                if wantedPostings == nil { postings.removeAll() }
                start = end
            }
        }
        applyChanges(changes)
    }

    /// Messages that are booked together.
    private static let messageRun = 128

    /// Brings collected changes onto the boards, in order; runs of one standing hide each other's cache misses.
    private func applyChanges(_ changes: Buffer<BoardChange>) {
        let all = changes.elements
        var start = 0
        while start < all.count {
            let standing = all[start].standing
            var end = start + 1
            while end < all.count, all[end].standing.toOpaque() == standing.toOpaque() { end += 1 }
            standing._withUnsafeGuaranteedRef { $0.add(UnsafeBufferPointer(rebasing: all[start..<end])) }
            start = end
        }
        changes.removeAll()
    }
}

extension World {
    /// Adds what the shards paid since the last time to the currencies' and entities' accounts.
    func settle() {
        for workspace in workspaces where workspace.touched {
            workspace.settle()
            workspace.touched = false
        }
    }
}

extension Workspace {
    func settle() {
        for shard in shards {
            for c in currencies.indices {
                let issued = shard.issued[c]
                if issued == 0 { continue }
                currencies[c].books.issuance -= issued
                currencies[c].books.credited += issued
                shard.issued[c] = 0
            }
            for a in accounts.indices where shard.funded[a] != 0 {
                accounts[a].spent += shard.funded[a]
                currencies[accounts[a].currency].books.credited += shard.funded[a]
                shard.funded[a] = 0
            }
            conditionErrors += shard.conditionErrors
            shard.conditionErrors = 0
        }
    }
}
