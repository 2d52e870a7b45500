// Reading, resolving and evaluating actions in steps.

extension World {
    /// Reads actions in a row into the step, as many as it holds.
    func readActions(
        _ source: inout ByteSource, shape: inout ActionShape, batch: CommandBatch, from first: Int
    ) throws(MalformedBytes) {
        let step = step
        step.rows.removeAll()
        var index = first
        var current = Int.min
        var active: ActiveShape?
        while index < batch.count, step.rows.count < Step.capacity, source.position < source.bytes.count,
            source.bytes[source.position] == CommandTag.action.rawValue
        {
            let record = try ActionRecord(&source, shape: &shape)
            if shape.ordinal != current {
                current = shape.ordinal
                active = activeShape(shape)
            }
            let row = step.rows.extend(by: 1)
            row.initialize(to: ActionRow(record))
            row.pointee.shape = UInt32(truncatingIfNeeded: current)
            row.pointee.command = UInt32(truncatingIfNeeded: index)
            row.pointee.sequence = batch.firstSequence + UInt64(index)
            row.pointee.at = record.at == ActionRecord.noTime ? batch.time : record.at
            prepare(row, record, active)
            index += 1
        }
    }

    /// The shape at a number of this batch, worked out if need be; `nil` when there is no such workspace.
    private func activeShape(_ shape: ActionShape) -> ActiveShape? {
        while step.shapes.count <= shape.ordinal { step.shapes.append(nil) }
        if let known = step.shapes[shape.ordinal] { return known }
        guard let index = workspaceIndex[shape.workspace] else { return nil }
        let workspace = workspaces[index]
        var key = shape
        key.ordinal = 0
        let made: ActiveShape
        if let cached = workspace.shapes[key] {
            made = cached
        } else {
            made = ActiveShape(key, workspace: workspace, index: index)
            // Types are the client's to choose: a flood of them must not stay in memory.
            if workspace.shapes.count >= 1024 {
                finishBookings()
                workspace.shapes.removeAll()
            }
            workspace.shapes[key] = made
        }
        step.shapes[shape.ordinal] = made
        return made
    }

    @inline(__always)
    private func prepare(_ row: UnsafeMutablePointer<ActionRow>, _ record: ActionRecord, _ shape: ActiveShape?) {
        var repeatsNothing = false
        row.pointee.hasValue = record.valueScale >= 0
        if row.pointee.hasValue {
            let scale = shape?.valueScale ?? ActiveShape.plainScale
            let shift = scale - Int(record.valueScale)
            if shift == 0 {
                row.pointee.units = record.valueCoefficient
            } else if let units = record.value?.units(scale: scale) {
                row.pointee.units = units
            } else {
                // Refused, unless it is an earlier action's value with zeros at its end: then it is that action again.
                row.pointee.state = .badScale
                if let units = record.value?.normalized.units(scale: scale) {
                    row.pointee.units = units
                } else {
                    repeatsNothing = true
                }
            }
            if record.valueCoefficient < 0 { row.pointee.state = .badScale }
        }
        row.pointee.key = ExternalIdKey(hash.hash128(record.externalId))
        row.pointee.memberHash = hash.hash64(record.performer)
        var content = mix(
            row.pointee.memberHash, UInt64(bitPattern: row.pointee.units) ^ (row.pointee.hasValue ? 0x9e37_79b9 : 0))
        content = mix(content, UInt64(bitPattern: record.at))
        if let shape { content ^= shape.digest }
        if record.title.baseAddress != nil { content = mix(content, digest(record.title, 1)) }
        if !record.attributes.isEmpty { content = mix(content, digest(record.attributes, 2)) }
        row.pointee.content = repeatsNothing ? ~content : content
    }

    /// Applies the actions of the step together, or one by one where their order could show.
    func applyActions(_ batch: CommandBatch) {
        if mustGoOneByOne() {
            finishBookings()
            for i in 0..<step.rows.count { applyAlone(i, batch) }
        } else if shardCount == 1 {
            applyInRuns(batch)
        } else {
            applySharded(batch)
        }
    }

    /// Applies the step turn by turn, the last phases of it beside the owner where that can be.
    private func applyInRuns(_ batch: CommandBatch) {
        let (step, lane, firstPosting) = (step, lanes[0], postings.count)
        if let bookings, !batch.wantsPostings, bookings.takes(step.rows.count) {
            step.perform(.resolving, lane, nil)
            // Conditions may read the batch's bytes, which soon are another's.
            let isEvaluated = !step.isUnconditional
            if isEvaluated { step.perform(.evaluating, lane, nil) }
            finish(batch, firstPosting: firstPosting)
            self.step = bookings.exchange(step, evaluatedInto: isEvaluated ? lane : nil)
            return
        }
        finishBookings()
        step.perform(.everything, lane, postings)
        settle()
        finish(batch, firstPosting: firstPosting)
    }

