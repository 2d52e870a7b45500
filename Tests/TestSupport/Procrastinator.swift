public import GuerdonCore
import Synchronization

/// Does nothing until it must: the worst that a thread beside the owner may do.
public final class Procrastinator: SideRunner {
    private let work = Mutex<[@Sendable () -> Void]>([])
    private let count = Atomic(0)

    /// Has nothing to do.
    public init() {}

    /// How much it was given.
    public var started: Int { count.load(ordering: .relaxed) }

    public func start(_ work: @escaping @Sendable () -> Void) {
        if self.work.withLock({ $0.count == SideWork.piecesMost }) { finish() }
        count.add(1, ordering: .relaxed)
        self.work.withLock { $0.append(work) }
    }

    public func finish() {
        let all = work.withLock { work in
            defer { work = [] }
            return work
        }
        for work in all { work() }
    }
}
