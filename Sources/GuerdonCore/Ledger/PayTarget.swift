/// Where a reward's money goes in one shard: all that booking it needs, as plain values and handles.
///
/// One entry for every (reward, shard) of a workspace, so that booking a reward touches no reference counts and looks
/// nothing up.
struct PayTarget {
    let wallets: Column<Wallet>
    /// What the shard paid since the accounts were settled last: by funding account, or by currency for issuance.
    let paid: UnsafeMutablePointer<Int64>
    /// What its postings share, but for the level.
    let shape: PostingShape
    let hasLifetime: Bool
    let hasBoards: Bool
}

/// The pay targets of a workspace, made anew when plans, currencies or boards change.
final class PayTable {
    private let entries: UnsafeMutableBufferPointer<PayTarget>
    private let rewardCount: Int

    init(_ workspace: Workspace) {
        rewardCount = workspace.rewardInfos.count
        entries = .allocate(capacity: rewardCount * workspace.shards.count)
        for (s, shard) in workspace.shards.enumerated() {
            for (i, info) in workspace.rewardInfos.enumerated() {
                let currency = Int(info.currency)
                // A tag has no currency; its entry is never asked for.
                guard currency < workspace.currencies.count else { continue }
                let isFunded = info.account >= 0
                entries.initializeElement(
                    at: s * rewardCount + i,
                    to: PayTarget(
                        wallets: shard.wallets.wallets[currency],
                        paid: isFunded
                            ? shard.funded.address(of: Int(info.account)) : shard.issued.address(of: currency),
                        shape: PostingShape(
                            workspace: UInt16(workspace.index), currency: info.currency, kind: .reward,
                            plan: info.plan, bonus: info.bonus, reward: info.reward),
                        hasLifetime: info.hasLifetime || workspace.currencies[currency].lifetime != nil,
                        hasBoards: !workspace.boardsOfCurrency[currency].isEmpty))
            }
        }
    }

    deinit { entries.deallocate() }

    /// The targets of one shard, by the index of the reward in the workspace.
    func targets(shard: Int) -> UnsafeBufferPointer<PayTarget> {
        UnsafeBufferPointer(rebasing: entries[shard * rewardCount..<(shard + 1) * rewardCount])
    }
}
