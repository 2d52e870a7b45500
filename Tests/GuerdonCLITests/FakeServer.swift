import Glibc
import GuerdonClient
import Synchronization

/// A server of the line protocol on a thread, with no engine behind it: it remembers external ids and acknowledges.
///
/// It can be told to drop its connection after so many lines, as a killed server would.
final class FakeServer: Sendable {
    /// What the server has seen.
    struct Seen: Sendable {
        var lines: [String] = []
        var externalIDs: Set<String> = []
        var connections = 0
    }

    let port: Int
    private let listener: CInt
    private let seen = Mutex(Seen())
    private let dropAfterLines: Mutex<[Int]>
    private let keepsLines: Bool
    /// Behind so many lines of a connection nothing is answered for so long.
    private let pause: (lines: Int, milliseconds: Int)?
    private let connectionsMost: Int

    var state: Seen { seen.withLock { $0 } }

    /// Listens on a free port of loopback.
    ///
    /// - Parameters:
    ///   - dropAfterLines: the first connection is dropped after the first number of lines, and so on; lines that were
    ///     read but not answered are remembered as done, so that they come back as duplicates.
    ///   - keepsLines: whether to keep what was sent; off for measurements.
    ///   - pause: behind so many lines of a connection the server stands still for so long, once for each connection.
    ///   - connectionsMost: further ones are told that there are too many, and closed.
    init(
        port: Int = 0, dropAfterLines: [Int] = [], keepsLines: Bool = true,
        pause: (lines: Int, milliseconds: Int)? = nil, connectionsMost: Int = .max
    ) {
        self.pause = pause
        self.connectionsMost = connectionsMost
        self.dropAfterLines = Mutex(dropAfterLines)
        self.keepsLines = keepsLines
        let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var one: CInt = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (bound, named) = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                (bind(listener, pointer, length), getsockname(listener, pointer, &length))
            }
        }
        precondition(bound == 0 && named == 0 && listen(listener, 64) == 0, "cannot listen")
        self.listener = listener
        self.port = Int(in_port_t(bigEndian: address.sin_port))
        runThread { [self] in acceptConnections() }
    }

    func stop() { shutdown(listener, CInt(SHUT_RDWR)) }

    private func acceptConnections() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            let number = seen.withLock { seen in
                seen.connections += 1
                return seen.connections
            }
            if number > connectionsMost {
                let refusal = Array(#"{"ok":false,"error":{"code":"overloaded","message":"too many"}}"#.utf8) + [0x0A]
                send(connection, refusal, refusal.count, CInt(MSG_NOSIGNAL))
                close(connection)
                continue
            }
            let limit = dropAfterLines.withLock { $0.isEmpty ? Int.max : $0.removeFirst() }
            runThread { [self] in serve(connection, dropAfter: limit) }
        }
    }

    private func serve(_ connection: CInt, dropAfter limit: Int) {
        var one: CInt = 1
        setsockopt(connection, CInt(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        var incoming = LineBuffer()
        var count = 0
        var isOpen = true
        while isOpen {
            let outcome = incoming.fill { bytes in
                let count = recv(connection, bytes.baseAddress, bytes.count, 0)
                return count > 0 ? .moved(count) : .ended("closed")
            }
            guard case .moved = outcome else { break }
            var out: [UInt8] = []
            while let line = incoming.nextLine({ keepsLines ? String(decoding: $0, as: UTF8.self) : "" }) {
                count += 1
                let reply = keepsLines ? answer(to: line) : #"{"ok":true,"seq":12345678}"#
                if count > limit { continue }
                if let pause, pause.lines == count { usleep(UInt32(pause.milliseconds) * 1_000) }
                out.append(contentsOf: reply.utf8)
                out.append(0x0A)
            }
            isOpen = count <= limit
            var offset = 0
            while offset < out.count {
                let sent = out.withUnsafeBytes {
                    send(connection, $0.baseAddress.map { $0 + offset }, out.count - offset, CInt(MSG_NOSIGNAL))
                }
                guard sent > 0 else { break }
                offset += sent
            }
        }
        close(connection)
    }

    private func answer(to line: String) -> String {
        guard let request = try? JSONValue.parse(line), let operation = request["op"]?.text else {
            return #"{"ok":false,"error":{"code":"bad_json","message":"not JSON"}}"#
        }
        return seen.withLock { seen in
            seen.lines.append(line)
            if operation == "nonsense" {
                return #"{"ok":false,"error":{"code":"unknown_op","message":"no such operation","field":"op"}}"#
            }
            if operation == "explain" {
                guard let id = request["externalId"]?.text, seen.externalIDs.contains(id) else {
                    return #"{"ok":false,"error":{"code":"unknown_action","message":"no such command"}}"#
                }
                return #"{"ok":true,"seq":\#(seen.lines.count),"command":{"externalId":"\#(id)"}}"#
            }
            if let id = request["externalId"]?.text, !seen.externalIDs.insert(id).inserted {
                return #"{"ok":true,"seq":\#(seen.lines.count),"duplicate":true}"#
            }
            return #"{"ok":true,"seq":\#(seen.lines.count)}"#
        }
    }
}

/// Runs a closure on a detached thread.
private func runThread(_ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}
