extension Model {
    /// What is wrong with the model's own state; empty when all holds.
    ///
    /// Checks P1, P2, P11 and P12 of the invariants: every currency sums to zero over all accounts, wallets equal
    /// the sum of their postings, lots are positive and sum to the available balance, referrals form a forest, what
    /// an account spent fits its budget's books, and boards equal what rewards paid less what reversals took from
    /// them.
    public func checkInvariants() -> [String] {
        var faults: [String] = []
        for state in workspaces {
            var found = state.sumFaults()
            found += state.walletFaults()
            found += state.forestFaults()
            found += state.accountFaults()
            found += state.boardFaults()
            faults += found.map { "workspace \(state.id): \($0)" }
        }
        return faults
    }
}

extension Workspace {
    fileprivate func sumFaults() -> [String] {
        currencies.indices.compactMap { number in
            var sum: Int128 = 0
            for member in members { sum += Int128(member.wallets[number]?.balance ?? 0) }
            for account in otherAccounts.values { sum += account[number] ?? 0 }
            return sum == 0 ? nil : "\(currencies[number].id) sums to \(sum) over all accounts"
        }
    }

    fileprivate func walletFaults() -> [String] {
        var faults: [String] = []
        for (memberNumber, member) in members.enumerated() {
            for (number, wallet) in member.wallets {
                let name = "wallet \(member.id)/\(currencies[number].id)"
                let own = postings.filter { $0.member == memberNumber && $0.currency == number }
                let posted = own.reduce(Int128(0)) { $0 + Int128($1.amount) }
                if posted != Int128(wallet.balance) { faults.append("\(name) holds \(wallet.balance), not \(posted)") }
                if wallet.lots.contains(where: { $0.amount <= 0 }) || wallet.undated < 0 || wallet.debt < 0 {
                    faults.append("\(name) has a lot without value")
                }
                if wallet.debt > 0 && wallet.available > 0 { faults.append("\(name) owes and holds") }
                if own.contains(where: { $0.balance < 0 }) { faults.append("\(name) was negative") }
                if let last = own.last, last.balance != wallet.available {
                    faults.append("\(name): the last line says \(last.balance), not \(wallet.available)")
                }
                if own.isEmpty { faults.append("\(name) has no posting") }
            }
        }
        return faults
    }

    fileprivate func forestFaults() -> [String] {
        members.indices.compactMap { number in
            var seen: Set<Int> = [number]
            var next = members[number].referrer
            while let above = next {
                guard seen.insert(above).inserted else { return "\(members[number].id) is below himself" }
                next = members[above].referrer
            }
            return nil
        }
    }

    fileprivate func accountFaults() -> [String] {
        accounts.compactMap { name, account in
            let paidOut = -(otherAccounts[.funding(name)]?[account.currency] ?? 0)
            return paidOut == Int128(account.spent) ? nil : "account \(name) spent \(account.spent), not \(paidOut)"
        }
    }

    /// Boards are computed from score events; here they are compared with the actions' own records.
    fileprivate func boardFaults() -> [String] {
        boards.flatMap { id, board in
            var scores: [String: [Text: Int64]] = [:]
            for action in actions.values where action.seq > board.putSeq {
                for reward in action.paid where reward.currency == board.currency {
                    scores[action.periods[board.period]!, default: [:]][members[reward.member].id, default: 0] +=
                        reward.amount - reward.taken
                }
            }
            return scores.compactMap { period, expected in
                let shown = standings(of: board, in: period).map { ($0.member, $0.score) }
                let wanted = expected.filter { $0.value > 0 }.mapValues { currencies[board.currency].text($0) }
                return Dictionary(uniqueKeysWithValues: shown) == wanted ? nil : "board \(id) is wrong in \(period)"
            }
        }
    }
}
