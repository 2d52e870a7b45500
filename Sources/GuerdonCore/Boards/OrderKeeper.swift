/// Runs one piece of work at a time beside the world's owner.
public protocol SideRunner: AnyObject, Sendable {
    /// Waits until nothing runs, then starts `work`; it may as well be done before this returns.
    func start(_ work: @escaping @Sendable () -> Void)
    /// Waits until nothing runs.
    func finish()
}

/// Brings the orders of boards up to their scores beside the world's owner, where there is somebody to do it.
///
/// Orders are derived from scores and nobody reads them while nobody asks, so their upkeep, a quarter of an action's cost,
/// needs not hold up the next action. Whoever reads an order, or adds members (whose ids decide between equals), waits
/// for what is under way first.
final class OrderKeeper {
    private let runner: any SideRunner
    /// Whether something may be under way; known to the owner alone.
    private var isBusy = false

    init(_ runner: any SideRunner) { self.runner = runner }

    /// Waits for what is under way and starts the next.
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
    }
}
