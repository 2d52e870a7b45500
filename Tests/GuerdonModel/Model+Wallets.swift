extension Model {
    /// Puts value into a wallet and takes it from the account that pays. The posting is written apart.
    mutating func credit(
        _ amount: Int64, to member: Int, currency: Int, from source: AccountName, expires: Instant?,
        source externalId: Text, in workspace: Int
    ) {
        workspaces[workspace].members[member].wallets[currency, default: Wallet()]
            .credit(amount, expires: expires, seq: lastSequence, source: externalId)
        workspaces[workspace].currencies[currency].credited += amount
        transfer(-amount, to: source, currency: currency, in: workspace)
    }

    /// Books the other side of what happened to a wallet.
    mutating func transfer(_ amount: Int64, to account: AccountName, currency: Int, in workspace: Int) {
        workspaces[workspace].otherAccounts[account, default: [:]][currency, default: 0] += Int128(amount)
    }

    /// Writes the line of the statement for what was just done to a wallet.
    mutating func post(
        _ amount: Int64, member: Int, currency: Int, kind: Posting.Kind, at: Instant, origin: Origin? = nil,
        source: Posting.Source? = nil, description: Text? = nil, in workspace: Int
    ) {
        let available = workspaces[workspace].members[member].wallets[currency]!.available
        workspaces[workspace].postings.append(
            Posting(
                seq: lastSequence, at: at, recorded: now, member: member, currency: currency, amount: amount,
                balance: available, kind: kind, origin: origin, source: source, description: description))
    }

    /// Before a command: one tick expires everything that is due in all workspaces. It is in the log.
    mutating func expireDueLots() {
        let isDue = workspaces.contains { workspace in
            workspace.members.contains { member in
                member.wallets.values.contains { ($0.lots.first?.expires ?? .max) <= now }
            }
        }
        guard isDue else { return }
        lastSequence += 1
        for workspace in workspaces.indices { expireLots(in: workspace) }
    }

    /// Expires what is due in the order of instant, member, currency and lot, under the present sequence number.
    mutating func expireLots(in workspace: Int) {
        var due: [(key: [Int64], member: Int, currency: Int, amount: Int64)] = []
        for (number, member) in workspaces[workspace].members.enumerated() {
            for (currency, wallet) in member.wallets {
                for lot in wallet.lots where lot.expires <= now {
                    due.append(
                        (
                            [lot.expires, Int64(number), Int64(currency), Int64(lot.seq)], number, currency, lot.amount
                        ))
                }
            }
        }
        due.sort { $0.key.lexicographicallyPrecedes($1.key) }
        for lot in due {
            workspaces[workspace].members[lot.member].wallets[lot.currency]!.removeFirstLot()
            transfer(lot.amount, to: .expired, currency: lot.currency, in: workspace)
            post(-lot.amount, member: lot.member, currency: lot.currency, kind: .expiry, at: now, in: workspace)
        }
    }

    mutating func adjust(_ transfer: Transfer, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        if let reply = try duplicate(transfer.externalId, transfer.content("adjust"), in: workspace) { return reply }
        let (member, currency, amount) = try resolve(transfer, in: workspace)
        guard amount != 0 else { throw .outOfRange("amount") }
        if amount < 0 {
            try spend(amount.magnitude, member: member, currency: currency, to: .issuance, in: workspace)
        } else {
            let unit = workspaces[workspace].currencies[currency]
            guard !unit.credited.addingReportingOverflow(amount).overflow else { throw .outOfRange("amount") }
            credit(
                amount, to: member, currency: currency, from: .issuance, expires: unit.lifetime?.after(now),
                source: transfer.externalId, in: workspace)
        }
        finish(transfer, "adjust", amount: amount, member: member, currency: currency, in: workspace)
        return [:]
    }

    mutating func redeem(_ transfer: Transfer, in workspace: Int) throws(Refusal) -> [Text: JSON] {
        if let reply = try duplicate(transfer.externalId, transfer.content("redeem"), in: workspace) { return reply }
        let (member, currency, amount) = try resolve(transfer, in: workspace)
        guard amount > 0 else { throw .outOfRange("amount") }
        try spend(amount.magnitude, member: member, currency: currency, to: .redeemed, in: workspace)
        finish(transfer, "redeem", amount: -amount, member: member, currency: currency, in: workspace)
        return [:]
    }

    private func resolve(
        _ transfer: Transfer, in workspace: Int
    ) throws(Refusal) -> (member: Int, currency: Int, amount: Int64) {
        let state = workspaces[workspace]
        guard let member = state.memberNumber(transfer.member) else { throw Refusal("unknown_member", "member") }
        guard let currency = state.currencyNumber(transfer.currency) else {
            throw Refusal("unknown_currency", "currency")
        }
        guard let amount = transfer.amount.minor(scale: state.currencies[currency].scale) else {
            throw .outOfRange("amount")
        }
        return (member, currency, amount)
    }

    /// Takes exactly this much out of a wallet or refuses.
    private mutating func spend(
        _ amount: UInt64, member: Int, currency: Int, to account: AccountName, in workspace: Int
    ) throws(Refusal) {
        var wallet = workspaces[workspace].members[member].wallets[currency] ?? Wallet()
        guard UInt64(wallet.available) >= amount else { throw Refusal("insufficient_funds", "amount") }
        wallet.take(Int64(amount))
        workspaces[workspace].members[member].wallets[currency] = wallet
        self.transfer(Int64(amount), to: account, currency: currency, in: workspace)
    }

    private mutating func finish(
        _ transfer: Transfer, _ op: String, amount: Int64, member: Int, currency: Int, in workspace: Int
    ) {
        let id = workspaces[workspace].members[member].id
        post(
            amount, member: member, currency: currency, kind: op == "adjust" ? .adjustment : .redemption,
            at: transfer.at ?? now, source: .of(member: id, externalId: transfer.externalId, reversed: nil),
            description: transfer.reason, in: workspace)
        workspaces[workspace].remembered[transfer.externalId] = Remembered(
            seq: lastSequence, content: transfer.content(op))
    }
}
