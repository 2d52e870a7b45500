import CPoll
import Glibc

/// Why a server cannot listen.
public struct ListenError: Error, CustomStringConvertible {
    /// The system's number for it; 0 when the host has no address.
    public let number: CInt
    public let description: String

    init(number: CInt) {
        self.number = number
        description = String(cString: strerror(number))
    }

    init(unresolved host: String, _ status: CInt) {
        number = 0
        description = "\(host) has no address: \(String(cString: gai_strerror(status)))"
    }
}

/// A port that connections come in at, on the event loop.
final class Listener: Watched {
    private let loop: EventLoop
    private let descriptor: CInt
    private let accepted: (CInt) -> Void
    private var isOpen = true

    /// The port that was bound.
    let port: Int

    /// What connections that were accepted have, too: the kernel hands it down.
    private struct Options {
        var isSettled = true

        mutating func set(_ descriptor: CInt, _ level: CInt, _ name: CInt, _ value: CInt) {
            var value = value
            let status = setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
            isSettled = isSettled && status == 0
        }
    }

    /// Connections that are accepted in one turn of the loop.
    private static let batch = 64
    private static let backlog: CInt = 1024

    /// Binds and listens; connections are accepted once ``start()`` was called.
    ///
    /// - Parameters:
    ///   - host: a name or an address; of several addresses the first.
    ///   - replyTime: how long bytes that the kernel has taken may wait for the other side; 0 is the system's own time.
    ///   - accepted: called on the loop with each new connection's descriptor.
    /// - Throws: ``ListenError``.
    init(
        host: String, port: Int, replyTime: Duration, on loop: EventLoop, accepted: @escaping (CInt) -> Void
    ) throws(ListenError) {
        self.loop = loop
        self.accepted = accepted
        descriptor = try Listener.bound(host, port, replyTime)
        self.port = Listener.port(of: descriptor) ?? port
    }

    deinit { if isOpen { Glibc.close(descriptor) } }

    private static func bound(_ host: String, _ port: Int, _ replyTime: Duration) throws(ListenError) -> CInt {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        guard status == 0, let found else { throw ListenError(unresolved: host, status) }
        defer { freeaddrinfo(found) }
        let flags = CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(found.pointee.ai_family, found.pointee.ai_socktype | flags, 0)
        guard descriptor >= 0 else { throw ListenError(number: errno) }
        var options = Options()
        options.set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1)
        options.set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        let tcp = CInt(IPPROTO_TCP)
        options.set(descriptor, tcp, TCP_NODELAY, 1)
        options.set(descriptor, tcp, TCP_KEEPIDLE, 60)
        options.set(descriptor, tcp, TCP_KEEPINTVL, 15)
        options.set(descriptor, tcp, TCP_KEEPCNT, 4)
        options.set(descriptor, tcp, TCP_USER_TIMEOUT, CInt(clamping: replyTime.milliseconds))
        guard options.isSettled, bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0,
            listen(descriptor, backlog) == 0
        else {
            let error = ListenError(number: errno)
            Glibc.close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func port(of descriptor: CInt) -> Int? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            guard let base = bytes.baseAddress,
                getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &size) == 0
            else { return nil }
            // In both families the port is at the same place.
            return Int(UInt16(bigEndian: base.load(fromByteOffset: 2, as: UInt16.self)))
        }
    }

    /// Begins to accept; on the loop.
    func start() throws { if !loop.add(descriptor, .input, self) { throw ListenError(number: errno) } }

    /// Refuses connections from now on; on the loop.
    func close() {
        guard isOpen else { return }
        isOpen = false
        loop.remove(descriptor)
        Glibc.close(descriptor)
    }

    func ready(_ events: EventLoop.Interest) {
        for _ in 0..<Listener.batch {
            let connection = cpoll_accept(descriptor)
            if connection >= 0 {
                accepted(connection)
            } else if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
                return rest()
            } else if errno == EAGAIN {
                return
            }
            // Whoever has gone away meanwhile is no reason to stop.
        }
    }

    /// Accepts nothing for a moment: the system is out of something, and to ask at once again would only keep it busy.
    private func rest() {
        loop.change(descriptor, [])
        loop.schedule(in: .milliseconds(100)) { if self.isOpen { self.loop.change(self.descriptor, .input) } }
    }
}
