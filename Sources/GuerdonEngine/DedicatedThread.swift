import CIntrinsics
import Glibc

/// A thread of our own, for work that must not wait in somebody's pool.
package final class DedicatedThread: @unchecked Sendable {
    // Sendable: the handle is written before the thread is visible to anybody else.
    private var handle = pthread_t()

    /// Starts a thread that runs `body`.
    ///
    /// - Parameter givesWay: whether nobody waits for it: then it gets a tenth of a processor that others want.
    package init(name: String, givesWay: Bool = false, _ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Body(name: name, givesWay: givesWay, run: body))
        let failed = pthread_create(
            &handle, nil,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                pthread_setname(body.name)
                if body.givesWay { cintrinsics_lower_priority() }
                body.run()
                return nil
            }, box.toOpaque())
        precondition(failed == 0, "cannot start a thread (error \(failed))")
    }

    /// Starts a thread that nobody waits for.
    package static func detach(name: String, _ body: @escaping @Sendable () -> Void) {
        pthread_detach(DedicatedThread(name: name, body).handle)
    }

    /// Waits until the body has returned.
    package func join() { pthread_join(handle, nil) }

    private final class Body: Sendable {
        let name: String
        let givesWay: Bool
        let run: @Sendable () -> Void
        init(name: String, givesWay: Bool, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.givesWay = givesWay
            self.run = run
        }
    }
}

/// Names the calling thread, as tools show it (15 bytes at most).
private func pthread_setname(_ name: String) {
    let descriptor = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    _ = name.withCString { write(descriptor, $0, min(strlen($0), 15)) }
    close(descriptor)
}

/// A lock with a condition: the one way in which the engine's threads wait for each other.
package final class Monitor<State>: @unchecked Sendable {
    // Sendable: the state is only touched with the lock held.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    /// In memory of its own: the lock sees to it that nobody else is there, and the language need not check that again.
    private let state: UnsafeMutablePointer<State>

    package init(_ initial: State) {
        state = .allocate(capacity: 1)
        state.initialize(to: initial)
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
        state.deinitialize(count: 1)
        state.deallocate()
    }

    /// Changes the state and wakes whoever waits.
    package func change<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        let result = body(&state.pointee)
        pthread_mutex_unlock(mutex)
        // Behind the lock: who is woken under it gets a processor only to wait for the lock.
        pthread_cond_broadcast(condition)
        return result
    }

    /// Wakes whoever waits, to look at the state again.
    package func wake() { change { _ in } }

    /// Changes the state and wakes nobody: for what nobody waits for.
    package func changeQuietly<Result>(_ body: (inout State) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&state.pointee)
    }

    /// Waits until `body` gives a result; it may change the state.
    ///
    /// - Parameter nanoseconds: how long at most; `nil` for ever.
    /// - Returns: `nil` when the time is over.
    package func wait<Result>(nanoseconds: Int64? = nil, _ body: (inout State) -> Result?) -> Result? {
        var deadline = timespec()
        if let nanoseconds {
            clock_gettime(CLOCK_MONOTONIC, &deadline)
            let total = Int64(deadline.tv_nsec) + nanoseconds
            deadline.tv_sec += Int(total / 1_000_000_000)
            deadline.tv_nsec = Int(total % 1_000_000_000)
        }
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&state.pointee) { return result }
            if nanoseconds == nil {
                pthread_cond_wait(condition, mutex)
            } else if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
                return body(&state.pointee)
            }
        }
    }
}

/// Where batches get their time from.
public protocol EngineClock: Sendable {
    /// Nanoseconds since 1970.
    func now() -> Int64
}

/// The machine's clock.
public struct SystemClock: EngineClock {
    public init() {}
    public func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
