/// Where the canonical bytes of a state go: a snapshot, or the state hash.
public protocol StateSink {
    /// Takes one piece of a section; pieces are whole records, at most a few hundred KiB.
    mutating func write(section: UInt32, _ bytes: UnsafeRawBufferPointer) throws
}

/// The sections of a state, in the order in which they are written. Values never change meaning.
enum StateSection: UInt32, CaseIterable {
    /// Position, time, number of workspaces.
    case world = 1
    /// A workspace's settings and named things; the sections behind it belong to it.
    case workspace = 2
    /// Ids of members in order of creation.
    case memberIds = 3
    /// Referrers in order of creation.
    case referrers = 4
    case profiles = 5
    /// Wallets and lots by currency and member.
    case wallets = 6
    /// Scores by board, period and member.
    case scores = 7
    /// External ids as keyed hashes: of no meaning without the directory's seed, so not part of the state hash.
    case externalIds = 8
    /// Reversed actions and what is left of them.
    case reversals = 9
    case end = 10
    /// Runs of sealed external ids that the state counts on. Where ids are is no part of the state; written first, and only when
    /// there are any.
    case sealedRuns = 11

    /// Whether scores may follow before anything else does.
    var isForScores: Bool {
        switch self {
        case .memberIds, .referrers, .profiles, .wallets, .scores: true
        case .world, .workspace, .externalIds, .reversals, .end, .sealedRuns: false
        }
    }
}

/// Collects records and passes them on in pieces.
struct SectionWriter<Sink: StateSink>: ~Copyable {
    private static var pieceBytes: Int { 192 * 1024 }
    var sink: Sink
    private let buffer = ByteSink(capacity: 256 * 1024)
    private var section = StateSection.world

    init(_ sink: Sink) { self.sink = sink }
    deinit { buffer.deallocate() }

    /// Starts a section; what was collected goes out.
    mutating func begin(_ section: StateSection) throws {
        try flush()
        self.section = section
    }

    /// Appends one record.
    mutating func record(_ body: (ByteSink) -> Void) throws {
        body(buffer)
        if buffer.count >= Self.pieceBytes { try flush() }
    }

    mutating func flush() throws {
        guard buffer.count > 0 else { return }
        try sink.write(section: section.rawValue, buffer.bytes)
        buffer.removeAll()
    }
}
