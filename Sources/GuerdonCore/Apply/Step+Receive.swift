// Phase 2: owners book what they were sent, in the order of the log.

/// A change of a member's score that waits until the run's bookings are done.
struct BoardChange: BitwiseCopyable {
    let standing: Unmanaged<Standing>
    let member: UInt32
    let amount: Int64
    let sequence: UInt64
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
                let limit = min(start + Step.changeRun, messages.count)
                while end < limit, rows[Int(first[end].row)].shape == number { end += 1 }
                let (run, count) = (first + start, end - start)
                booking.book(run, count: count, of: rows, areLoaded: areLoaded, into: postings.extend(by: count))
                booking.noteScores(run, count: count, of: rows, changes)
                if changes.count >= Step.changeRun { applyChanges(changes) }
                if wantedPostings == nil { postings.removeAll() }
                start = end
            }
        }
        applyChanges(changes)
    }

    /// Rewards that are booked before boards follow: enough of their scores are on their way from memory at once, and few enough
    /// that what was read of the rewards stays in the nearest cache.
    static let changeRun = 128

    /// Brings collected changes onto the boards, in order; runs of one standing hide each other's cache misses.
    func applyChanges(_ changes: Buffer<BoardChange>) {
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
