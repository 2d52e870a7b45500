import Glibc
import GuerdonClient
import GuerdonEngine
import GuerdonModel
import GuerdonServer
import TestSupport
import Testing

/// The page about the wire protocol shows what the server says.
struct ExampleTests {
    /// The page's session: its clock stands still.
    private struct PageClock: EngineClock {
        /// 2026-11-10T12:00:00Z.
        func now() -> Int64 { 1_794_312_000_000_000_000 }
    }

    /// A request or several that are sent at once, and the lines that must come back.
    struct Exchange {
        var requests: [String]
        var replies: [String] = []
    }

    /// The exchanges in the page's blocks of JSON, in order.
    static func exchanges(on page: String) -> [Exchange] {
        var lines: [String] = []
        var isInside = false
        for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isInside = line == "```json"
            } else if isInside, line.hasPrefix(" "), let last = lines.indices.last {
                // Broken for the page only.
                lines[last] += line.drop { $0 == " " }
            } else if isInside {
                lines.append(String(line))
            }
        }
        var exchanges: [Exchange] = []
        for line in lines {
            if line.contains("\"ok\":") || line.hasPrefix("{\"event\"") || line.hasPrefix("{\"ack\"") {
                exchanges[exchanges.count - 1].replies.append(line)
            } else if exchanges.last?.replies.isEmpty ?? false {
                exchanges[exchanges.count - 1].requests.append(line)
            } else {
                exchanges.append(Exchange(requests: [line]))
            }
        }
        return exchanges
    }

    /// The operations that the page shows.
    static func operations(in exchanges: [Exchange]) -> Set<String> {
        Set(
            exchanges.flatMap(\.requests).compactMap { request in
                request.firstMatch(of: /"op":"([a-z.]+)"/).map { String($0.1) }
            })
    }

    private static func page() throws -> String {
        let here = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        let path = here.joined(separator: "/") + "/Sources/GuerdonWire/Documentation.docc/WireProtocol.md"
        let file = try #require(fopen(path, "r"), "cannot read \(path)")
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func everyOperationHasAnExample() throws {
        let shown = Self.operations(in: Self.exchanges(on: try Self.page()))
        let all: Set = [
            "workspace.put", "currency.put", "account.put", "member.put", "plan.put", "plan.end", "board.put", "action",
            "reverse", "adjust", "redeem", "member.get", "wallet", "statement", "upline", "downline", "board.top",
            "board.rank", "explain", "stats", "hello", "ping", "subscribe", "unsubscribe", "snapshot",
        ]
        #expect(all.subtracting(shown).isEmpty)
    }

    @Test(arguments: [1, 4]) func theServerAnswersAsThePageSays(shards: Int) throws {
        let exchanges = Self.exchanges(on: try Self.page())
        try Self.serve(shards: shards) { port in
            let client = try LineClient(port: port)
            for exchange in exchanges {
                try client.send(exchange.requests)
                for reply in exchange.replies {
                    let line = try client.line()
                    // How many bytes a command takes in the log is no part of the protocol.
                    let difference = ReplyComparison.difference(
                        expected: try JSONParser.parse(reply), actual: line, free: ["logBytes"])
                    #expect(difference == nil, "\(exchange.requests): \(difference ?? "")")
                }
            }
            #expect(client.isSilent())
        }
    }

    /// Runs a server on an empty ledger.
    private static func serve(shards: Int, _ body: (Int) throws -> Void) throws {
        try TemporaryDirectory.with(in: "/var/tmp") { place in
            var options = EngineOptions()
            options.createIfMissing = true
            options.shards = shards
            options.clock = PageClock()
            let engine = try Engine(directory: place + "/data", options: options)
            let server = Server(clock: PageClock()) { error in fatalError("the engine failed: \(error)") }
            server.snapshot = { try engine.takeSnapshot() }
            server.logBytes = { engine.logBytes }
            let port = try server.start(host: "127.0.0.1", port: 0)
            engine.start(source: server.source)
            let result = Result { try body(port) }
            try server.drain()
            try engine.stop()
            try server.stop(patience: 100)
            try result.get()
        }
    }
}

/// A blocking client that reads line by line.
private final class LineClient {
    private let socket: TCPSocket
    private var incoming = LineBuffer()

    init(port: Int) throws {
        socket = try TCPSocket(host: "127.0.0.1", port: port, blocking: true)
        // A reply that does not come fails the test instead of holding it up.
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(socket.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Sends lines in one piece, so that they are answered together.
    func send(_ lines: [String]) throws {
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        let outcome = bytes.withUnsafeBytes { socket.write($0) }
        try #require(outcome == .moved(bytes.count))
    }

    /// The next line.
    func line() throws -> String {
        while true {
            if let line = incoming.nextLine({ String(decoding: $0, as: UTF8.self) }) { return line }
            guard case .moved = incoming.fill({ socket.read(into: $0) }) else {
                throw ClientError(.disconnected, "no line came")
            }
        }
    }

    /// Whether nothing has come that was not read.
    func isSilent() -> Bool {
        var poller = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
        return incoming.nextLine({ _ in }) == nil && poll(&poller, 1, 50) == 0
    }
}
