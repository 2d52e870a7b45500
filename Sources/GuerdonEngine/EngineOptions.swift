/// How an engine is run. Nothing here has an influence on results.
public struct EngineOptions: Sendable {
    /// Shards of the state, a power of two.
    public var shards = 1
    /// Whether a directory that does not exist or is empty becomes a new ledger.
    public var createIfMissing = false
    /// Bytes of log after which a snapshot is taken; 0 for never.
    public var snapshotEveryLogBytes: UInt64 = 512 << 20
    /// External ids that a workspace has in memory before they are moved to a file; at 38 bytes each, twice that for a
    /// while. A file's ids take 2.5 bytes of memory.
    public var idsPerGeneration = 1 << 22
    /// Where time comes from.
    public var clock: any EngineClock = SystemClock()
    /// Told about what an operator should know: recovery, snapshots, damage found.
    public var report: @Sendable (String) -> Void = { _ in }

    /// Never moves ids to files.
    static let unlimitedIds = (1 << 31) - 1

    public init() {}
}

/// Why an engine cannot start or go on, for an operator.
public struct EngineError: Error, CustomStringConvertible, Sendable {
    /// A stable lower-case word.
    public var code: String
    /// What was wrong, where, and what to do.
    public var message: String

    public init(_ code: String, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
