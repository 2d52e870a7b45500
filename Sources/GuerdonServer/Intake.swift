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
        /// Whether nothing more is read, and ``isClosed`` will follow.
        var isDraining = false
        /// Whether everything that was read is in a batch.
        var isClosed = false
        /// Whether a batch is wanted even if it is empty.
        var wantsEmpty = false
        /// Questions that were fetched for and can go on.
        var fetched: [PastJob] = []
        /// Questions that are being fetched for.
        var fetching = 0
        /// Whether lines wait for room in a batch.
        var isAwaited = false
        /// Whether the engine's thread waits for a batch.
        var isParked = false
        /// Whether a batch is being done on the event loop while the engine's thread waits.
        var isBorrowed = false
        /// Whether the engine's thread wants to go on with other things than batches.
        var isRecalled = false
        var runner: (any BatchRunner)?

        /// Whether there is something to take.
        var isReady: Bool { open.map { !$0.isEmpty } ?? false || wantsEmpty || !fetched.isEmpty }

        /// The open batch, with the questions that were fetched for; `nil` when there is nothing to do.
        mutating func takeReady() -> ServerBatch? {
            guard isReady else { return nil }
            if open == nil { open = spare.popLast() }
            guard let taken = open else { return nil }
            swap(&taken.fetched, &fetched)
            open = spare.popLast()
            wantsEmpty = false
            return taken
        }

        /// Whether nothing more will come: no line, and no question that is on its way to a batch.
        var isFinished: Bool { isClosed && fetching == 0 && fetched.isEmpty }
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

    /// Lets the event loop add lines to the open batch, and says whether all of them found room; ``offer()`` has to follow.
    ///
    /// If not, `onTaken` is called when there may be room again.
    func withOpen(_ body: (ServerBatch) -> Bool) -> Bool {
        state.changeQuietly { state in
            if state.open == nil { state.open = state.spare.popLast() }
            let hasRoom = state.open.map(body) ?? false
            if !hasRoom { state.isAwaited = true }
            return hasRoom
        }
    }

    /// Gives the open batch to the engine, if that waits for one; to be called on the event loop when everything that has
    /// arrived is in it.
    ///
    /// A small one is done at once, on the event loop: to wake the engine's thread takes longer, and nothing else waits.
    func offer() {
        enum Choice {
            case nothing
            case wake
            case here(ServerBatch, any BatchRunner)
        }
        let choice: Choice = state.changeQuietly { state in
            guard state.isParked, !state.isBorrowed, let open = state.open, !open.isEmpty else { return .nothing }
            guard !state.isRecalled, !state.isDraining, state.fetched.isEmpty, let runner = state.runner,
                runner.takesHere(open)
            else { return .wake }
            state.open = state.spare.popLast()
            state.wantsEmpty = false
            state.isBorrowed = true
            return .here(open, runner)
        }
        switch choice {
        case .nothing: break
        case .wake: state.wake()
        case .here(let batch, let runner):
            runner.runHere(batch)
            let isWanted = state.changeQuietly { state in
                state.isBorrowed = false
                return state.isRecalled || state.isReady || state.isDraining
            }
            if isWanted { state.wake() }
        }
    }

    func begin(_ runner: any BatchRunner) { state.change { $0.runner = runner } }

    func take(timeoutNanoseconds: Int64) -> (any EngineBatch)? {
        while true {
            let batch: ServerBatch?? = state.wait(nanoseconds: timeoutNanoseconds) { state in
                state.isParked = true
                if state.isBorrowed { return nil }
                let taken = state.takeReady()
                if taken == nil, !state.isFinished { return nil }
                state.isParked = false
                return .some(taken)
            }
            if let batch = batch ?? nil {
                signalIfAwaited()
                return batch
            }
            // Time is over, or nothing will come: the state of the engine must be back before it goes on.
            let isUnfinished: Bool? = state.wait { state in
                state.isRecalled = state.isBorrowed
                if state.isBorrowed { return nil }
                state.isParked = false
                // Who stops has to wait for what was read, and for answers that are under way.
                return .some(state.isDraining && !state.isFinished)
            }
            guard isUnfinished == true else { return nil }
        }
    }

    /// Calls `onTaken` if somebody waits for room.
    private func signalIfAwaited() {
        let isAwaited = state.changeQuietly { state in
            defer { state.isAwaited = false }
            return state.isAwaited
        }
        if isAwaited { onTaken() }
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
        let isWanted = state.changeQuietly { state in
            state.spare.append(batch)
            return state.isParked && !state.isBorrowed && state.isReady
        }
        if isWanted { state.wake() }
        signalIfAwaited()
    }

    /// Has the engine take a batch even if there is no line: subscriptions wait to be told.
    func askForEvents() {
        state.change { state in
            if state.open == nil { state.open = state.spare.popLast() }
            state.wantsEmpty = true
        }
    }

    /// Nothing more is read; the engine waits for ``close()``.
    func drain() { state.change { $0.isDraining = true } }

    /// Everything that was read is in a batch; what is open is still taken.
    func close() { state.change { $0.isClosed = true } }

    func failed(_ error: any Error) { onFailure(error) }
}
