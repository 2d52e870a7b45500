import CPoll
import Glibc
import GuerdonEngine

/// Whose descriptor the event loop watches.
protocol Watched: AnyObject {
    /// Called on the event loop when there is something to do with the descriptor.
    func ready(_ events: EventLoop.Interest)
}

/// One thread that waits for sockets, and between two waits does what it was asked to.
///
/// A turn looks after the sockets that have something first, then after timers, then after tasks, in the order in which they were
/// asked for by whatever thread: replies of two batches never overtake each other.
final class EventLoop: @unchecked Sendable {
    // Sendable: `shared` is in a monitor; everything else is used on the loop's thread only, but for constants.
    private struct Shared {
        var tasks: [@Sendable () -> Void] = []
        /// Whether the loop waits, or is about to, for as long as no socket has something.
        var isAsleep = false
        var isClosing = false
    }
    private let shared = Monitor(Shared())
    private var ready: [@Sendable () -> Void] = []
    private var timers: [Timer] = []
    private var watched: [Registration] = []
    private let poll: CInt
    private let bell: CInt
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)
    private var thread: DedicatedThread?

    /// Where all connections read into; what they do not use up at once they copy.
    let receiveBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 64)

    /// What to be told about a descriptor. Errors are told always.
    struct Interest: OptionSet {
        let rawValue: UInt32
        static let input = Interest(rawValue: EPOLLIN.rawValue)
        static let output = Interest(rawValue: EPOLLOUT.rawValue)
        /// Nothing can be sent or received any more.
        static let failure = Interest(rawValue: EPOLLHUP.rawValue | EPOLLERR.rawValue)
    }

    private struct Registration {
        var user: (any Watched)?
        /// Tells events of a closed descriptor from those of the next one with its number.
        var generation: UInt32 = 0
    }

    /// Something to do later; for the loop's thread.
    final class Timer {
        fileprivate let due: ContinuousClock.Instant
        fileprivate var action: (() -> Void)?

        fileprivate init(due: ContinuousClock.Instant, action: @escaping () -> Void) {
            self.due = due
            self.action = action
        }

        func cancel() { action = nil }
    }

    /// Tasks may ask for tasks; after so many rounds of them sockets are looked at again.
    private static let rounds = 8
    private static let bellTag = UInt64.max

    init() {
        poll = epoll_create1(CInt(EPOLL_CLOEXEC))
        bell = eventfd(0, CInt(EFD_NONBLOCK) | CInt(EFD_CLOEXEC))
        precondition(poll >= 0 && bell >= 0, "no descriptors left for the event loop (error \(errno))")
        // Told once for each time it rings, so that nobody needs to read it.
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | EPOLLET.rawValue
        event.data.u64 = EventLoop.bellTag
        epoll_ctl(poll, EPOLL_CTL_ADD, bell, &event)
        thread = DedicatedThread(name: "event-loop") { [self] in run() }
    }

    deinit {
        Glibc.close(bell)
        Glibc.close(poll)
        events.deallocate()
        receiveBuffer.deallocate()
    }

    /// Ends the thread, which keeps the loop alive, when all tasks are done; to be called on another thread.
    func close() {
        guard thread != nil else { return }
        execute { self.shared.changeQuietly { $0.isClosing = true } }
        thread?.join()
        thread = nil
    }

    // MARK: From any thread

    /// Has a task done on the loop's thread, after all that were asked for before.
    func execute(_ task: @escaping @Sendable () -> Void) {
        let mustRing = shared.changeQuietly { shared in
            shared.tasks.append(task)
            defer { shared.isAsleep = false }
            return shared.isAsleep
        }
        if mustRing { eventfd_write(bell, 1) }
    }

    /// Does something on the loop's thread and waits for it; not to be called there.
    func submit<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) throws -> Value {
        let done = Monitor<Result<Value, any Error>?>(nil)
        execute {
            let result = Result { try body() }
            done.change { $0 = result }
        }
        guard let result = done.wait({ $0 }) else { preconditionFailure("waited without a deadline") }
        return try result.get()
    }

    // MARK: On the loop's thread

    /// Has something done at a time, or soon after.
    @discardableResult
    func schedule(at due: ContinuousClock.Instant, _ action: @escaping () -> Void) -> Timer {
        let timer = Timer(due: due, action: action)
        timers.append(timer)
        return timer
    }

    /// Has something done after a time.
    @discardableResult
    func schedule(in time: Duration, _ action: @escaping () -> Void) -> Timer { schedule(at: .now + time, action) }

    /// Watches a descriptor until it is removed.
    ///
    /// - Returns: whether the system lets us.
    func add(_ descriptor: CInt, _ interest: Interest, _ user: any Watched) -> Bool {
        let index = Int(descriptor)
        if index >= watched.count {
            watched.append(contentsOf: repeatElement(Registration(), count: index + 1 - watched.count))
        }
        watched[index].user = user
        watched[index].generation &+= 1
        let isWatched = control(EPOLL_CTL_ADD, descriptor, interest)
        if !isWatched { watched[index].user = nil }
        return isWatched
    }

    func change(_ descriptor: CInt, _ interest: Interest) {
        let isChanged = control(EPOLL_CTL_MOD, descriptor, interest)
        precondition(isChanged, "a descriptor is not watched (error \(errno))")
    }

    /// Watches a descriptor no more; to be called before it is closed.
    func remove(_ descriptor: CInt) {
        watched[Int(descriptor)].user = nil
        _ = control(EPOLL_CTL_DEL, descriptor, [])
    }

    private func control(_ operation: CInt, _ descriptor: CInt, _ interest: Interest) -> Bool {
        var event = epoll_event()
        event.events = interest.rawValue
        event.data.u64 = UInt64(watched[Int(descriptor)].generation) << 32 | UInt64(descriptor)
        return epoll_ctl(poll, operation, descriptor, &event) == 0
    }

    private func run() {
        repeat {
            let count = epoll_wait(poll, events.baseAddress, CInt(events.count), prepareToWait())
            for index in 0..<max(0, Int(count)) { tell(events[index]) }
            runTimers()
        } while runTasks()
        // Who is still watched may hold the loop.
        watched = []
        timers = []
    }

    private func tell(_ event: epoll_event) {
        guard event.data.u64 != EventLoop.bellTag else { return }
        let registration = watched[Int(event.data.u64 & 0xffff_ffff)]
        guard registration.generation == UInt32(event.data.u64 >> 32) else { return }
        registration.user?.ready(Interest(rawValue: event.events))
    }

    /// How many milliseconds to wait: until the next timer is due, or for ever.
    private func prepareToWait() -> CInt {
        var timeout: CInt = -1
        if let next = timers.lazy.map(\.due).min() {
            // Rounded up: nothing is done too early.
            timeout = CInt(clamping: max(0, (next - .now).milliseconds + 1))
        }
        return shared.changeQuietly { shared in
            shared.isAsleep = shared.tasks.isEmpty
            return shared.isAsleep ? timeout : 0
        }
    }

    private func runTimers() {
        guard !timers.isEmpty else { return }
        let now = ContinuousClock.now
        let due = timers.filter { $0.due <= now }
        guard !due.isEmpty else { return }
        timers.removeAll { $0.due <= now }
        for timer in due { timer.action?() }
    }

    /// - Returns: whether the loop goes on.
    private func runTasks() -> Bool {
        for _ in 0..<EventLoop.rounds {
            let isClosing = shared.changeQuietly { shared in
                shared.isAsleep = false
                swap(&shared.tasks, &ready)
                return shared.isClosing
            }
            if ready.isEmpty { return !isClosing }
            for task in ready { task() }
            ready.removeAll(keepingCapacity: true)
        }
        return true
    }
}

extension Duration {
    /// Whole milliseconds, towards 0.
    var milliseconds: Int64 { components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000 }
}
