import GuerdonCore
import GuerdonEngine
import GuerdonWire

/// Between the event loop, which fills a batch, and the engine, which takes it when it is ready for one.
///
/// Whatever arrives while the engine works goes into the next batch: an idle engine answers at once, and a busy one
/// grows its batches by itself. Three batches go round: one being filled, one being evaluated, one being sent.
final class Intake: BatchSource, @unchecked Sendable {
    // Sendable: all that changes is in the monitor.
    private struct State {
        var open: ServerBatch?
        var spare: [ServerBatch] = []
        var isClosed = false
        /// Whether a batch is wanted even if it is empty.
        var wantsEmpty = false
    }
    private let state = Monitor(State())
    private let onTaken: @Sendable () -> Void
    private let onFailure: @Sendable (any Error) -> Void

    /// - Parameters:
    ///   - onTaken: called on the engine's thread when the open batch was taken.
    ///   - onFailure: called when the engine cannot go on.
    init(onTaken: @escaping @Sendable () -> Void, onFailure: @escaping @Sendable (any Error) -> Void) {
        self.onTaken = onTaken
        self.onFailure = onFailure
    }

    /// Gives the batches that go round.
    func fill(_ batches: [ServerBatch]) {
        state.change { state in
            state.open = batches.first
            state.spare = Array(batches.dropFirst())
        }
    }

    /// Lets the event loop add lines to the open batch; `nil` when all batches are under way.
    func withOpen<Result>(_ body: (ServerBatch) -> Result) -> Result? {
        state.change { state in
            if state.open == nil { state.open = state.spare.popLast() }
            return state.open.map(body)
        }
    }

    func take(timeoutNanoseconds: Int64) -> (any EngineBatch)? {
        let batch: ServerBatch?? = state.wait(nanoseconds: timeoutNanoseconds) { state in
            if let open = state.open, !open.isEmpty || state.wantsEmpty {
                state.open = state.spare.popLast()
                state.wantsEmpty = false
                return .some(open)
            }
            return state.isClosed ? .some(nil) : nil
        }
        guard let batch = batch ?? nil else { return nil }
        onTaken()
        return batch
    }

    /// Takes back a batch whose replies were sent.
    func recycle(_ batch: ServerBatch) {
        batch.reset()
        state.change { $0.spare.append(batch) }
        onTaken()
    }

    /// Has the engine take a batch even if there is no line: subscriptions wait to be told.
    func askForEvents() {
        state.change { state in
            if state.open == nil { state.open = state.spare.popLast() }
            state.wantsEmpty = true
        }
    }

    /// Nothing more will come; what is open is still taken.
    func close() { state.change { $0.isClosed = true } }

    func failed(_ error: any Error) { onFailure(error) }
}
