import Glibc

/// A connected TCP socket that closes itself; every call says in its name whether it waits.
public struct TCPSocket: ~Copyable {
    /// The file descriptor, for `poll`.
    public let descriptor: CInt

    /// What a read or a write on a socket that must not wait came to.
    public enum Outcome: Equatable {
        /// So many bytes were moved.
        case moved(Int)
        /// Nothing can be moved right now.
        case wouldBlock
        /// The other side is gone; the reason is for people.
        case ended(String)
    }

    /// Connects, and waits until it is connected.
    ///
    /// - Parameters:
    ///   - host: a name or an address.
    ///   - port: 1 to 65535.
    ///   - blocking: whether later reads and writes wait.
    /// - Throws: ``ClientError`` with code `unreachable`.
    public init(host: String, port: Int, blocking: Bool) throws(ClientError) {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        guard status == 0, let found else {
            throw ClientError(.unreachable, "cannot resolve \(host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(found) }
        var next: UnsafeMutablePointer<addrinfo>? = found
        var reason = "no address"
        while let address = next {
            switch Self.connected(to: address.pointee) {
            case .success(let descriptor):
                Self.configure(descriptor, blocking: blocking)
                self.descriptor = descriptor
                return
            case .failure(let failure): reason = failure.reason
            }
            next = address.pointee.ai_next
        }
        throw ClientError(.unreachable, "cannot connect to \(host):\(port): \(reason)")
    }

    deinit { close(descriptor) }

    private struct ConnectFailure: Error { let reason: String }

    private static func connected(to address: addrinfo) -> Result<CInt, ConnectFailure> {
        let descriptor = socket(address.ai_family, address.ai_socktype | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .failure(ConnectFailure(reason: lastErrorText())) }
        guard connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
            let failure = ConnectFailure(reason: lastErrorText())
            close(descriptor)
            return .failure(failure)
        }
        return .success(descriptor)
    }

    private static func configure(_ descriptor: CInt, blocking: Bool) {
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
        if !blocking { _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) }
    }

    /// Writes what the kernel takes.
    public borrowing func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        while true {
            let count = send(descriptor, bytes.baseAddress, bytes.count, CInt(MSG_NOSIGNAL))
            if count >= 0 { return .moved(count) }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .ended(lastErrorText())
        }
    }

    /// Reads what is there; the end of the stream is `ended`.
    public borrowing func read(into bytes: UnsafeMutableRawBufferPointer) -> Outcome {
        while true {
            let count = recv(descriptor, bytes.baseAddress, bytes.count, 0)
            if count > 0 { return .moved(count) }
            if count == 0 { return .ended("the server closed the connection") }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .wouldBlock : .ended(lastErrorText())
        }
    }
}

/// The text of the current `errno`.
package func lastErrorText() -> String { String(cString: strerror(errno)) }

/// Nanoseconds of the monotonic clock.
public func monotonicNanoseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
}
