/// What came of a batch, for whoever writes its replies: taken once a batch, looked at once a command.
public struct BatchResults {
    public let outcomes: ContiguousArray<CommandOutcome>
    public let extras: [CommandExtra]
    public let lines: ContiguousArray<RewardLine>

    /// The results of a batch that was applied.
    public init(_ batch: CommandBatch) {
        outcomes = batch.outcomes
        extras = batch.extras
        lines = batch.lines
    }
}
