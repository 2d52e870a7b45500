/// The bounds of a server. At a bound it stops reading, or answers with an error; memory does not grow.
public struct ServerLimits: Sendable {
    /// Longest line, without its newline.
    public var lineBytes = 64 * 1024
    /// Connections at a time; one more is told `overloaded` and closed.
    public var connections = 10_000
    /// Bytes of a connection that are unanswered or unsent, before it is no longer read from; a line counts with its answer.
    public var connectionBytes = 4 << 20
    /// Bytes of all connections that wait for the engine, before none is read from.
    public var batchBytes = 8 << 20
    /// Commands of a batch, before what else has arrived waits for the next one: while one is evaluated, the lines behind it
    /// are decoded and the answers before it are sent. One batch of all that is under way would leave each stage idle in turn.
    public var batchCommands = 2048
    /// Subscriptions of one connection.
    public var subscriptions = 100
    /// Events of one subscription in a second; 0 for as many as there are changes.
    public var eventsPerSecond = 10
    /// Seconds that a line may take from its first byte to its end, before its connection is told so and closed; 0 for ever.
    /// A connection without an unfinished line may be idle as long as it likes.
    public var lineSeconds = 60.0
    /// Seconds in which a client for which bytes are waiting must read some, before it is closed; 0 for ever.
    public var replySeconds = 60.0

    public init() {}
}
