import GuerdonCore
import GuerdonStore

/// Packs postings into the history on a thread of its own, so that the evaluating one goes on with the next batch.
final class HistoryKeeper: Sendable {
    private struct State {
        var hasWork = false
        var isClosing = false
    }
    private let history: History
    private let state: Monitor<State>
    private let thread: DedicatedThread

    /// Batches that may wait; whoever brings one more waits too.
    private static let batchesMost = 4
    /// So few postings are packed at once: waking a thread takes longer.
    private static let fewPostings = 512

    init(_ history: History) {
        self.history = history
        let state = Monitor(State())
        self.state = state
        thread = DedicatedThread(name: "history") {
            while true {
                let goesOn = state.wait { state in
                    defer { state.hasWork = false }
                    return state.hasWork ? .some(true) : state.isClosing ? .some(false) : nil
                }
                guard goesOn == true else { return }
                // An error is kept by the history, which tells it when the next batch is brought.
                while let waiting = try? history.packNext() {
                    state.wake()
                    if waiting == 0 { break }
                }
            }
        }
    }

    /// Takes the postings of the world's last batch, which is durable: only that goes into the history, or a crash could
    /// leave it ahead of the log. They can be read at once.
    func take(from world: World) throws {
        let count = world.postings.count
        guard count > 0 else { return }
        let isBusy = state.wait { [history] _ in
            let waiting = history.waitingBatches
            return waiting < HistoryKeeper.batchesMost ? .some(waiting > 0) : nil
        }
        try history.enqueue(world.postings)
        if isBusy == false, count <= HistoryKeeper.fewPostings {
            try history.packNext()
        } else {
            state.change { $0.hasWork = true }
        }
    }

    /// Packs what still waits and ends the thread.
    func close() {
        state.change {
            $0.hasWork = true
            $0.isClosing = true
        }
        thread.join()
    }
}
