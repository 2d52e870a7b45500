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
        /// Questions that were fetched for and can go on.
        var fetched: [PastJob] = []
        /// Questions that are being fetched for.
        var fetching = 0

        /// Whether no question is on its way to a batch.
        var isFinished: Bool { fetching == 0 && fetched.isEmpty }
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
        while true {
            let batch: ServerBatch?? = state.wait(nanoseconds: timeoutNanoseconds) { state in
                if state.open == nil, !state.fetched.isEmpty { state.open = state.spare.popLast() }
                if let open = state.open, !open.isEmpty || state.wantsEmpty || !state.fetched.isEmpty {
                    swap(&open.fetched, &state.fetched)
                    state.open = state.spare.popLast()
                    state.wantsEmpty = false
                    return .some(open)
                }
                return state.isClosed && state.isFinished ? .some(nil) : nil
            }
            if let batch = batch ?? nil {
                onTaken()
                return batch
            }
            // Who stops has to wait for answers that are under way.
            guard state.wait({ .some($0.isClosed && !$0.isFinished) }) == true else { return nil }
        }
    }

    /// A question is about to be fetched for.
    func willFetch() { state.change { $0.fetching += 1 } }

    /// A question was fetched for; the next batch takes it along.
    func didFetch(_ job: PastJob) {
        state.change { state in
            state.fetching -= 1
            state.fetched.append(job)
        }
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
