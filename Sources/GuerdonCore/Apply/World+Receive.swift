// Phase 2: owners book what they were sent, in the order of the log.

extension World {
    /// Books all of lane 0's messages for a shard, which are in order already.
    func receiveAll(shard: Int, into postings: Buffer<Posting>, orders: Buffer<UInt16>?) {
        let messages = lanes[0].outboxes[shard].elements
        let ahead = 12
        for at in messages.indices {
            if at + ahead < messages.count { prefetch(messages[at + ahead]) }
            receive(messages[at], into: postings, orders: orders)
        }
    }

    @inline(__always)
    private func prefetch(_ message: RewardMessage) {
        guard !message.isConditionError, let shape = shapes[Int(rows[Int(message.row)].shape)] else { return }
        let workspace = shape.workspace
        let currency = Int(workspace.rewardInfos[Int(message.info)].currency)
        let member = message.member
        workspace.shards[workspace.shard(of: member)].wallets.wallets[currency].prefetch(workspace.local(of: member))
    }

    /// Books one message in the shard of its member.
    @inline(__always)
    func receive(_ message: RewardMessage, into postings: Buffer<Posting>, orders: Buffer<UInt16>?) {
        let row = Int(message.row)
        guard let shape = shapes[Int(rows[row].shape)] else { return }
        let workspace = shape.workspace
        let member = message.member
        let sequence = rows[row].sequence
        let shard = workspace.shards[workspace.shard(of: member)]
        if message.isConditionError {
            shard.conditionErrors += 1
            append(
                Posting(
                    sequence: sequence, previous: 0, amount: 0, workspace: UInt16(shape.workspaceIndex), member: member,
                    currency: 0, kind: .conditionError, plan: message.info, bonus: UInt16(message.amount),
                    level: message.level), message.order, postings, orders)
            return
        }
        let info = workspace.rewardInfos[Int(message.info)]
        let currency = Int(info.currency)
        let local = workspace.local(of: member)
        let amount = message.amount
        append(
            Posting(
                sequence: sequence, previous: shard.wallets.previous(local: local, currency: currency),
                amount: amount, workspace: UInt16(shape.workspaceIndex), member: member, currency: info.currency,
                kind: .reward, plan: info.plan, bonus: info.bonus, reward: info.reward, level: message.level),
            message.order, postings, orders)
        if info.account >= 0 {
            shard.funded[Int(info.account)] += amount
        } else {
            shard.issued[currency] += amount
        }
        shard.wallets.credit(
            local: local, currency: currency, amount: amount, expires: expiry(info, workspace, at: rows[row].at),
            sequence: sequence)
        for board in workspace.boardsOfCurrency[currency] {
            let day = Int64(rows[row].day)
            let standing =
                orders == nil
                ? board.standing(day: day, weekStart: workspace.weekStart)
                : board.existingStanding(day: day, weekStart: workspace.weekStart)
            standing.add(amount, to: member, sequence: sequence)
        }
    }

    /// When a reward of now expires: by its own lifetime, else by the currency's.
    @inline(__always)
    private func expiry(_ info: RewardInfo, _ workspace: Workspace, at: Int64) -> Int64? {
        if info.hasLifetime { return info.lifetime.added(to: at) }
        return workspace.currencies[Int(info.currency)].lifetime?.added(to: at)
    }

    @inline(__always)
    private func append(_ posting: Posting, _ order: UInt16, _ postings: Buffer<Posting>, _ orders: Buffer<UInt16>?) {
        postings.append(posting)
        orders?.append(order)
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
