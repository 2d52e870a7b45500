/// The whole state, and the one function that changes it: `state' = apply(state, batch)`.
///
/// Deterministic: the same commands with their times give the same state, outcomes and postings, however they are cut into
/// batches and whatever the shard count. No clock, no I/O, no randomness. Not thread-safe: one owner calls ``apply(_:)``
/// and the queries in turn; within a step it lends the shards to a ``PhaseRunner``.
public final class World {
    /// Number of shards, a power of two.
    public let shardCount: Int
    let shardBits: Int
    let seed: BitHash.Seed
    let hash: BitHash
    let runner: any PhaseRunner
    let side: SideWork?
    /// Log and history of what was applied before.
    public let log: any LogSource

    /// Log position of the last command applied; 0 at the start.
    public internal(set) var sequence: UInt64 = 0
    /// Time of the last batch, in nanoseconds since 1970.
    public internal(set) var time = Int64.min
    /// Postings of the last batch, in order.
    public let postings = Buffer<Posting>(capacity: 4096)

    var workspaces: ContiguousArray<Workspace> = []
    var workspaceIndex: [Text: Int] = [:]
    /// The workspace of the last member that was created.
    var importing: Workspace?

    /// External ids after which a generation of them is complete and leaves memory.
    let idsPerGeneration: Int
    /// Whether some external ids are in files.
    var hasSealedIds = false
    /// Workspaces for which sealed ids were recalled.
    var recalling: [Workspace] = []

    /// The last tick, so that it can be looked back at before it is in the log.
    var lastTick: (sequence: UInt64, time: Int64) = (0, 0)

    // The batch at hand.
    var step = Step()
    let lanes: ContiguousArray<ShardLane>
    /// Most that the steps since the accounts were settled may pay.
    var boundNeeds: [BoundKey: Double] = [:]
    /// Steps that are booked beside the owner; only in a replay.
    var bookings: BookingQueue?
    var batch = World.noBatch
    static let noBatch = CommandBatch()
    /// Where the commands of the batch begin and which shape they have; made only when somebody looks back into it.
    var batchIndex: [(offset: Int, shape: ActionShape)]?

    /// An empty world with the workspace `main`.
    ///
    /// - Parameters:
    ///   - shards: a power of two.
    ///   - seed: keys the hash tables; of no influence on results.
    ///   - runner: runs the shards' phases; in turn on the caller's thread by default.
    ///   - side: keeps boards in order beside the owner, if the world has one shard; the owner does it himself by default.
    ///   - log: where older commands and postings, and sealed ids, are found.
    ///   - idsPerGeneration: external ids that a workspace has in memory before they are offered for sealing; without
    ///     influence on results.
    public init(
        shards: Int = 1, seed: BitHash.Seed = BitHash.Seed(1, 2, 3, 4), runner: any PhaseRunner = SerialRunner(),
        side: (any SideRunner)? = nil, log: any LogSource, idsPerGeneration: Int = (1 << 31) - 1
    ) {
        precondition(shards > 0 && shards & (shards - 1) == 0, "the shard count must be a power of two")
        shardCount = shards
        shardBits = shards.trailingZeroBitCount
        self.seed = seed
        hash = BitHash(seed: seed)
        self.runner = runner
        self.side = shards == 1 ? side.map { SideWork($0) } : nil
        self.log = log
        self.idsPerGeneration = idsPerGeneration
        lanes = ContiguousArray((0..<shards).map { _ in ShardLane(shards: shards) })
        _ = addWorkspace("main")
    }

    deinit {
        side?.finish()
        hash.deallocate()
        postings.deallocate()
    }

