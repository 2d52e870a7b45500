// Phase 1: what an action earns, and for whom.

extension World {
    /// Evaluates a row and puts its rewards into the lane's outboxes; tags are given at once.
    ///
    /// - Returns: `false` when some amount does not fit; then nothing of the row may be kept.
    @discardableResult
    func evaluate(_ i: Int, lane: ShardLane) -> Bool {
        guard let shape = shapes[Int(rows[i].shape)] else { return true }
        lane.order = 0
        var audienceHolds = true
        for b in shape.bonuses.indices {
            let at = rows[i].at
            if shape.bonuses[b].opensPlan {
                let plan = shape.bonuses[b].plan
                audienceHolds = at >= plan.starts && at < plan.ends
                if audienceHolds, let audience = shape.bonuses[b].audience {
                    audienceHolds = holds(audience, i, shape, recipient: rows[i].member, level: 0, bonus: b, lane)
                }
            }
            guard audienceHolds else { continue }
            if let condition = shape.bonuses[b].condition {
                if shape.bonuses[b].perRecipient {
                    if !payEach(b, i, shape, condition, lane) { return false }
                    continue
                }
                guard holds(condition, i, shape, recipient: rows[i].member, level: 0, bonus: b, lane) else { continue }
            }
            if !pay(b, i, shape, lane) { return false }
        }
        return true
    }

    /// Pays a bonus whose condition holds.
    @inline(__always)
    private func pay(_ b: Int, _ i: Int, _ shape: ActiveShape, _ lane: ShardLane) -> Bool {
        for r in shape.bonuses[b].rewards.indices {
            let info = shape.bonuses[b].rewards[r].info
            switch shape.bonuses[b].rewards[r].target {
            case .performer(let formula):
                guard let amount = formula.amount(units: rows[i].value) else { return false }
                send(amount, i, to: rows[i].member, level: 0, info: info, lane)
            case .upline(let levels):
                var member = rows[i].member
                for level in levels.indices {
                    member = shape.workspace.forest.referrer(of: member)
                    if member == Forest.none { break }
                    guard let formula = levels[level] else { continue }
                    guard let amount = formula.amount(units: rows[i].value) else { return false }
                    send(amount, i, to: member, level: level + 1, info: info, lane)
                }
            case .tag(let tag): give(tag, to: rows[i].member, shape)
            }
        }
        return true
    }

    /// Pays a bonus whose condition is asked for every recipient.
    private func payEach(
        _ b: Int, _ i: Int, _ shape: ActiveShape, _ condition: Condition, _ lane: ShardLane
    ) -> Bool {
        let performer = rows[i].member
        // All conditions of one bonus see the tags as they were when it began.
        var tags: [Text] = []
        defer { for tag in tags { give(tag, to: performer, shape) } }
        for reward in shape.bonuses[b].rewards {
            switch reward.target {
            case .performer(let formula):
                guard holds(condition, i, shape, recipient: performer, level: 0, bonus: b, lane) else { continue }
                guard let amount = formula.amount(units: rows[i].value) else { return false }
                send(amount, i, to: performer, level: 0, info: reward.info, lane)
            case .upline(let levels):
                var member = performer
                for level in levels.indices {
                    member = shape.workspace.forest.referrer(of: member)
                    if member == Forest.none { break }
                    guard let formula = levels[level],
                        holds(condition, i, shape, recipient: member, level: level + 1, bonus: b, lane)
                    else { continue }
                    guard let amount = formula.amount(units: rows[i].value) else { return false }
                    send(amount, i, to: member, level: level + 1, info: reward.info, lane)
                }
            case .tag(let tag):
                if holds(condition, i, shape, recipient: performer, level: 0, bonus: b, lane) {
                    tags.append(tag)
                }
            }
        }
        return true
    }

    @inline(__always)
    private func send(
        _ amount: Int64, _ i: Int, to member: UInt32, level: Int, info: UInt32, _ lane: ShardLane
    ) {
        if amount == 0 { return }
        lane.outboxes[Int(member) & (shardCount - 1)].append(
            RewardMessage(
                amount: amount, row: UInt32(i), member: member, info: info, order: lane.order, level: UInt8(level),
                isConditionError: false))
        lane.order &+= 1
    }

    private func give(_ tag: Text, to member: UInt32, _ shape: ActiveShape) {
        var profile = shape.workspace.profile(of: member) ?? Profile()
        if profile.addTag(tag) { shape.workspace.setProfile(profile, of: member) }
    }

    /// Asks a condition; one that fails counts as false and is told by a message of its own.
    private func holds(
        _ condition: Condition, _ i: Int, _ shape: ActiveShape, recipient: UInt32, level: Int, bonus b: Int,
        _ lane: ShardLane
    ) -> Bool {
        let context = ConditionContext(
            row: rows[i], shape: shape.shape, valueScale: shape.valueScale, workspace: shape.workspace,
            recipient: recipient, level: level)
        if let result = condition.evaluate(context) { return result }
        let member = rows[i].member
        lane.outboxes[Int(member) & (shardCount - 1)].append(
            RewardMessage(
                amount: Int64(shape.bonuses[b].bonus), row: UInt32(i), member: member,
                info: shape.bonuses[b].plan.index, order: lane.order, level: UInt8(truncatingIfNeeded: level),
                isConditionError: true))
        lane.order &+= 1
        return false
    }
}
