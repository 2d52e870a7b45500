// Phase 2: owners book what they were sent, in the order of the log.

/// A change of a member's score that waits until the run's bookings are done.
struct BoardChange: BitwiseCopyable {
    let standing: Unmanaged<Standing>
    let member: UInt32
    let amount: Int64
    let sequence: UInt64
}

/// Books rewards of one workspace; holds at hand what all of a run share.
private struct Booking {
    let shape: ActiveShape
    let workspace: Workspace
    let table: PayTable
    let workspaceIndex: UInt16
    let shardMask: Int
    let shardBits: Int
    // The standings of the last day and currency met; most rewards of a run go to the same.
    private var day = Int32.min
    private var currency = UInt16.max
    private var standings: ContiguousArray<Unmanaged<Standing>> = []

    init(_ shape: ActiveShape) {
        self.shape = shape
        workspace = shape.workspace
        table = shape.workspace.payTable
        workspaceIndex = UInt16(shape.workspaceIndex)
        shardMask = shape.workspace.shards.count - 1
        shardBits = shape.workspace.shardBits
    }

    @inline(__always)
    func prefetch(_ message: RewardMessage) {
        if message.isConditionError { return }
        let target = table.target(info: message.info, shard: Int(message.member) & shardMask)
        target.wallets.prefetch(Int(message.member) >> shardBits)
    }

    @inline(__always)
    mutating func book(
        _ message: RewardMessage, _ row: ActionRow, _ postings: Buffer<Posting>, _ changes: Buffer<BoardChange>
    ) {
        let member = message.member
        if message.isConditionError {
            workspace.shards[Int(member) & shardMask].conditionErrors += 1
            postings.append(
                Posting(
                    sequence: row.sequence, previous: 0, amount: 0, workspace: workspaceIndex, member: member,
                    currency: 0, kind: .conditionError, plan: message.info, bonus: UInt16(message.amount),
                    level: message.level))
            return
        }
        let shard = Int(member) & shardMask
        let local = Int(member) >> shardBits
        let target = table.target(info: message.info, shard: shard)
        let amount = message.amount
        postings.append(
            Posting(
                sequence: row.sequence, previous: target.wallets[local].lastSequence, amount: amount,
                workspace: workspaceIndex, member: member, currency: target.currency, kind: .reward, plan: target.plan,
                bonus: target.bonus, reward: target.reward, level: message.level))
        target.paid[target.paidIndex] += amount
        if target.hasLifetime {
            workspace.shards[shard].wallets.credit(
                local: local, currency: Int(target.currency), amount: amount,
                expires: expiry(message.info, at: row.at), sequence: row.sequence)
        } else {
            target.wallets.update(local) { $0.credit(undated: amount, sequence: row.sequence) }
        }
        if target.hasBoards {
            if row.day != day || target.currency != currency { findStandings(row.day, target.currency) }
            for standing in standings {
                changes.append(
                    BoardChange(standing: standing, member: member, amount: amount, sequence: row.sequence))
            }
        }
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
        standings.removeAll(keepingCapacity: true)
        for board in workspace.boardsOfCurrency[Int(currency)] {
            // With several shards at work, all standings were made before.
            let standing =
                shardMask == 0
                ? board.standing(day: Int64(day), weekStart: workspace.weekStart)
                : board.existingStanding(day: Int64(day), weekStart: workspace.weekStart)
            standings.append(Unmanaged.passUnretained(standing))
        }
    }
}

extension World {
    /// Books messages that are in order, and appends their postings.
    func receive(
        _ messages: UnsafeBufferPointer<RewardMessage>, into postings: Buffer<Posting>,
        _ changes: Buffer<BoardChange>
    ) {
        guard let first = messages.first, var shape = shapes[Int(rows[Int(first.row)].shape)] else { return }
        var current = rows[Int(first.row)].shape
        var booking = Booking(shape)
        var start = 0
        while start < messages.count {
            // Messages of one shape, few enough that their wallets stay in the nearest cache.
            var end = start
            while end < min(start + 128, messages.count), rows[Int(messages[end].row)].shape == current { end += 1 }
            if end == start {
                current = rows[Int(messages[start].row)].shape
                guard let next = shapes[Int(current)] else { preconditionFailure("a message of no shape") }
                shape = next
                booking = Booking(shape)
                continue
            }
            for at in start..<end { booking.prefetch(messages[at]) }
            for at in start..<end {
                booking.book(messages[at], rows[Int(messages[at].row)], postings, changes)
                if changes.count >= 64 { applyChanges(changes) }
            }
            start = end
        }
        applyChanges(changes)
    }

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

    /// Adds what the shards paid in this step to the currencies' and entities' accounts.
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
