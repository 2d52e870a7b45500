import CPoll
import Glibc
import GuerdonClient

/// Tells which of many sockets can be read or written.
///
/// What a wait costs depends on how many are ready, not on how many are watched: with a thousand connections, asking after
/// each of them took more time than a server needs for what they send.
final class ReadySockets {
    private let poll: CInt
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: 256)
    private var waitsForOutput: [Bool] = []
    private let descriptors: [CInt]

    /// A socket that is ready, by its place among those that are watched.
    struct Ready {
        let index: Int
        /// Whether there is something to read, or the socket's end to be told.
        let hasInput: Bool
    }

    /// Watches sockets for input; they must stay open as long as this is used.
    ///
    /// - Throws: ``ClientError`` when the process may open no file more.
    init(_ descriptors: [CInt]) throws(ClientError) {
        self.descriptors = descriptors
        waitsForOutput = Array(repeating: false, count: descriptors.count)
        poll = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard poll >= 0 else {
            throw ClientError(
                .inputOutput, "\(descriptors.count) connections cannot be waited for: \(lastErrorText())")
        }
        for index in descriptors.indices { control(EPOLL_CTL_ADD, index) }
    }

    deinit {
        close(poll)
        events.deallocate()
    }

    /// Chooses whether a socket is also told when it can be written.
    func setWaitsForOutput(_ waits: Bool, at index: Int) {
        guard waitsForOutput[index] != waits else { return }
        waitsForOutput[index] = waits
        control(EPOLL_CTL_MOD, index)
    }

    /// Waits until a socket is ready or a time has passed, and tells the ready ones: at most 256, the others the next time.
    ///
    /// - Parameter nanoseconds: 0 or less does not wait.
    func wait(nanoseconds: Int64, _ body: (Ready) throws(ClientError) -> Void) throws(ClientError) {
        let milliseconds = nanoseconds / 1_000_000
        if milliseconds == 0 {
            // Older kernels have no such wait in nanoseconds; but the set itself is a descriptor that can be waited for.
            var list = pollfd(fd: poll, events: Int16(POLLIN), revents: 0)
            guard cpoll_wait(&list, 1, nanoseconds) > 0 else { return }
        }
        let count = epoll_wait(poll, events.baseAddress, CInt(events.count), CInt(clamping: max(0, milliseconds)))
        for event in events.prefix(max(0, Int(count))) {
            try body(Ready(index: Int(event.data.u64), hasInput: event.events & ~EPOLLOUT.rawValue != 0))
        }
    }

    private func control(_ operation: CInt, _ index: Int) {
        var event = epoll_event()
        event.events = EPOLLIN.rawValue | (waitsForOutput[index] ? EPOLLOUT.rawValue : 0)
        event.data.u64 = UInt64(index)
        let result = epoll_ctl(poll, operation, descriptors[index], &event)
        precondition(result == 0, "a connection cannot be watched (error \(errno))")
    }
}
