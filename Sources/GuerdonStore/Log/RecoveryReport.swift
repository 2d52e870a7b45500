/// What opening the log found.
public struct RecoveryReport: Equatable, Sendable {
    /// A tail that a crash had left unfinished and that no acknowledged command was in.
    public struct TornTail: Equatable, Sendable {
        /// The segment that ended in it.
        public var file: String
        /// Where the last whole record ends.
        public var offset: UInt64
        /// Bytes that were dropped.
        public var bytes: UInt64
        /// Whole batches among them; they had not been acknowledged either.
        public var batches: Int
        /// Where the dropped bytes were copied, `nil` in a read-only opening, which leaves them in place.
        public var copy: String?
    }

    /// First sequence number that the log holds (it may be the one behind ``lastSequence`` in an empty log).
    public var firstSequence: UInt64
    /// Last sequence number that the log holds, 0 if none.
    public var lastSequence: UInt64
    /// Chain value behind it.
    public var chain: UInt64
    /// Time of the last batch seen in the plain segments, `nil` if they hold none.
    public var lastTime: Int64?
    /// Segments still plain, and archives.
    public var segments: Int
    /// Archived segments.
    public var archives: Int
    /// The unfinished tail, if there was one.
    public var tornTail: TornTail?
}
