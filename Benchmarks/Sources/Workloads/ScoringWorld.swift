import GuerdonBench
import GuerdonCore
import GuerdonWire

/// A world of the scoring job without disk and sockets, into which lines go as the server takes them.
final class ScoringWorld {
    /// How many members there are at the start.
    static let members = 100_000
    /// Commands in a batch; the time of one reads as thousandths in reports.
    static let batch = 1_000

    let job: ScoringJob
    let world: World
    private let decoder = RequestDecoder()
    private var defaults = ConnectionDefaults()
    // The world may look back into the last batch, so two take turns.
    private var requests = [Requests(), Requests()]
    /// The position of the next action.
    private var position: UInt64 = 0

    /// Builds the world: currencies, plan and board of the job, and its members.
    ///
    /// - Parameters:
    ///   - duplicates: the share of actions that are sent again.
    ///   - lines: more that is set up before there are members.
    ///   - log: what a reversal looks back at.
    init(duplicates: Double = 0.02, lines: [String] = [], log: any LogSource = NoLog()) throws {
        job = ScoringJob(seed: 1, members: Self.members, duplicates: duplicates)
        world = World(log: log)
        let setup = (ScoringJob.setupLines() + lines).map { $0 + "\n" }.joined()
        try apply(decode(Array(setup.utf8)))
        for first in stride(from: 0, to: UInt64(Self.members), by: Self.batch) {
            try apply(decode(job.memberLines(first..<first + UInt64(Self.batch))))
        }
        expect(world.memberCount == Self.members, "\(world.memberCount) members")
    }

    /// The next lines of the stream of actions.
    func nextLines() -> [UInt8] {
        defer { position += UInt64(Self.batch) }
        return job.actionLines(position..<position + UInt64(Self.batch))
    }

    /// Decodes lines into a batch, which is good until the one after the next is decoded.
    func decode(_ lines: [UInt8]) -> Requests {
        requests.swapAt(0, 1)
        let requests = requests[0]
        requests.reset()
        _ = lines.withUnsafeBytes { decoder.decode(lines: $0, defaults: &defaults, into: requests) }
        expect(requests.rows.count == requests.commands.count, "a line is no command")
        return requests
    }

    /// Stamps a batch and applies it.
    func apply(_ requests: Requests) throws {
        let batch = requests.commands
        batch.firstSequence = world.sequence + 1
        batch.time = Self.time
        try world.apply(batch)
    }

    /// Applies the next actions; returns their batch.
    @discardableResult
    func applyActions() throws -> CommandBatch {
        let requests = decode(nextLines())
        try apply(requests)
        return requests.commands
    }

    /// 1 December 2026, behind all actions of the job.
    static let time: Int64 = 1_796_083_200_000_000_000
}

extension CommandBatch {
    /// Whether every command was accepted or is a repetition.
    var isAccepted: Bool { outcomes.allSatisfy { $0.code == .none } }
}
