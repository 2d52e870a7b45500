/// Memory that is touched before it is needed, so that nobody waits for the system in the middle of a batch.
public enum StateReserve {
    /// Whether ``prepare(byteCount:)`` should be called soon, on a thread that nobody waits for.
    public static var isShort: Bool { StateMemory.isShort }

    /// Has memory ready: what a growing state wants at hand, and `byteCount` bytes more until the next call.
    public static func prepare(byteCount: Int = 0) { StateMemory.prepare(byteCount: byteCount) }

    /// Gives back what was made ready, or kept when it was freed, and is not used; at most so many pieces of two megabytes.
    public static func trim(atMost pieces: Int = .max) { StateMemory.trim(atMost: pieces) }
}

extension World {
    /// Bytes that lie ready for what writes put aside while an image is out.
    public var imageCopyBytes: Int {
        workspaces.reduce(0) { sum, workspace in
            let wallets = workspace.shards.reduce(0) { $0 + $1.wallets.copyBytes }
            let boards = workspace.boards.reduce(0) { $0 + $1.copyBytes }
            return sum + wallets + boards
        }
    }
}

extension WalletShard {
    /// Bytes that writes to every row would put aside.
    fileprivate var copyBytes: Int { wallets.reduce(lots.storageBytes) { $0 + $1.storageBytes } }
}

extension Board {
    /// Of the newest standing alone: finished periods hardly change.
    fileprivate var copyBytes: Int {
        guard let newest = standings.max(by: { $0.key < $1.key }) else { return 0 }
        return newest.value.tables.reduce(0) { $0 + $1.scores.storageBytes }
    }
}
