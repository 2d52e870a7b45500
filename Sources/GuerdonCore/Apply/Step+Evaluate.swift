// Phase 1: what an action earns, and for whom.

/// What the evaluation of rows of one shape has at hand.
struct Evaluation {
    let shape: ActiveShape
    fileprivate let operations: UnsafeBufferPointer<PayOperation>
    fileprivate let uplines: Uplines
    fileprivate let outboxes: UnsafeBufferPointer<Buffer<RewardMessage>>
    fileprivate let shardMask: Int
    /// Where rewards go, if their wallets are to be loaded.
    private let targets: UnsafeBufferPointer<PayTarget>?
    /// Place of the next message among those of its row.
    fileprivate var order: UInt16 = 0

    init(_ shape: ActiveShape, _ lane: ShardLane, _ uplines: Uplines, loadsWallets: Bool) {
        self.shape = shape
        self.uplines = uplines
        operations = shape.operations.elements
        outboxes = lane.outboxes
        shardMask = lane.outboxes.count - 1
        targets = loadsWallets ? shape.workspace.payTable.targets(shard: 0) : nil
    }

    /// An operation in place: copying it would cost as much as paying.
    @inline(__always)
    fileprivate func operation(_ index: Int) -> UnsafePointer<PayOperation> {
        precondition(index < operations.count)
        return operations.baseAddress.unsafelyUnwrapped + index
    }

    @inline(__always)
    fileprivate mutating func send(_ amount: Int64, _ i: Int, to member: UInt32, level: UInt8, info: UInt32) {
        if amount == 0 { return }
        if let targets { targets[Int(info)].wallets.prefetch(Int(member)) }
        outboxes[Int(member) & shardMask].append(
            RewardMessage(
                amount: amount, row: UInt32(truncatingIfNeeded: i), member: member, info: info, order: order,
                level: level, isConditionError: false))
        order &+= 1
    }

    /// Tells that a condition failed.
    fileprivate mutating func sendError(_ bonus: Int, _ i: Int, performer: UInt32, level: Int) {
        outboxes[Int(performer) & shardMask].append(
            RewardMessage(
                amount: Int64(shape.bonuses[bonus].bonus), row: UInt32(i), member: performer,
                info: shape.bonuses[bonus].plan.index, order: order, level: UInt8(truncatingIfNeeded: level),
                isConditionError: true))
        order &+= 1
    }
}

extension Step {
    /// Evaluates open rows one after the other and puts their rewards into the lane's outboxes; tags are given at once.
    func evaluate(_ range: Range<Int>, _ lane: ShardLane) {
        forEachShape(in: range) { shape, run in
            if let shape { evaluate(run, shape, lane, loadsWallets: false) }
        }
    }

    /// The same for rows of one shape.
    ///
    /// - Parameter loadsWallets: whether to start loading the wallets of the only shard, since this thread will book the rewards.
    func evaluate(_ run: Range<Int>, _ shape: ActiveShape, _ lane: ShardLane, loadsWallets: Bool) {
        var evaluation = Evaluation(shape, lane, uplines, loadsWallets: loadsWallets)
        for i in run where rows[i].state == .open { _ = evaluate(i, &evaluation) }
    }

    /// Evaluates one row.
    ///
    /// - Returns: `false` when some amount does not fit; then nothing of the row may be kept.
    func evaluate(_ i: Int, lane: ShardLane) -> Bool {
        guard let shape = shapes[Int(rows[i].shape)] else { return true }
        var evaluation = Evaluation(shape, lane, uplines, loadsWallets: false)
        return evaluate(i, &evaluation)
    }

    private func evaluate(_ i: Int, _ evaluation: inout Evaluation) -> Bool {
        evaluation.order = 0
        let row = rows.address(of: i)
        let at = row.pointee.at
        let bonuses = evaluation.shape.bonuses
        var audienceHolds = true
        for b in bonuses.indices {
            if bonuses[b].opensPlan {
                audienceHolds = at >= bonuses[b].starts && at < bonuses[b].ends
                if audienceHolds, let audience = bonuses[b].audience {
                    audienceHolds = holds(audience, i, recipient: row.pointee.member, level: 0, bonus: b, &evaluation)
                }
            }
            guard audienceHolds else { continue }
            if let condition = bonuses[b].condition {
                if bonuses[b].perRecipient {
                    if !payEach(b, i, condition, &evaluation) { return false }
                    continue
                }
                guard holds(condition, i, recipient: row.pointee.member, level: 0, bonus: b, &evaluation) else {
                    continue
                }
            }
            if !pay(bonuses[b].operations, i, row, &evaluation) { return false }
        }
        return true
    }

    /// Pays a bonus whose condition holds.
    @inline(__always)
    private func pay(
        _ operations: Range<Int>, _ i: Int, _ row: UnsafeMutablePointer<ActionRow>, _ evaluation: inout Evaluation
    ) -> Bool {
        let units = row.pointee.value
        for o in operations {
            let operation = evaluation.operation(o)
            let level = operation.pointee.level
            guard level <= row.pointee.depth else { continue }
            if operation.pointee.tag >= 0 {
                give(operation.pointee.tag, to: row.pointee.member, evaluation.shape)
                continue
            }
            guard let amount = RewardFormula.amount(operation.pointer(to: \.formula).unsafelyUnwrapped, units: units)
            else { return false }
            evaluation.send(
                amount, i, to: evaluation.uplines.member(Int(level), of: i), level: level,
                info: operation.pointee.info)
        }
        return true
    }

    /// Pays a bonus whose condition is asked for every recipient.
    private func payEach(_ b: Int, _ i: Int, _ condition: Condition, _ evaluation: inout Evaluation) -> Bool {
        // All conditions of one bonus see the tags as they were when it began.
        var tags: [Int16] = []
        defer { for tag in tags { give(tag, to: rows[i].member, evaluation.shape) } }
        for o in evaluation.shape.bonuses[b].operations {
            let operation = evaluation.operation(o).pointee
            guard operation.level <= rows[i].depth else { continue }
            let recipient = evaluation.uplines.member(Int(operation.level), of: i)
            guard holds(condition, i, recipient: recipient, level: Int(operation.level), bonus: b, &evaluation)
            else { continue }
            if operation.tag >= 0 {
                tags.append(operation.tag)
                continue
            }
            guard let amount = operation.formula.amount(units: rows[i].value) else { return false }
            evaluation.send(amount, i, to: recipient, level: operation.level, info: operation.info)
        }
        return true
    }

    @inline(never)
    private func give(_ tag: Int16, to member: UInt32, _ shape: ActiveShape) {
        var profile = shape.workspace.profile(of: member) ?? Profile()
        if profile.addTag(shape.operations.tags[Int(tag)]) { shape.workspace.setProfile(profile, of: member) }
    }

    /// Asks a condition; one that fails counts as false and is told by a message of its own.
    private func holds(
        _ condition: Condition, _ i: Int, recipient: UInt32, level: Int, bonus: Int, _ evaluation: inout Evaluation
    ) -> Bool {
        let shape = evaluation.shape
        let context = ConditionContext(
            row: rows[i], shape: shape.shape, valueScale: shape.valueScale, workspace: shape.workspace,
            recipient: recipient, level: level)
        if let result = condition.evaluate(context) { return result }
        evaluation.sendError(bonus, i, performer: rows[i].member, level: level)
        return false
    }
}
