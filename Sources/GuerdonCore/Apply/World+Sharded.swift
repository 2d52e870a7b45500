// Steps on more than one shard: the same two phases, with a barrier between them.

extension World {
    func applySharded(_ batch: CommandBatch) {
        let firstPosting = postings.count
        let (step, rows) = (step, step.rows)
        step.perform(.resolvingAndClimbing, lanes[0], nil)
        for lane in lanes { lane.rows.removeAll() }
        for i in 0..<rows.count where rows[i].state == .open {
            lanes[Int(rows[i].member) & (shardCount - 1)].rows.append(UInt32(i))
            prepareStandings(i)
            if let shape = step.shapes[Int(rows[i].shape)] { _ = shape.workspace.payTable }
        }
        // The world is lent to the runner for two phases, which it waits for; in each, a shard writes only what it owns.
        let loan = Loan(self)
        runner.run(shardCount, rows: rows.count) { s in
            let world = loan.lent
            for i in world.lanes[s].rows.elements { _ = world.step.evaluate(Int(i), lane: world.lanes[s]) }
        }
        runner.run(shardCount, rows: rows.count) { s in loan.lent.receiveFromAll(s) }
        mergePostings()
        for lane in lanes {
            for box in lane.outboxes { box.removeAll() }
        }
        settle()
        finish(batch, firstPosting: firstPosting)
    }

    /// Makes the standings that a row may touch, so that no shard has to.
    func prepareStandings(_ i: Int) {
        let row = step.rows[i]
        guard let shape = step.shapes[Int(row.shape)] else { return }
        for board in shape.workspace.boards {
            _ = board.standing(day: Int64(row.day), weekStart: shape.workspace.weekStart)
        }
    }

    /// Books what all lanes sent to shard `s`, merged by (row, order).
    private func receiveFromAll(_ s: Int) {
        let lane = lanes[s]
        lane.postings.removeAll()
        lane.inbox.removeAll()
        merge(lanes.map { $0.outboxes[s].elements }) { lane.inbox.append($1) }
        step.receive(lane.inbox.elements, shard: s, areLoaded: false, into: lane.postings, lane)
    }

    /// Books one row's messages to several shards in order; for actions that are applied alone.
    func receiveMerged(_ lane: ShardLane) {
        lane.inbox.removeAll()
        merge(lane.outboxes.map { $0.elements }) { lane.inbox.append($1) }
        let all = lane.inbox.elements
        var start = 0
        while start < all.count {
            let shard = Int(all[start].member) & (shardCount - 1)
            var end = start + 1
            while end < all.count, Int(all[end].member) & (shardCount - 1) == shard { end += 1 }
            step.receive(
                UnsafeBufferPointer(rebasing: all[start..<end]), shard: shard, areLoaded: false, into: postings, lane)
            start = end
        }
    }

    /// Brings the shards' postings into the order of the log: each answers one message of the shard's inbox.
    private func mergePostings() {
        var places = ContiguousArray(repeating: 0, count: shardCount)
        merge(lanes.map { $0.inbox.elements }) { shard, _ in
            postings.append(lanes[shard].postings[places[shard]])
            places[shard] += 1
        }
    }
}

/// Merges runs of messages that are in order of (row, order) each; tells the number of the run with every message.
private func merge(_ runs: [UnsafeBufferPointer<RewardMessage>], into body: (Int, RewardMessage) -> Void) {
    var places = ContiguousArray(repeating: 0, count: runs.count)
    while true {
        var best = -1
        for r in runs.indices where places[r] < runs[r].count {
            if best < 0 || runs[r][places[r]].precedes(runs[best][places[best]]) { best = r }
        }
        if best < 0 { return }
        body(best, runs[best][places[best]])
        places[best] += 1
    }
}
