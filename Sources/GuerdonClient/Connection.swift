/// A connection for one request at a time: it writes a line and waits for its reply.
///
/// ```swift
/// let connection = try Connection(to: Endpoint(host: "127.0.0.1", port: 7450))
/// let wallet = try connection.request(#"{"op":"wallet","member":"m2"}"#)
/// ```
public final class Connection {
    private let socket: TCPSocket
    private let endpoint: Endpoint
    private var incoming = LineBuffer()

    /// Connects; with a workspace, later requests are meant for it.
    ///
    /// - Throws: ``ClientError`` `unreachable`, or `refused` when there is no such workspace.
    public init(to endpoint: Endpoint) throws(ClientError) {
        self.endpoint = endpoint
        socket = try TCPSocket(host: endpoint.host, port: endpoint.port, blocking: true)
        if let hello = endpoint.helloLine { _ = try request(hello) }
    }

    /// Sends one request and returns its reply.
    ///
    /// - Parameter line: one line of JSON, without a newline.
    /// - Throws: ``ClientError`` `refused` with the wire's code, `disconnected` or `malformedReply`.
    public func request(_ line: String) throws(ClientError) -> JSONValue {
        try write(line)
        return try reply()
    }

    /// Sends requests all at once and returns their replies in order; a refusal is returned as its reply.
    ///
    /// Keep it to a few thousand: the replies wait in the kernel's buffers until all requests are written.
    public func requests(_ lines: [String]) throws(ClientError) -> [JSONValue] {
        try write(lines.joined(separator: "\n"))
        var replies: [JSONValue] = []
        for _ in lines { replies.append(try nextValue()) }
        return replies
    }

    private func write(_ text: String) throws(ClientError) {
        let bytes = Array((text + "\n").utf8)
        var offset = 0
        while offset < bytes.count {
            switch bytes.withUnsafeBytes({ socket.write(UnsafeRawBufferPointer(rebasing: $0[offset...])) }) {
            case .moved(let count): offset += count
            case .wouldBlock: continue
            case .ended(let reason): throw lost(reason)
            }
        }
    }

    private func reply() throws(ClientError) -> JSONValue {
        let value = try nextValue()
        if let refusal = RefusalText(value["error"]) {
            let field = refusal.field.map { " (field \($0))" } ?? ""
            throw ClientError(.refused, "\(refusal.code): \(refusal.message)\(field)")
        }
        return value
    }

    private func nextValue() throws(ClientError) -> JSONValue {
        while true {
            if let bytes = incoming.nextLine({ Array($0) }) {
                let value = try JSONValue.parse(bytes: bytes)
                if value["event"] == nil { return value }
                continue
            }
            if case .ended(let reason) = incoming.fill({ socket.read(into: $0) }) { throw lost(reason) }
        }
    }

    private func lost(_ reason: String) -> ClientError {
        ClientError(.disconnected, "the connection to \(endpoint) ended: \(reason)")
    }
}
