/// A command of the past and when its batch was taken.
public struct PastCommand: Sendable {
    public var command: Command
    /// Nanoseconds since 1970.
    public var time: Int64

    public init(command: Command, time: Int64) {
        self.command = command
        self.time = time
    }
}

/// Where commands and postings older than the batch at hand are fetched from: log and history. A pure function of the log.
public protocol LogSource: Sendable {
    /// The command at a log position that lies before the batch at hand.
    func command(at sequence: UInt64) throws -> PastCommand
    /// The postings of that command, in order.
    func postings(at sequence: UInt64) throws -> [Posting]
    /// Answers what may be in the workspaces' runs of sealed ids. Also from other threads, while ids are sealed.
    func findSealed(_ questions: inout [SealedIdQuestion]) throws
}

extension LogSource {
    /// For sources without sealed ids: whoever asks them has taken runs from elsewhere.
    public func findSealed(_ questions: inout [SealedIdQuestion]) throws { throw NoLog.Unavailable() }
}

/// A source for worlds that never look back: every question is refused.
public struct NoLog: LogSource {
    /// Thrown for every question.
    public struct Unavailable: Error {}
    public init() {}
    public func command(at sequence: UInt64) throws -> PastCommand { throw Unavailable() }
    public func postings(at sequence: UInt64) throws -> [Posting] { throw Unavailable() }
}
