import Glibc
import Testing

/// A blocking TCP client that can be as rude as a test wants.
final class Client {
    private var descriptor: CInt
    private var received: [UInt8] = []
    private var consumed = 0

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter receiveBuffer: bytes of the kernel's receive buffer, to be a slow reader soon.
    init(port: Int, receiveBuffer: CInt? = nil) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        if let receiveBuffer { set(SO_RCVBUF, receiveBuffer) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw Failure(description: "connect: \(String(cString: strerror(errno)))") }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    private func set(_ option: CInt, _ value: CInt) {
        var value = value
        setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    // MARK: Out

    /// Sends text, waiting as long as it takes; line ends are the caller's.
    func send(_ text: String) throws { try send(Array(text.utf8)[...]) }

    func send(_ bytes: ArraySlice<UInt8>) throws {
        var rest = bytes
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }

    /// Waits until the server, which is in this process, has accepted the connection and read everything that was sent.
    func waitUntilRead() throws {
        let port = try #require(Client.port(descriptor, getsockname))
        try waitFor {
            (0..<4096).contains { (other: CInt) in
                var unread: CInt = 0
                return Client.port(other, getpeername) == port && ioctl(other, UInt(FIONREAD), &unread) == 0
                    && unread == 0
            }
        }
    }

    private static func port(
        _ descriptor: CInt, _ name: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) -> UInt16? {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &size) }
        }
        return status == 0 && address.sin_family == sa_family_t(AF_INET) ? address.sin_port : nil
    }

    /// Sends what the kernel takes until nothing has moved for `patience` milliseconds.
    ///
    /// - Returns: the bytes that were taken.
    func sendUntilBlocked(_ bytes: [UInt8], patience: CInt = 500) -> Int {
        var sent = 0
        while sent < bytes.count {
            var poller = pollfd(descriptor: descriptor, events: POLLOUT)
            guard poll(&poller, 1, patience) > 0 else { break }
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL) | CInt(MSG_DONTWAIT))
            }
            if count <= 0 { break }
            sent += count
        }
        return sent
    }

    /// Tells the server that nothing more comes.
    func finishSending() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Closes with a RST.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        disconnect()
    }

    func disconnect() {
        close(descriptor)
        descriptor = -1
    }

    // MARK: In

    /// The next line without its end; `nil` when the server has closed.
    func line(within milliseconds: CInt = 20_000) throws -> String? {
        while true {
            if let feed = received[consumed...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { consumed = feed + 1 }
                return String(decoding: received[consumed..<feed], as: UTF8.self)
            }
            received.removeFirst(consumed)
            consumed = 0
            guard try receive(within: milliseconds) else { return nil }
        }
    }

    private func receive(within milliseconds: CInt) throws -> Bool {
        var poller = pollfd(descriptor: descriptor, events: POLLIN)
        guard poll(&poller, 1, milliseconds) > 0 else {
            throw Failure(description: "nothing came within \(milliseconds) ms")
        }
        let start = received.count
        received.append(contentsOf: repeatElement(0, count: 1 << 16))
        let count = received[start...].withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
        received.removeLast(received.count - start - max(0, count))
        if count < 0 { throw Failure(description: "recv: \(String(cString: strerror(errno)))") }
        return count > 0
    }

    /// Whether nothing comes for so long.
    func isSilent(for milliseconds: CInt) -> Bool {
        var poller = pollfd(descriptor: descriptor, events: POLLIN)
        return consumed == received.count && poll(&poller, 1, milliseconds) == 0
    }

    /// So many lines.
    func lines(_ count: Int) throws -> [String] {
        try (0..<count).map { index in
            guard let line = try line() else { throw Failure(description: "closed after \(index) of \(count) lines") }
            return line
        }
    }

    /// All lines up to the end of the connection.
    func rest() throws -> [String] {
        var lines: [String] = []
        while let line = try line() { lines.append(line) }
        return lines
    }

    /// One request and its reply.
    @discardableResult
    func ask(_ request: String) throws -> String {
        try send(request + "\n")
        return try lines(1)[0]
    }
}

extension pollfd {
    fileprivate init(descriptor: CInt, events: CInt) {
        self.init(fd: descriptor, events: Int16(events), revents: 0)
    }
}

/// Pauses the calling thread.
func pause(milliseconds: Double) { usleep(UInt32(milliseconds * 1000)) }