    /// Applies a batch that is stamped with `firstSequence` and `time`, and fills its outcomes.
    ///
    /// The batch must not be reused before the next one is applied, or ``forgetBatch()`` was called: reads may look back
    /// into it.
    ///
    /// - Throws: ``MalformedBytes`` when the body is not what an encoder wrote, and what ``log`` throws.
    public func apply(_ batch: CommandBatch) throws {
        precondition(batch.firstSequence == sequence + 1 || batch.count == 0, "a batch does not follow its predecessor")
        precondition(batch.time >= time, "time went backwards")
        postings.removeAll()
        batch.outcomes.removeAll(keepingCapacity: true)
        batch.outcomes.reserveCapacity(batch.count)
        time = batch.time
        self.batch = batch
        batchIndex = nil
        var source = ByteSource(batch.body.bytes)
        var shape = ActionShape()
        step.shapes.removeAll(keepingCapacity: true)
        var done = 0
        while done < batch.count {
            guard source.position < source.bytes.count else { throw MalformedBytes(offset: source.position) }
            if source.bytes[source.position] == CommandTag.action.rawValue {
                try readActions(&source, shape: &shape, batch: batch, from: done)
                if hasSealedIds { try recallSealedIds() }
                let count = step.rows.count
                applyActions(batch)
                done += count
                sequence += UInt64(count)
            } else {
                finishBookings()
                let number = sequence + 1
                if let extra = createMember(&source) {
                    batch.outcomes.append(outcome(number, extra, batch))
                } else {
                    let command = try CommandCoding.decode(&source, shape: &shape)
                    try applyCommand(command, sequence: number, batch: batch, index: done)
                }
                sequence = number
                done += 1
            }
        }
    }

    private func applyCommand(_ command: Command, sequence: UInt64, batch: CommandBatch, index: Int) throws {
        do throws(Refusal) {
            let outcome = try apply(command, sequence: sequence, batch: batch, index: index)
            batch.outcomes.append(outcome)
        } catch {
            refuse(error, sequence: sequence, batch: batch)
        }
        if let failure = logFailure { throw failure }
        // Settings may have changed: shapes are worked out anew when they are met again.
        for i in step.shapes.indices { step.shapes[i] = nil }
    }

    /// What fetching an old action threw; applying stops then.
    var logFailure: (any Error)?

    func refuse(_ refusal: Refusal, sequence: UInt64, batch: CommandBatch) {
        batch.outcomes.append(
            CommandOutcome(sequence: sequence, code: refusal.code, extra: UInt32(batch.extras.count)))
        batch.extras.append(.refusal(refusal))
    }

    func addWorkspace(_ name: Text) -> Workspace {
        let workspace = Workspace(
            name: name, index: workspaces.count, shardBits: shardBits, seed: seed, side: side,
            idsPerGeneration: idsPerGeneration)
        workspaceIndex[name] = workspaces.count
        workspaces.append(workspace)
        return workspace
    }

    /// The earliest instant at which some lot expires; a tick is due once time reaches it.
    public func nextExpiry() -> Int64? {
        var earliest: Int64?
        for workspace in workspaces {
            for shard in workspace.shards {
                if let next = shard.wallets.nextExpiry() { earliest = min(earliest ?? next, next) }
            }
        }
        return earliest
    }
}

/// Runs one phase of a step on all shards, and returns when the last one is done.
public protocol PhaseRunner: Sendable {
    /// Calls `body` once for every number below `count`, in any order or at the same time.
    func run(_ count: Int, rows: Int, _ body: @escaping @Sendable (Int) -> Void)
}

/// Runs the shards one after the other.
public struct SerialRunner: PhaseRunner {
    public init() {}
    public func run(_ count: Int, rows: Int, _ body: @escaping @Sendable (Int) -> Void) {
        for i in 0..<count { body(i) }
    }
}

/// What one shard uses while a step runs.
final class ShardLane {
    /// Rows whose performer lives here.
    let rows = Buffer<UInt32>()
    /// Rewards for the members of every shard.
    let outboxes: UnsafeBufferPointer<Buffer<RewardMessage>>
    /// What this shard was sent, in order, and what it posted: one posting a message.
    let inbox = Buffer<RewardMessage>()
    let postings = Buffer<Posting>()
    /// Changes of scores that are not yet on the boards.
    let changes = Buffer<BoardChange>()
    /// The standings that a run of rewards counts for.
    let standings = Buffer<Unmanaged<Standing>>(capacity: 4)

    init(shards: Int) {
        let boxes = UnsafeMutableBufferPointer<Buffer<RewardMessage>>.allocate(capacity: shards)
        for shard in 0..<shards { boxes.initializeElement(at: shard, to: Buffer()) }
        outboxes = UnsafeBufferPointer(boxes)
    }

    deinit {
        rows.deallocate()
        for box in outboxes { box.deallocate() }
        outboxes.deallocate()
        inbox.deallocate()
        postings.deallocate()
        changes.deallocate()
        standings.deallocate()
    }
}
