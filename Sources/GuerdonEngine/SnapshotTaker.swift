import CIntrinsics
import GuerdonCore
import GuerdonStore

/// Writes snapshots on a thread of its own while the world goes on.
final class SnapshotTaker: @unchecked Sendable {
    // Sendable: all that changes is in the monitor; `image` belongs to the evaluating thread.
    private struct State {
        var isRunning = false
        var isFinished = false
        var result: Result<UInt64, any Error>?
    }

    private let directory: DataDirectory
    private let history: History
    private let sealer: IdSealer
    private let options: EngineOptions
    private let state = Monitor(State())
    private var image: WorldImage?
    private var thread: DedicatedThread?

    init(directory: DataDirectory, history: History, sealer: IdSealer, options: EngineOptions) {
        self.directory = directory
        self.history = history
        self.sealer = sealer
        self.options = options
    }

    /// Whether an image is still out.
    var isRunning: Bool { image != nil }

    /// Holds the world still and begins to write; called between batches, when all of the world is durable.
    func start(_ world: World, chain: UInt64, done: @escaping @Sendable () -> Void) {
        let image = world.image()
        self.image = image
        sealer.pin(image.sealedRuns)
        state.change {
            $0.isRunning = true
            $0.isFinished = false
        }
        thread = DedicatedThread(name: "snapshot") { [self] in
            let result = Result { try write(image, chain: chain) }
            sealer.unpin()
            if case .failure(let error) = result { options.report("snapshot not taken: \(error)") }
            state.change {
                $0.result = result
                $0.isFinished = true
                $0.isRunning = false
            }
            done()
        }
    }

    private func write(_ image: WorldImage, chain: UInt64) throws -> UInt64 {
        // A snapshot is only of use with the history of what it covers.
        try history.flush(through: image.sequence, sync: true)
        // From here on no lock is held that an action may wait for, and nobody minds when the rest is done.
        cintrinsics_lower_priority()
        let writer = try SnapshotWriter(in: directory, sequence: image.sequence, chain: chain, time: image.time)
        _ = try image.write(to: writer)
        try writer.finish()
        options.report("snapshot at position \(image.sequence): \(writer.fileBytes) bytes")
        return image.sequence
    }

    /// Gives the image back to the world once it is written; called between batches.
    func collect(_ world: World) {
        guard let image, state.wait({ .some($0.isFinished) }) == true else { return }
        thread?.join()
        thread = nil
        world.release(image)
        self.image = nil
    }

    /// The outcome of the last snapshot.
    func result() throws -> UInt64 {
        guard let result = state.wait({ .some($0.result) }) ?? nil else {
            throw EngineError("no_snapshot", "The engine stopped before the snapshot was taken.")
        }
        return try result.get()
    }

    /// Waits for a snapshot that is being written, and gives its image back; called when nobody evaluates any more.
    func finish(_ world: World) {
        thread?.join()
        thread = nil
        if let image { world.release(image) }
        image = nil
    }
}
