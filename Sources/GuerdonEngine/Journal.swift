import GuerdonCore
import GuerdonStore

/// The thread that makes batches durable: append, sync, tell; and seal the log when nothing comes.
///
/// One batch is in its hands at a time, so the next one grows while this one syncs. An error of the disk is final: it is
/// told once, nothing is tried again, and nothing is acknowledged afterwards.
final class Journal: @unchecked Sendable {
    // Sendable: `log` is used on the journal's thread only, once it runs.
    private struct State {
        var job: Job?
        var isBusy = false
        var isClosing = false
        var isDone = false
        var failure: StoreError?
    }
    private struct Job {
        var batches: [CommandBatch]
        var done: @Sendable () -> Void
    }

    private let log: WriteAheadLog
    private let state = Monitor(State())
    private var thread: DedicatedThread?
    /// How long nothing must come before the log is sealed.
    private static let idleNanoseconds: Int64 = 10_000_000

    init(log: WriteAheadLog, failed: @escaping @Sendable (StoreError) -> Void) {
        self.log = log
        thread = DedicatedThread(name: "journal") { [self] in
            do throws(StoreError) {
                try run()
                state.change { $0.isDone = true }
            } catch {
                state.change {
                    $0.failure = error
                    $0.isBusy = false
                    $0.isDone = true
                }
                failed(error)
            }
        }
    }

    private func run() throws(StoreError) {
        var isSealed = true
        while true {
            let next: Job?? = state.wait(nanoseconds: isSealed ? nil : Journal.idleNanoseconds) { state in
                if let job = state.job {
                    state.job = nil
                    return .some(job)
                }
                return state.isClosing ? .some(nil) : nil
            }
            guard let next else {
                try log.seal()
                isSealed = true
                continue
            }
            guard let job = next else {
                try log.seal()
                return
            }
            for batch in job.batches where batch.count > 0 {
                _ = try log.append(
                    firstSequence: batch.firstSequence, count: UInt32(batch.count), time: batch.time, batch.body.bytes)
            }
            try log.sync()
            isSealed = false
            // First the answers of this batch: once the journal is idle, the next batch may answer reads at once.
            job.done()
            state.change { $0.isBusy = false }
        }
    }

    /// Waits until everything that was submitted is durable.
    ///
    /// - Returns: `false` when the journal has failed.
    func waitUntilIdle() -> Bool {
        state.wait { state in
            if state.failure != nil { return .some(false) }
            return state.isBusy ? nil : .some(true)
        } ?? false
    }

    /// Hands batches over; `done` is called on the journal's thread once they are durable.
    func submit(_ batches: [CommandBatch], done: @escaping @Sendable () -> Void) {
        state.change { state in
            precondition(!state.isBusy && state.job == nil, "the journal takes one batch at a time")
            state.isBusy = true
            state.job = Job(batches: batches, done: done)
        }
    }

    /// Finishes what was submitted, seals the log and ends the thread.
    func close() {
        state.change { $0.isClosing = true }
        _ = state.wait { $0.isDone ? true : nil }
        thread?.join()
        thread = nil
    }
}
