// Adjustments, redemptions and expiry: commands that touch one wallet each.

extension World {
    /// What an earlier command with this external id means for this one.
    ///
    /// - Returns: the outcome of a repetition, `nil` when the id is new.
    func repetition(_ id: Text, content: UInt64, _ workspace: Workspace) throws(Refusal) -> CommandOutcome? {
        guard let seen = remembered(id, workspace) else { return nil }
        guard seen.content == content else {
            throw Refusal(
                .conflict, field: "externalId",
                "\"\(id)\" was used at log position \(seen.sequence) with other content; nothing was applied.")
        }
        return CommandOutcome(sequence: seen.sequence, isDuplicate: true)
    }

    func remember(_ id: Text, content: UInt64, sequence: UInt64, _ workspace: Workspace) {
        let remembered = RememberedId(sequence: sequence, content: content)
        workspace.externalIds.insert(externalKey(id), remembered)
        workspace.externalDigest &+= remembered.digestTerm
    }

    func digest(_ text: Text?, salt: UInt64) -> UInt64 {
        guard let text else { return salt &* 0x9e37_79b9_7f4a_7c15 }
        return text.bytes.withUnsafeBytes { digest($0, salt) }
    }

    private func digest(_ c: WalletCommand, tag: CommandTag) -> UInt64 {
        let amount = c.amount.normalized
        var result = mix(UInt64(tag.rawValue), digest(c.member, salt: 1))
        result = mix(result, digest(c.currency, salt: 2))
        result = mix(result, UInt64(bitPattern: amount.coefficient) &* 31 &+ UInt64(amount.scale))
        result = mix(result, UInt64(bitPattern: c.at ?? ActionRecord.noTime))
        return mix(result, digest(c.reason, salt: 3))
    }

    /// Checks what adjustments and redemptions have in common.
    private func target(
        _ c: WalletCommand, _ workspace: Workspace
    ) throws(Refusal) -> (member: UInt32, currency: Int, units: Int64) {
        guard let member = workspace.member(c.member) else { throw Refusal.unknownMember(c.member, field: "member") }
        guard let currency = workspace.currencyIndex[c.currency] else {
            throw Refusal(
                .unknownCurrency, field: "currency",
                "There is no currency \"\(c.currency)\"; create it with currency.put.")
        }
        let scale = workspace.currencies[currency].scale
        guard let units = c.amount.units(scale: scale), units != 0 else {
            throw Refusal(
                .amountOutOfRange, field: "amount",
                "The amount must not be 0, fit 64 bits and have at most \(scale) decimals.")
        }
        return (member, currency, units)
    }

    private func insufficient(_ workspace: Workspace, _ member: UInt32, _ currency: Int) -> Refusal {
        let wallet = workspace.wallet(of: member, currency: currency)
        let text = AmountText.string(wallet.available, scale: workspace.currencies[currency].scale)
        return Refusal(
            .insufficientFunds, field: "amount", "\(text) \(workspace.currencies[currency].code) are available.")
    }

    func adjust(_ c: WalletCommand, _ workspace: Workspace, sequence: UInt64) throws(Refusal) -> CommandOutcome {
        let content = digest(c, tag: .adjust)
        if let repeated = try repetition(c.externalId, content: content, workspace) { return repeated }
        let (member, currency, units) = try target(c, workspace)
        let shard = workspace.shards[workspace.shard(of: member)]
        let local = workspace.local(of: member)
        if units < 0 {
            guard workspace.wallet(of: member, currency: currency).available.magnitude >= units.magnitude else {
                throw insufficient(workspace, member, currency)
            }
        } else {
            let (_, overflow) = workspace.currencies[currency].books.credited.addingReportingOverflow(units)
            if overflow {
                throw Refusal(.amountOutOfRange, field: "amount", "The currency cannot hold that much more.")
            }
        }
        post(workspace, member, currency, units, .adjustment, sequence: sequence)
        workspace.currencies[currency].books.adjustments -= units
        if units < 0 {
            shard.wallets.spend(local: local, currency: currency, amount: -units, sequence: sequence)
        } else {
            workspace.currencies[currency].books.credited += units
            shard.wallets.credit(
                local: local, currency: currency, amount: units,
                expires: workspace.currencies[currency].lifetime?.added(to: time), sequence: sequence)
        }
        remember(c.externalId, content: content, sequence: sequence, workspace)
        return CommandOutcome(sequence: sequence)
    }

