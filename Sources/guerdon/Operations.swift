/// What the commands need from the engine; everything else here is arguments and printing.
protocol Operations: Sendable {
    /// Serves until SIGTERM or SIGINT, then drains and returns.
    ///
    /// - Parameters:
    ///   - ready: to be called once when requests are answered, with the address that was bound.
    /// - Throws: what kept it from starting, or the failure that ended it, as a sentence for people.
    func serve(_ settings: ServeSettings, ready: @escaping @Sendable (_ host: String, _ port: Int) -> Void) throws

    /// Replays the log of a directory that no server uses, and checks the invariants.
    ///
    /// - Parameter progress: called now and then with the share that is done, 0 to 1.
    func verify(directory: String, progress: @escaping (Double) -> Void) throws -> Verification

    /// Hands out every command of the log, in order, as one JSON object each.
    func readLog(directory: String, from sequence: UInt64, line: (_ sequence: UInt64, _ json: String) throws -> Void)
        throws

    /// Takes a snapshot of a directory that no server uses; returns the sequence number that it holds.
    func snapshot(directory: String) throws -> UInt64
}

/// What `guerdon verify` found.
struct Verification: Sendable {
    /// An invariant and whether it holds; the detail says where it does not.
    struct Invariant: Sendable {
        var name: String
        var holds: Bool
        var detail: String?
    }

    /// The hash of the logical state, in hexadecimal.
    var hash: String
    /// The sequence number of the last command.
    var sequence: UInt64
    var members: Int
    var actions: Int
    var invariants: [Invariant]
    /// Commands that were applied again to get here, and the time that took.
    var replayed: UInt64
    var replaySeconds: Double

    var isFine: Bool { invariants.allSatisfy(\.holds) }
}
