import GuerdonCore

/// Runs the phases of large steps on one actor a shard, each on a thread of its own; small steps on the caller's thread.
///
/// A phase that sleeping threads must be woken for costs tens of microseconds, so few rows are faster in turn. The
/// result is the same either way.
final class ShardActors: PhaseRunner {
    private let shards: [ShardActor]
    /// Steps with fewer rows a shard than this run in turn.
    private let rowsPerShard: Int

    init(count: Int, rowsPerShard: Int = 256) {
        shards = (0..<count).map { ShardActor(number: $0) }
        self.rowsPerShard = rowsPerShard
    }

    func run(_ count: Int, rows: Int, _ body: @escaping @Sendable (Int) -> Void) {
        guard count > 1, rows >= rowsPerShard * count else {
            for i in 0..<count { body(i) }
            return
        }
        let running = Monitor(count)
        for shard in shards.prefix(count) {
            // A task may hold the body for a moment after it was counted as done. It begins on the shard's thread: the common
            // pool may have none to spare.
            Task(executorPreference: shard.executor) { [running] in
                await shard.perform(body)
                running.change { $0 -= 1 }
            }
        }
        _ = running.wait { $0 == 0 ? true : nil }
    }
}

/// One shard's executor: whatever the actor does happens on this thread.
private actor ShardActor {
    nonisolated let executor: ThreadExecutor
    private let number: Int

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(number: Int) {
        self.number = number
        executor = ThreadExecutor(name: "shard-\(number)")
    }

    func perform(_ body: @Sendable (Int) -> Void) { body(number) }
}

/// An executor that is one thread: of an actor, and of the tasks that call it.
private final class ThreadExecutor: SerialExecutor, TaskExecutor {
    private let jobs = Monitor<(queue: [UnownedJob], isClosed: Bool)>(([], false))

    init(name: String) {
        let jobs = jobs
        let box = WeakExecutor()
        DedicatedThread.detach(name: name) {
            while true {
                let taken: [UnownedJob]? =
                    jobs.wait { state in
                        if state.queue.isEmpty { return state.isClosed ? .some(nil) : nil }
                        defer { state.queue.removeAll(keepingCapacity: true) }
                        return .some(state.queue)
                    } ?? nil
                guard let taken, let executor = box.executor else { return }
                for job in taken {
                    job.runSynchronously(
                        isolatedTo: executor.asUnownedSerialExecutor(),
                        taskExecutor: executor.asUnownedTaskExecutor())
                }
            }
        }
        box.executor = self
    }

    deinit { jobs.change { $0.isClosed = true } }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.change { $0.queue.append(job) }
    }
}

private final class WeakExecutor: @unchecked Sendable {
    // Sendable: set before the first job can be enqueued, read only on the executor's thread after one was.
    weak var executor: ThreadExecutor?
}
