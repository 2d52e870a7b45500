// Phase 2: owners book what they were sent, in the order of the log.

/// A change of a member's score that waits until the run's bookings are done.
struct BoardChange: BitwiseCopyable {
    let standing: Unmanaged<Standing>
    let member: UInt32
    let amount: Int64
    let sequence: UInt64
}

/// Books rewards of one shape; holds at hand what all of a run share.
private struct Booking {
    let workspace: Workspace
    let table: PayTable
    let workspaceIndex: UInt16
    let shardMask: Int
    let shardBits: Int
    // The standings of the last day and currency met; most rewards of a run go to the same.
    private var day = Int32.min
    private var currency = UInt16.max
    private let standings: Buffer<Unmanaged<Standing>>

    init(_ shape: ActiveShape, _ standings: Buffer<Unmanaged<Standing>>) {
        workspace = shape.workspace
        table = shape.workspace.payTable
        workspaceIndex = UInt16(shape.workspaceIndex)
        shardMask = shape.workspace.shards.count - 1
        shardBits = shape.workspace.shardBits
        self.standings = standings
    }

    @inline(__always)
    func prefetch(_ message: RewardMessage) {
        if message.isConditionError { return }
        table.target(info: message.info, shard: Int(message.member) & shardMask).pointee.wallets
            .prefetch(Int(message.member) &>> shardBits)
    }

    @inline(__always)
    mutating func book(
        _ message: RewardMessage, _ row: UnsafePointer<ActionRow>, _ changes: Buffer<BoardChange>
    ) -> Posting {
        let sequence = row.pointee.sequence
        if message.isConditionError { return tellError(message, sequence) }
        let local = Int(message.member) &>> shardBits
        let target = table.target(info: message.info, shard: Int(message.member) & shardMask)
        let posting = Posting(
            sequence: sequence, previous: target.pointee.wallets[local].lastSequence, amount: message.amount,
            workspace: workspaceIndex, member: message.member, currency: target.pointee.currency, kind: .reward,
            plan: target.pointee.plan, bonus: target.pointee.bonus, reward: target.pointee.reward,
            level: message.level)
        target.pointee.paid.pointee += message.amount
        if target.pointee.hasLifetime {
            workspace.shards[Int(message.member) & shardMask].wallets.credit(
                local: local, currency: Int(posting.currency), amount: message.amount,
                expires: expiry(message.info, at: row.pointee.at), sequence: sequence)
        } else {
            target.pointee.wallets.update(local) { $0.credit(undated: message.amount, sequence: sequence) }
        }
        if target.pointee.hasBoards {
            if row.pointee.day != day || posting.currency != currency {
                findStandings(row.pointee.day, posting.currency)
            }
            for s in 0..<standings.count {
                changes.append(
                    BoardChange(
                        standing: standings[s], member: message.member, amount: message.amount,
                        sequence: sequence))
            }
        }
        return posting
    }

    @inline(never)
    private func tellError(_ message: RewardMessage, _ sequence: UInt64) -> Posting {
        workspace.shards[Int(message.member) & shardMask].conditionErrors += 1
        return Posting(
            sequence: sequence, previous: 0, amount: 0, workspace: workspaceIndex, member: message.member,
            currency: 0, kind: .conditionError, plan: message.info, bonus: UInt16(message.amount),
            level: message.level)
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
                shardMask == 0
                ? board.standing(day: Int64(day), weekStart: workspace.weekStart)
                : board.existingStanding(day: Int64(day), weekStart: workspace.weekStart)
            standings.append(Unmanaged.passUnretained(standing))
        }
    }
}

extension World {
    /// Books messages that are in order, and appends their postings: one each.
    func receive(_ messages: UnsafeBufferPointer<RewardMessage>, into postings: Buffer<Posting>, _ lane: ShardLane) {
        if messages.isEmpty { return }
        // Messages name rows of this step.
        let (changes, rows) = (lane.changes, UnsafePointer(rows.address(of: 0)))
        var start = 0
        while start < messages.count {
            // Messages of one shape, few enough that their wallets stay in the nearest cache.
            let number = rows[Int(messages[start].row)].shape
            guard let shape = shapes[Int(number)] else { preconditionFailure("a message of no shape") }
            var booking = Booking(shape, lane.standings)
            repeat {
                var end = start
                while end < min(start + 128, messages.count), rows[Int(messages[end].row)].shape == number {
                    booking.prefetch(messages[end])
                    end += 1
                }
                if end == start { break }
                let space = postings.extend(by: end - start)
                for at in start..<end {
                    space[at - start] = booking.book(messages[at], rows + Int(messages[at].row), changes)
                }
                if changes.count >= 64 { applyChanges(changes) }
                start = end
            } while start < messages.count
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