    func redeem(_ c: WalletCommand, _ workspace: Workspace, sequence: UInt64) throws(Refusal) -> CommandOutcome {
        let content = digest(c, tag: .redeem)
        if let repeated = try repetition(c.externalId, content: content, workspace) { return repeated }
        let (member, currency, units) = try target(c, workspace)
        guard units > 0 else {
            throw Refusal(.amountOutOfRange, field: "amount", "A redemption takes a positive amount.")
        }
        guard workspace.wallet(of: member, currency: currency).available >= units else {
            throw insufficient(workspace, member, currency)
        }
        post(workspace, member, currency, -units, .redemption, sequence: sequence)
        workspace.shards[workspace.shard(of: member)].wallets.spend(
            local: workspace.local(of: member), currency: currency, amount: units, sequence: sequence)
        workspace.currencies[currency].books.redeemed += units
        remember(c.externalId, content: content, sequence: sequence, workspace)
        return CommandOutcome(sequence: sequence)
    }

    /// Records a posting; to be called before the wallet changes, so that it names the wallet's previous one.
    func post(
        _ workspace: Workspace, _ member: UInt32, _ currency: Int, _ amount: Int64, _ kind: Posting.Kind,
        sequence: UInt64, plan: UInt32 = Posting.noPlan, bonus: UInt16 = 0, reward: UInt16 = 0, level: UInt8 = 0
    ) {
        postings.append(
            Posting(
                sequence: sequence, previous: workspace.wallet(of: member, currency: currency).lastSequence,
                amount: amount, workspace: UInt16(workspace.index), member: member, currency: UInt16(currency),
                kind: kind, plan: plan, bonus: bonus, reward: reward, level: level))
    }

    /// Expires every lot whose time has come.
    func tick(sequence: UInt64) {
        lastTick = (sequence, time)
        for workspace in workspaces { expireDue(workspace, sequence: sequence) }
    }

    /// Expires a workspace's lots whose time has come, as part of the command at `sequence`.
    func expireDue(_ workspace: Workspace, sequence: UInt64) {
        struct Due {
            var lot: UInt32
            var value: Lot
            var member: UInt32
            var shard: Int
        }
        var due: [Due] = []
        for (s, shard) in workspace.shards.enumerated() {
            for (lot, value) in shard.wallets.popExpired(at: time) {
                due.append(
                    Due(lot: lot, value: value, member: value.local << UInt32(shardBits) | UInt32(s), shard: s))
            }
        }
        due.sort {
            ($0.value.expires, $0.member, $0.value.currency, $0.value.sequence)
                < ($1.value.expires, $1.member, $1.value.currency, $1.value.sequence)
        }
        for item in due {
            let currency = Int(item.value.currency)
            post(workspace, item.member, currency, -item.value.amount, .expiry, sequence: sequence)
            workspace.shards[item.shard].wallets.expire(item.lot, sequence: sequence)
            workspace.currencies[currency].books.breakage += item.value.amount
        }
    }
}

/// Amounts as text.
public enum AmountText {
    /// `units / 10^scale` with exactly `scale` decimals.
    public static func string(_ units: Int64, scale: Int) -> String {
        let digits = String(units.magnitude)
        let sign = units < 0 ? "-" : ""
        if scale == 0 { return sign + digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.utf8.count)) + digits
        return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
    }
}
