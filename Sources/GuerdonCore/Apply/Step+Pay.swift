// Phases 1 and 2 in one, for the only shard: what an action earns is paid as it is worked out, where it depends on nothing but
// the action's value.

extension Step {
    /// Starts to load the wallets that actions of a group will be paid into; evaluates what has to be known for that.
    func prepareToPay(_ group: Range<Int>, _ lane: ShardLane) {
        forEachShape(in: group) { shape, run in
            guard let shape else { return }
            guard let window = shape.plainWindow else { return evaluate(run, shape, lane, loadsWallets: true) }
            let operations = shape.operations.elements
            let targets = shape.workspace.payTable.targets(shard: 0)
            forEachOpenRow(in: run, window) { number, row in
                for operation in operations where operation.level <= row.pointee.depth {
                    let member = uplines.member(Int(operation.level), of: number)
                    targets[Int(operation.info)].wallets.prefetch(Int(member))
                }
            }
        }
    }

    /// Pays a group that was prepared.
    ///
    /// - Parameter wantedPostings: where a posting for every reward is appended; `nil` when nobody asks for them.
    func pay(_ group: Range<Int>, into wantedPostings: Buffer<Posting>?, _ lane: ShardLane) {
        var messages = lane.outboxes[0].elements[...]
        forEachShape(in: group) { shape, run in
            guard let shape else { return }
            if let window = shape.plainWindow {
                pay(run, shape, window, into: wantedPostings ?? lane.postings, lane)
            } else {
                let own = messages.prefix { $0.row < run.upperBound }
                messages = messages.dropFirst(own.count)
                receive(
                    UnsafeBufferPointer(rebasing: own), shard: 0, areLoaded: true, into: wantedPostings, lane)
            }
        }
        lane.outboxes[0].removeAll()
        if lane.changes.count >= Step.changeRun { applyChanges(lane.changes) }
        if wantedPostings == nil { lane.postings.removeAll() }
    }

    private func pay(
        _ run: Range<Int>, _ shape: ActiveShape, _ window: Range<Int64>, into postings: Buffer<Posting>,
        _ lane: ShardLane
    ) {
        let (operations, changes) = (shape.operations.elements, lane.changes)
        guard let first = operations.baseAddress, !operations.isEmpty else { return }
        let end = first + operations.count
        var booking = Booking(shape, shard: 0, lane.standings)
        let before = postings.count
        let room = postings.extend(by: run.count * operations.count)
        var posting = room
        forEachOpenRow(in: run, window) { number, row in
            let units = row.pointee.value
            var operation = first
            while operation < end {
                let (level, info) = (operation.pointee.level, operation.pointee.info)
                let formula = operation.pointer(to: \.formula).unsafelyUnwrapped
                operation += 1
                guard level <= row.pointee.depth else { continue }
                // Never so: where an amount might not fit, actions are applied one by one.
                guard let amount = RewardFormula.amount(formula, units: units) else { return }
                if amount == 0 { continue }
                let member = uplines.member(Int(level), of: number)
                let target = booking.target(info)
                booking.pay(
                    amount, to: member, level: level, target, sequence: row.pointee.sequence, into: posting)
                posting += 1
                if target.pointee.hasBoards {
                    booking.noteScore(amount, of: member, row, currency: target.pointee.shape.currency, changes)
                }
            }
        }
        postings.truncate(to: before + (posting - room))
    }

    /// Calls `body` with the number of every row of a run that is still open and occurred within a window, and the row.
    @inline(__always)
    private func forEachOpenRow(
        in run: Range<Int>, _ window: Range<Int64>, _ body: (Int, UnsafeMutablePointer<ActionRow>) -> Void
    ) {
        var number = run.lowerBound
        rows.forEach(in: run) { row in
            if row.pointee.state == .open, window.contains(row.pointee.at) { body(number, row) }
            number &+= 1
        }
    }
}
