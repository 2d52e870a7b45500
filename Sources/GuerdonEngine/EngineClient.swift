public import GuerdonCore

/// What the engine's users put around a ``CommandBatch``: where it came from, and how its answers leave.
///
/// The server's request batch holds the connections and the reads of a batch; `verify` and tests need much less.
public protocol EngineBatch: AnyObject, Sendable {
    /// The commands to log and apply; may be empty when there are only reads.
    var commands: CommandBatch { get }

    /// The commands are applied: encode the replies and answer the reads from this consistent cut of the state.
    ///
    /// Called on the evaluating thread; `world` may be read but not kept. Nothing may leave the process yet.
    func applied(_ world: World)

    /// The batch is on disk and applied: everything encoded may leave now, and the batch be reused afterwards.
    ///
    /// Called on the evaluating or the journal thread.
    func released()
}