    /// Whether what one action pays may decide about another: amounts near a bound, or conditions on others' tags.
    private func mustGoOneByOne() -> Bool {
        let areBooked = bookings?.isEmpty ?? true
        if areBooked { boundNeeds.removeAll(keepingCapacity: true) }
        if !mayInterfere() { return false }
        if areBooked { return true }
        // What steps that are not booked yet may pay at most was counted with this one's; soon it is known.
        finishBookings()
        return mustGoOneByOne()
    }

    private func mayInterfere() -> Bool {
        let step = step
        var counts = ContiguousArray<(rows: Double, units: Double)>(repeating: (0, 0), count: step.shapes.count)
        var mayExpireAtOnce = false
        step.forEachShape(in: 0..<step.rows.count) { shape, run in
            let dated = shape.flatMap { $0.hasLifetimes ? $0 : nil }
            var units = 0.0
            step.rows.forEach(in: run) { row in
                if row.pointee.hasValue, row.pointee.state == .open { units += Double(row.pointee.units) }
                if let dated, dated.mayBeBornExpired(at: row.pointee.at, now: time) { mayExpireAtOnce = true }
            }
            let number = Int(step.rows[run.lowerBound].shape)
            counts[number].rows += Double(run.count)
            counts[number].units += units
        }
        if mayExpireAtOnce { return true }
        for (s, count) in counts.enumerated() where count.rows > 0 {
            guard let shape = step.shapes[s] else { continue }
            if shape.isOrderSensitive { return true }
            for bound in shape.bounds {
                let need = bound.constant * count.rows + bound.slope * count.units
                let key = BoundKey(workspace: shape.workspaceIndex, currency: bound.currency, account: -1)
                boundNeeds[key, default: Double(shape.workspace.currencies[bound.currency].books.credited)] += need
                if boundNeeds[key]! > 9.0e18 { return true }
                guard bound.account >= 0, let budget = shape.workspace.accounts[Int(bound.account)].budget else {
                    continue
                }
                let spent = Double(shape.workspace.accounts[Int(bound.account)].spent)
                let account = BoundKey(
                    workspace: shape.workspaceIndex, currency: bound.currency, account: bound.account)
                boundNeeds[account, default: spent] += need
                if boundNeeds[account]! * 1.000_001 + 1 > Double(budget) { return true }
            }
        }
        return false
    }

    /// Applies one action with its bounds checked exactly.
    private func applyAlone(_ i: Int, _ batch: CommandBatch) {
        // A performer is created only when his action is accepted: a refused command leaves no trace.
        step.resolveAlone(i)
        let firstPosting = postings.count
        var refusal: Refusal?
        if step.rows[i].state == .open, let shape = step.shapes[Int(step.rows[i].shape)] {
            let lane = lanes[0]
            let tagsBefore = shape.workspace.profile(of: step.rows[i].member)
            let amountsFit = step.evaluate(i, lane: lane)
            refusal = amountsFit ? exceeded(lane, shape) : outOfRange
            if refusal == nil {
                if Int(step.rows[i].member) == shape.workspace.memberCount {
                    _ = shape.workspace.addMember(hash: step.rows[i].memberHash, id: step.rows[i].performer)
                }
                step.remember(i, shape)
                if shardCount == 1 {
                    step.receive(
                        lanes[0].outboxes[0].elements, shard: 0, areLoaded: false, into: postings, lanes[0])
                } else {
                    prepareStandings(i)
                    receiveMerged(lane)
                }
                settle()
                // What was born expired is credited and expires in the same command.
                if shape.hasLifetimes { expireDue(shape.workspace, sequence: step.rows[i].sequence) }
            } else {
                shape.workspace.setProfile(tagsBefore, of: step.rows[i].member)
            }
            for box in lane.outboxes { box.removeAll() }
        }
        appendOutcome(i, batch, refusal)
        if batch.wantsLines { appendLines(batch, from: firstPosting) }
    }

    private var outOfRange: Refusal {
        Refusal(.amountOutOfRange, field: "value", "The value, or a reward of it, is beyond what an account can hold.")
    }

