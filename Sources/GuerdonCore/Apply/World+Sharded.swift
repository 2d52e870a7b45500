// Steps on more than one shard: the same two phases, with a barrier between them.

extension World {
    func applySharded(_ batch: CommandBatch) {
        let firstPosting = postings.count
        var start = 0
        while start < rows.count {
            let end = min(start + 64, rows.count)
            resolve(start..<end)
            start = end
        }
        for lane in lanes {
            lane.rows.removeAll()
            for box in lane.outboxes { box.removeAll() }
        }
        for i in 0..<rows.count where rows[i].state == .open {
            lanes[Int(rows[i].member) & (shardCount - 1)].rows.append(UInt32(i))
            prepareStandings(i)
        }
        // The world is lent to the runner for two phases; in each, a shard writes only what it owns.
        let loan = Loan(self)
        runner.run(shardCount, rows: rows.count) { s in
            let world = loan.world
            for i in world.lanes[s].rows.elements { world.evaluate(Int(i), lane: world.lanes[s]) }
        }
        runner.run(shardCount, rows: rows.count) { s in loan.world.receiveFromAll(s) }
        mergePostings()
        settle()
        finish(batch, firstPosting: firstPosting)
    }

    /// Makes the standings that a row may touch, so that no shard has to.
    func prepareStandings(_ i: Int) {
        guard let shape = shapes[Int(rows[i].shape)] else { return }
        for board in shape.workspace.boards {
            _ = board.standing(day: Int64(rows[i].day), weekStart: shape.workspace.weekStart)
        }
    }

    /// Books what all lanes sent to shard `s`, merged by (row, order).
    private func receiveFromAll(_ s: Int) {
        let lane = lanes[s]
        lane.postings.removeAll()
        lane.orders.removeAll()
        merge(lanes.map { $0.outboxes[s].elements }) {
            ($0.row, $0.order)
        } into: { message in
            receive(message, into: lane.postings, orders: lane.orders)
        }
    }

    /// Books one row's messages to several shards in order; for actions that are applied alone.
    func receiveMerged(_ lane: ShardLane) {
        merge(lane.outboxes.map { $0.elements }) {
            ($0.row, $0.order)
        } into: { message in
            receive(message, into: postings, orders: nil)
        }
    }

    /// Brings the shards' postings into the order of the log.
    private func mergePostings() {
        var places = ContiguousArray(repeating: 0, count: shardCount)
        while true {
            var best = -1
            for s in 0..<shardCount where places[s] < lanes[s].postings.count {
                if best < 0 {
                    best = s
                    continue
                }
                let a = lanes[s].postings[places[s]]
                let b = lanes[best].postings[places[best]]
                if a.sequence < b.sequence
                    || (a.sequence == b.sequence && lanes[s].orders[places[s]] < lanes[best].orders[places[best]])
                {
                    best = s
                }
            }
            if best < 0 { return }
            postings.append(lanes[best].postings[places[best]])
            places[best] += 1
        }
    }
}

/// Carries the world into the phases of a step.
private struct Loan: @unchecked Sendable {
    // Sendable: the lender waits until all phases are done, and they touch disjoint shards.
    let world: World
    init(_ world: World) { self.world = world }
}

/// Merges runs that are in order of `key` each.
private func merge<Element>(
    _ runs: [UnsafeBufferPointer<Element>], by key: (Element) -> (UInt32, UInt16), into body: (Element) -> Void
) {
    var places = ContiguousArray(repeating: 0, count: runs.count)
    while true {
        var best = -1
        var bestKey: (UInt32, UInt16) = (0, 0)
        for r in runs.indices where places[r] < runs[r].count {
            let candidate = key(runs[r][places[r]])
            if best < 0 || candidate < bestKey { (best, bestKey) = (r, candidate) }
        }
        if best < 0 { return }
        body(runs[best][places[best]])
        places[best] += 1
    }
}
