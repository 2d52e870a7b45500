/// A run of commands that is logged as one record and applied in order.
///
/// The producer side fills ``body`` (and ``count``); the engine stamps ``firstSequence`` and ``time``; applying it fills
/// the outcomes. Batches are reused, so a busy engine allocates nothing for them.
public final class CommandBatch: @unchecked Sendable {
    // Sendable: a batch is owned by one stage at a time and handed on as a whole.

    /// The commands' bytes, one after the other, as `CommandCoding` and `ActionEncoder` write them.
    public let body: ByteSink
    /// Writes actions into ``body``.
    public var actions = ActionEncoder()
    /// Commands in ``body``.
    public var count = 0
    /// Log position of the first command.
    public var firstSequence: UInt64 = 0
    /// When the engine took the batch, in nanoseconds since 1970; never decreases from batch to batch.
    public var time: Int64 = 0

    /// One outcome a command, in order.
    public var outcomes = ContiguousArray<CommandOutcome>()
    /// What outcomes point to with ``CommandOutcome/extra``.
    public var extras: [CommandExtra] = []
    /// What was paid or taken back, in order of command; filled only when ``wantsLines`` is set.
    public var lines = ContiguousArray<RewardLine>()
    /// Whether some reply of this batch shows reward detail.
    public var wantsLines = false
    /// Whether ``World/postings`` must be complete; not so in a replay, where the history has them already.
    public var wantsPostings = true

    /// An empty batch.
    public init() { body = ByteSink(capacity: 1 << 16) }
    deinit { body.deallocate() }

    /// Appends one command (not the hot path, which writes actions directly).
    public func append(_ command: Command) {
        CommandCoding.encode(command, into: body, actions: &actions)
        count += 1
    }

    /// Makes the batch empty again and keeps its memory.
    public func reset() {
        body.removeAll()
        actions.reset()
        count = 0
        firstSequence = 0
        outcomes.removeAll(keepingCapacity: true)
        extras.removeAll()
        lines.removeAll(keepingCapacity: true)
        wantsLines = false
        wantsPostings = true
    }
}

/// How one command ended.
public struct CommandOutcome: BitwiseCopyable, Equatable, Sendable {
    /// The command's own log position, or that of the first one when this is a duplicate.
    public var sequence: UInt64
    /// Index into ``CommandBatch/extras``, or ``noExtra``.
    public var extra: UInt32
    /// `.none` when it was accepted.
    public var code: RefusalCode
    /// Whether the same command was applied before.
    public var isDuplicate: Bool
    /// Whether it may have paid or taken back rewards, so that a detailed reply lists them.
    public var hasRewards: Bool

    /// Stands for "nothing more to say".
    public static let noExtra = UInt32.max

    public init(
        sequence: UInt64, code: RefusalCode = .none, isDuplicate: Bool = false, hasRewards: Bool = false,
        extra: UInt32 = CommandOutcome.noExtra
    ) {
        self.sequence = sequence
        self.code = code
        self.isDuplicate = isDuplicate
        self.hasRewards = hasRewards
        self.extra = extra
    }
}

/// What a few outcomes have to say beyond their code.
public enum CommandExtra: Equatable, Sendable {
    case refusal(Refusal)
    case member(created: Bool, referralCode: Text?)
    case plan(id: Text, version: Int)
}

/// One reward paid, or with a negative amount taken back.
public struct RewardLine: BitwiseCopyable, Equatable, Sendable {
    /// Index of the command in its batch.
    public var command: UInt32
    public var workspace: UInt16
    public var currency: UInt16
    public var member: UInt32
    /// Index of the plan version in the workspace.
    public var plan: UInt32
    public var bonus: UInt16
    public var level: UInt8
    public var amount: Int64
    /// What a reversal could not take back, ≥ 0.
    public var shortfall: Int64
}
