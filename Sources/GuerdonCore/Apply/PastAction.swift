/// An action of the past with what it paid: all that its reversal needs.
public struct PastAction: Sendable {
    public var command: ActionCommand
    /// When its batch was taken.
    public var time: Int64
    /// Its postings, in order.
    public var postings: [Posting]

    public init(command: ActionCommand, time: Int64, postings: [Posting]) {
        self.command = command
        self.time = time
        self.postings = postings
    }
}

/// Where actions older than the batch at hand are fetched from: log and history. A pure function of the log.
public protocol PastActions {
    /// The action at a log position that is known to hold one.
    func action(at sequence: UInt64) throws -> PastAction
}
