import Synchronization

/// Something one thread says once and others look at.
public final class Flag: Sendable {
    private let raised = Atomic(false)

    /// A flag that is down.
    public init() {}

    /// Whether it was raised.
    public var isRaised: Bool { raised.load(ordering: .acquiring) }

    /// Raises it.
    public func raise() { raised.store(true, ordering: .releasing) }
}
