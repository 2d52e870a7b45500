import GuerdonCore
import GuerdonEngine

/// A question whose answer needs log or history: its reply comes later than its batch, in the place that it has among the
/// connection's replies.
final class PastJob: @unchecked Sendable {
    // Sendable: handed from stage to stage, owned by one at a time.
    let connection: Connection
    /// The request's id as JSON text.
    let id: [UInt8]
    /// What the line counts for until it is answered.
    let charge: Int
    var read: PastRead
    /// What fetching threw.
    var failure: (any Error)?
    /// The reply, once there is one.
    var reply: [UInt8] = []
    /// Whether the reply is in the connection's hands; for the event loop.
    var hasArrived = false

    init(connection: Connection, id: [UInt8], charge: Int, read: PastRead) {
        self.connection = connection
        self.id = id
        self.charge = charge
        self.read = read
    }
}

/// The thread that reads log and history for questions, so that those who write need not wait for its disk.
///
/// It fetches what is before the batch in which a question was asked; all of that is durable and in its place. With what
/// it found the question goes to the evaluating thread again, in the next batch.
final class PastReader: @unchecked Sendable {
    // Sendable: all that changes is in the monitor.
    private struct State {
        var queue: [PastJob] = []
        var log: (any LogSource)?
        var isRunning = false
        var isClosed = false
    }
    private let state = Monitor(State())
    private let done: @Sendable (PastJob) -> Void
    /// Called before each fetch; for tests.
    private let beforeFetch: (@Sendable () -> Void)?

    /// - Parameter done: called on the reader's thread with every job that was fetched for, or failed.
    init(beforeFetch: (@Sendable () -> Void)?, done: @escaping @Sendable (PastJob) -> Void) {
        self.beforeFetch = beforeFetch
        self.done = done
    }

    /// Queues a job; the thread is started with the first one.
    func submit(_ job: PastJob, log: any LogSource) {
        let starts = state.change { state in
            state.queue.append(job)
            state.log = log
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { DedicatedThread.detach(name: "past-reader") { [self] in run() } }
    }

    /// Ends the thread when nothing is queued any more.
    func close() { state.change { $0.isClosed = true } }

    private func run() {
        while true {
            let next: ([PastJob], any LogSource)?? = state.wait { state in
                guard let log = state.log, !state.queue.isEmpty else { return state.isClosed ? .some(nil) : nil }
                defer { state.queue.removeAll() }
                return .some((state.queue, log))
            }
            guard let (jobs, log) = next ?? nil else { return }
            for job in jobs {
                beforeFetch?()
                if !job.connection.hasGone {
                    do { try job.read.fetch(from: log) } catch { job.failure = error }
                }
                done(job)
            }
        }
    }
}
