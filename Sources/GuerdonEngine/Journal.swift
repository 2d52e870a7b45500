import GuerdonCore
import GuerdonStore

/// The thread that makes batches durable: append, sync, tell; and seal the log when nothing comes.
///
/// One batch is in its hands at a time, so the next one grows while this one syncs. An error of the disk is final: it is
/// told once, nothing is tried again, and nothing is acknowledged afterwards.
final class Journal: @unchecked Sendable {
    // Sendable: `log` is used by the journal's thread for a job or a seal, or by the evaluating one in `perform`;
    // `isBusy` and `isSealing` keep them apart.
    private struct State {
        var job: Job?
        var isBusy = false
        var isSealed = true
        var isSealing = false
        /// Counts what was made durable, so that the thread sees whether anything came while it slept.
        var done = 0
        var isClosing = false
        var isDone = false
        var failure: StoreError?

        /// Something was made durable, and nobody writes any more.
        mutating func finish() {
            isBusy = false
            isSealed = false
            done &+= 1
        }
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

    /// What the thread has to do next.
    private enum Event {
        case write(Job)
        /// Batches were performed elsewhere: they want a seal as well.
        case awake
        case close(isFailed: Bool)
    }

    private func run() throws(StoreError) {
        while true {
            let (isSealed, done) = state.wait { .some(($0.isSealed, $0.done)) } ?? (true, 0)
            let event: Event? = state.wait(nanoseconds: isSealed ? nil : Journal.idleNanoseconds) { state in
                if let job = state.job {
                    state.job = nil
                    return .write(job)
                }
                if state.failure != nil || state.isClosing && !state.isBusy {
                    return .close(isFailed: state.failure != nil)
                }
                return isSealed && !state.isSealed ? .awake : nil
            }
            switch event {
            case .write(let job)?:
                try write(job.batches)
                // First the answers of this batch: once the journal is idle, the next batch may answer reads at once.
                job.done()
                state.change { $0.finish() }
            case .awake?: continue
            case .close(let isFailed)?:
                if !isFailed { try log.seal() }
                return
            case nil: try sealIfIdle(since: done)
            }
        }
    }

    private func write(_ batches: [CommandBatch]) throws(StoreError) {
        for batch in batches where batch.count > 0 { try append(batch) }
        try log.sync()
    }

    private func append(_ batch: CommandBatch) throws(StoreError) {
        _ = try log.append(
            firstSequence: batch.firstSequence, count: UInt32(batch.count), time: batch.time, batch.body.bytes)
    }

    /// Seals the log unless something was made durable since, or somebody is writing.
    private func sealIfIdle(since done: Int) throws(StoreError) {
        let isIdle = state.change { state in
            state.isSealing = !state.isBusy && state.done == done
            return state.isSealing
        }
        guard isIdle else { return }
        try log.seal()
        state.change { state in
            state.isSealing = false
            state.isSealed = true
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

    /// Makes a batch durable on the calling thread.
    ///
    /// For small batches: waking the journal's thread and being woken by it takes longer than all the rest.
    ///
    /// - Parameters:
    ///   - work: done while the disk writes.
    ///   - release: called when the batch is durable, before anybody is woken.
    /// - Throws: what `work` throws, and what makes the log fail.
    func perform(_ batch: CommandBatch, during work: () throws -> Void, release: () -> Void) throws {
        let failure: StoreError?? = state.wait { state in
            if state.failure != nil { return .some(state.failure) }
            if state.isBusy || state.isSealing { return nil }
            state.isBusy = true
            return .some(nil)
        }
        if let failure = failure ?? nil { throw failure }
        do {
            try append(batch)
            log.startSync()
            try work()
            try log.sync()
        } catch {
            state.change {
                $0.failure = error as? StoreError ?? $0.failure
                $0.isBusy = false
            }
            throw error
        }
        // The first one after a seal wakes the thread, which seals again when nothing more comes.
        let wasSealed = state.changeQuietly { state in
            defer { state.finish() }
            return state.isSealed
        }
        release()
        if wasSealed { state.wake() }
    }

    /// Finishes what was submitted, seals the log and ends the thread.
    func close() {
        state.change { $0.isClosing = true }
        _ = state.wait { $0.isDone ? true : nil }
        thread?.join()
        thread = nil
    }
}
