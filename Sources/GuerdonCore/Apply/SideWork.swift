/// Runs pieces of work beside the world's owner, one after the other in the order in which they were given.
public protocol SideRunner: AnyObject, Sendable {
    /// Takes `work`, and waits while ``SideWork/piecesMost`` pieces are not done; it may as well be done before this returns.
    func start(_ work: @escaping @Sendable () -> Void)
    /// Waits until all is done.
    func finish()
}

/// What is done beside the world's owner, where there is somebody to do it.
///
/// While actions are accepted that is bringing the orders of boards up to their scores: orders are derived from scores and
/// nobody reads them while nobody asks, so their upkeep, a quarter of an action's cost, needs not hold up the next action.
/// In a replay nobody asks before its end, so orders wait for it, and what is done beside the owner is to evaluate and book a
/// step while the next is resolved.
///
/// Whoever reads an order or a wallet, or adds members (whose ids decide between equals), waits for what is under way first.
public final class SideWork {
    /// Pieces that may wait or run.
    public static let piecesMost = 64

    private let usual: any SideRunner
    private var runner: any SideRunner
    /// Whether something may be under way; known to the owner alone.
    private var isBusy = false
    /// Whether a log is replayed.
    private(set) var isReplay = false
    /// How often the owner waited for something that was under way.
    private(set) var waits = 0

    init(_ runner: any SideRunner) { (self.runner, usual) = (runner, runner) }

    /// Has another do the work until ``endReplay()``.
    func beginReplay(_ runner: any SideRunner) {
        finish()
        self.runner = runner
        isReplay = true
    }

    /// Ends a replay, once all is done.
    func endReplay() {
        finish()
        runner = usual
        isReplay = false
    }

    /// Starts work behind what is under way.
    func start(_ work: @escaping @Sendable () -> Void) {
        isBusy = true
        runner.start(work)
    }

    /// Waits for what is under way.
    @inline(__always) func finish() {
        if isBusy { wait() }
    }

    @inline(never) private func wait() {
        runner.finish()
        isBusy = false
        waits += 1
    }
}

/// Carries something into work on another thread.
///
/// Whoever lends it sees to it that no two threads are in each other's way: he waits for the work, or leaves alone what it uses.
struct Loan<Lent>: @unchecked Sendable {
    // Sendable: see above.
    let lent: Lent
    init(_ lent: Lent) { self.lent = lent }
}
