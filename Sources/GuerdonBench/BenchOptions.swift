public import GuerdonClient

/// What `guerdon bench` is to measure.
public struct BenchOptions: Sendable {
    /// How many members are made first.
    public var members = 1_000_000
    /// Stop after so many actions; nil for no such limit.
    public var actions: Int?
    /// Stop after so many seconds; 10 when neither limit is given.
    public var seconds: Double?
    /// Connections that send actions.
    public var connections = 8
    /// Lines in flight on each of them.
    public var window = 512
    /// Makes the streams of two runs differ.
    public var seed: UInt64 = 1
    /// The share of actions that are sent again, 0 to 0.9.
    public var duplicates = 0.02
    /// How commands are acknowledged.
    public var acknowledgement = Acknowledgement.each
    /// The share of lines that are reads, 0 to 0.99.
    public var readRatio = 0.0
    /// Lines that are due a second, answered or not; nil to send as many as are answered.
    public var rate: Double?
    /// How many upline levels are paid.
    public var levels = 3
    /// How many plans there are; all but the first are for actions of other types.
    public var plans = 1
    /// How many members each member refers; 1 makes a chain.
    public var fanout = 5
    /// A running server to measure; nil to start one.
    public var endpoint: Endpoint?
    /// The `guerdon` to start.
    public var executable = "/proc/self/exe"
    /// Where to put the data directory of the server that is started; nil for a temporary place, removed afterwards.
    public var directory: String?
    /// Further arguments for the server that is started.
    public var serverArguments: [String] = []

    /// Creates the defaults: a million members, ten seconds, eight connections with 512 lines each.
    public init() {}

    /// What is wrong with the options, for people; nil when they are fine.
    public var complaint: String? {
        if !(1...4_000_000_000).contains(members) { return "--members must be 1 to 4000000000" }
        if let actions, actions < 1 { return "--actions must be at least 1" }
        if let seconds, !(seconds > 0) { return "--seconds must be more than 0" }
        if !(1...4_096).contains(connections) { return "--connections must be 1 to 4096" }
        if !(1...65_536).contains(window) { return "--window must be 1 to 65536" }
        if !(0...0.9).contains(duplicates) { return "--duplicates must be 0 to 0.9" }
        if !(0...0.99).contains(readRatio) { return "--read-ratio must be 0 to 0.99" }
        if let rate, !(rate >= 1 && rate <= 1e8) { return "--rate must be 1 to 100000000" }
        if !(0...100).contains(levels) { return "--levels must be 0 to 100" }
        if !(1...4_096).contains(plans) { return "--plans must be 1 to 4096" }
        if !(1...1_000_000).contains(fanout) { return "--fanout must be 1 to 1000000" }
        return nil
    }
}

/// Where a measurement is, for a progress display.
public enum BenchStage: Sendable {
    /// The server is starting.
    case starting
    /// Members are made: done, of all.
    case members(Int, of: Int)
    /// Actions are acknowledged: so many, and the share of the way to the end.
    case actions(Int, fraction: Double)
    /// A snapshot is taken while the load goes on.
    case snapshot
    /// The log is replayed.
    case replay
}