    /// Whether the messages of one action would overrun a budget or the sum of all credits.
    private func exceeded(_ lane: ShardLane, _ shape: ActiveShape) -> Refusal? {
        let workspace = shape.workspace
        var credited: [Int: Int128] = [:]
        var funded: [Int: Int128] = [:]
        for box in lane.outboxes {
            for message in box.elements where !message.isConditionError {
                let info = workspace.rewardInfos[Int(message.info)]
                credited[Int(info.currency), default: 0] += Int128(message.amount)
                if info.account >= 0 { funded[Int(info.account), default: 0] += Int128(message.amount) }
            }
        }
        for currency in credited.keys.sorted() {
            if Int128(workspace.currencies[currency].books.credited) + credited[currency]! > Int128(Int64.max) {
                return outOfRange
            }
        }
        for account in funded.keys.sorted() {
            guard let budget = workspace.accounts[account].budget else { continue }
            if Int128(workspace.accounts[account].spent) + funded[account]! > Int128(budget) {
                return Refusal(
                    .budgetExhausted, field: "funding",
                    "The budget of account \"\(workspace.accounts[account].account)\" does not cover the reward; raise it with account.put."
                )
            }
        }
        return nil
    }

    /// Outcomes and reward lines of the rows of a step.
    func finish(_ batch: CommandBatch, firstPosting: Int) {
        let step = step
        var i = 0
        while i < step.rows.count {
            appendAccepted(&i, &batch.outcomes)
            if i < step.rows.count { appendOutcome(i, batch, nil) }
            i += 1
        }
        if batch.wantsLines { appendLines(batch, from: firstPosting) }
    }

    /// Outcomes of the rows from `i` on, up to the first that is refused.
    private func appendAccepted(_ i: inout Int, _ outcomes: inout ContiguousArray<CommandOutcome>) {
        let rows = step.rows
        while i < rows.count, let outcome = acceptance(rows.address(of: i)) {
            outcomes.append(outcome)
            i += 1
        }
    }

    /// How a row was accepted; `nil` when it is refused.
    @inline(__always)
    private func acceptance(_ row: UnsafePointer<ActionRow>) -> CommandOutcome? {
        switch row.pointee.state {
        case .open: CommandOutcome(sequence: row.pointee.sequence, hasRewards: true)
        case .duplicate: CommandOutcome(sequence: row.pointee.first, isDuplicate: true)
        default: nil
        }
    }

    private func appendOutcome(_ i: Int, _ batch: CommandBatch, _ refusal: Refusal?) {
        if refusal == nil, let outcome = acceptance(step.rows.address(of: i)) {
            batch.outcomes.append(outcome)
        } else {
            refuse(refusal ?? rowRefusal(step.rows[i]), sequence: step.rows[i].sequence, batch: batch)
        }
    }

    private func rowRefusal(_ row: ActionRow) -> Refusal {
        switch row.state {
        case .conflict:
            return Refusal(
                .conflict, field: "externalId",
                "\"\(Text(copying: row.externalId))\" was used at log position \(row.first) with other content; nothing was applied."
            )
        case .unknownMember:
            return Refusal.unknownMember(Text(copying: row.performer), field: "performer")
        case .badScale:
            let scale = step.shapes[Int(row.shape)]?.valueScale ?? ActiveShape.plainScale
            return Refusal(
                .amountOutOfRange, field: "value",
                "The value must be 0 or more, fit 64 bits and have at most \(scale) decimals.")
        default:
            return step.shapes[Int(row.shape)]?.refusal
                ?? Refusal(
                    .unknownWorkspace, field: "workspace", "There is no such workspace; create it with workspace.put.")
        }
    }

    private func appendLines(_ batch: CommandBatch, from first: Int) {
        for i in first..<postings.count where postings[i].kindCode == Posting.Kind.reward.rawValue {
            let p = postings[i]
            batch.lines.append(
                RewardLine(
                    command: UInt32(p.sequence - batch.firstSequence), workspace: p.workspace, currency: p.currency,
                    member: p.member, plan: p.plan, bonus: p.bonus, level: p.level, amount: p.amount, shortfall: 0))
        }
    }
}

/// A currency, or an account that pays in it, whose sum has a limit.
struct BoundKey: Hashable {
    var workspace: Int
    var currency: Int
    var account: Int32
}

extension Refusal {
    static func unknownMember(_ id: Text, field: String) -> Refusal {
        Refusal(
            .unknownMember, field: field, "There is no member \"\(id)\" in this workspace; create it with member.put.")
    }
}

/// Folds two words into one; a full-width product, so every input bit reaches every output bit.
@inline(__always) func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = (a ^ 0x2d35_8dcc_aa6c_78a5).multipliedFullWidth(by: b ^ 0x8bb8_4b93_962e_acc9)
    return product.low ^ product.high
}

extension World {
    /// Keyed digest of bytes of any length.
    func digest(_ bytes: UnsafeRawBufferPointer, _ salt: UInt64) -> UInt64 {
        var result = mix(UInt64(bytes.count), salt)
        var at = 0
        while at < bytes.count {
            let end = min(at + BitHash.byteLimit, bytes.count)
            result = mix(result, hash.hash64(UnsafeRawBufferPointer(rebasing: bytes[at..<end])))
            at = end
        }
        return result
    }
}
