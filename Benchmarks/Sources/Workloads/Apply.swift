import GuerdonBench
import GuerdonCore
import GuerdonWire

extension Workload {
    /// Batches of commands change a world of 100,000 members.
    static let apply = [
        Workload("apply-actions", unit: "action", operations: ScoringWorld.batch) {
            ActionSession(try ScoringWorld())
        },
        Workload("apply-actions-beside-100-plans", unit: "action", operations: ScoringWorld.batch) {
            ActionSession(try ScoringWorld(lines: otherPlans))
        },
        Workload("apply-actions-beside-sealed-ids", unit: "action", operations: ScoringWorld.batch) {
            let scoring = try ScoringWorld(log: NothingSealed())
            addSealedIds(to: scoring.world)
            return ActionSession(scoring)
        },
        Workload("apply-new-members", unit: "member", operations: ScoringWorld.batch) { try MemberSession() },
        Workload("apply-reversals", unit: "reversal", operations: ScoringWorld.batch) { try ReversalSession() },
    ]

    /// Six files of ids, none of which comes again: each new id asks six filters.
    private static func addSealedIds(to world: World) {
        var state: UInt64 = 7
        func next() -> UInt64 {
            state = state &* 0x5851_f42d_4c95_7f2d &+ 0x1405_7b7e_f767_814f
            return state ^ state >> 32
        }
        for number in 1...6 as ClosedRange<UInt64> {
            let keys = (0..<20_000).map { _ in ExternalIdKey(high: next() >> 16, low: next()) }
            var builder = SealedIdRunBuilder(count: keys.count)
            for key in keys.sorted() { builder.append(key, RememberedId(sequence: 1, content: 0)) { _ in } }
            let run = builder.finish { _ in }
            let name = SealedRunName(number: number, count: UInt64(run.count), lastSequence: 1, checksum: 0)
            world.addSealed(run, named: name, in: 0)
        }
    }

    /// Plans that pay for other things than the job's, which they say in two ways.
    private static let otherPlans = (1...100).map { number in
        let test = number % 2 == 0 ? "action.type == 'course-\(number)'" : "action.type.startsWith('course-\(number)')"
        return #"{"op":"plan.put","plan":{"plan":"other-\#(number)","bonuses":[{"bonus":"points","#
            + #""when":"\#(test)","#
            + #""rewards":[{"to":"performer","currency":"PTS","per":"1.00","amount":"1"}]}]}}"#
    }
}

/// Files of sealed ids in which nothing is found: a filter errs once in 65,000 times.
private struct NothingSealed: LogSource {
    func command(at sequence: UInt64) throws -> PastCommand { try NoLog().command(at: sequence) }
    func postings(at sequence: UInt64) throws -> [Posting] { try NoLog().postings(at: sequence) }
    func findSealed(_ questions: inout [SealedIdQuestion]) {}
}

/// Applies the next actions of the job.
private final class ActionSession: Session {
    private let scoring: ScoringWorld
    private var next: Requests?

    init(_ scoring: ScoringWorld) { self.scoring = scoring }

    func prepare() {
        if let last = next { expect(last.commands.isAccepted, "actions are refused") }
        next = scoring.decode(scoring.nextLines())
    }

    func run() throws {
        guard let next else { return expect(false, "nothing was prepared") }
        try scoring.apply(next)
        // Points, and up to three levels of referrers.
        expect(scoring.world.postings.count > 3 * ScoringWorld.batch, "\(scoring.world.postings.count) postings")
    }
}

/// Adds members with a referrer.
private final class MemberSession: Session {
    private let scoring: ScoringWorld
    private var next: Requests?
    private var number = UInt64(ScoringWorld.members)

    init() throws { scoring = try ScoringWorld() }

    func prepare() {
        next = scoring.decode(scoring.job.memberLines(number..<number + UInt64(ScoringWorld.batch)))
        number += UInt64(ScoringWorld.batch)
    }

    func run() throws {
        guard let next else { return expect(false, "nothing was prepared") }
        try scoring.apply(next)
        expect(scoring.world.memberCount == Int(number), "\(scoring.world.memberCount) members")
    }
}

/// Takes actions back wholly, each with its rewards on all levels.
private final class ReversalSession: Session {
    private let scoring: ScoringWorld
    private let log = LastBatch()
    private var next: Requests?

    init() throws { scoring = try ScoringWorld(duplicates: 0, log: log) }

    func prepare() throws {
        let actions = try scoring.applyActions()
        try log.keep(actions, postings: scoring.world.postings.elements)
        let lines = log.externalIds.map { #"{"op":"reverse","externalId":"return-\#($0)","of":"\#($0)"}"# + "\n" }
        next = scoring.decode(Array(lines.joined().utf8))
    }

    func run() throws {
        guard let next else { return expect(false, "nothing was prepared") }
        try scoring.apply(next)
        expect(next.commands.isAccepted, "reversals are refused")
        expect(scoring.world.postings.count > 3 * ScoringWorld.batch, "\(scoring.world.postings.count) postings")
    }
}

/// The commands and postings of one batch as log and history would give them, ready in memory.
private final class LastBatch: LogSource, @unchecked Sendable {
    // Sendable: used by one session, on one thread.
    private var first: UInt64 = 0
    private var commands: [PastCommand] = []
    private var postings: [[Posting]] = []

    struct Missing: Error {}

    func keep(_ batch: CommandBatch, postings all: UnsafeBufferPointer<Posting>) throws {
        first = batch.firstSequence
        var source = ByteSource(batch.body.bytes)
        var shape = ActionShape()
        commands = try (0..<batch.count).map { _ in
            PastCommand(command: try CommandCoding.decode(&source, shape: &shape), time: batch.time)
        }
        postings = Array(repeating: [], count: batch.count)
        for posting in all { postings[Int(posting.sequence - first)].append(posting) }
    }

    var externalIds: [String] {
        commands.map { past in
            if case .action(let action) = past.command { action.externalId.string } else { "" }
        }
    }

    private func index(of sequence: UInt64) throws -> Int {
        guard sequence >= first, sequence - first < UInt64(commands.count) else { throw Missing() }
        return Int(sequence - first)
    }

    func command(at sequence: UInt64) throws -> PastCommand { commands[try index(of: sequence)] }
    func postings(at sequence: UInt64) throws -> [Posting] { postings[try index(of: sequence)] }
}
