/// Where a server listens, and for which workspace the requests are meant.
public struct Endpoint: Sendable, CustomStringConvertible {
    /// A name or an address.
    public var host: String
    /// The port, 1 to 65535.
    public var port: Int
    /// The workspace of requests that name none; nil means the server's `main`.
    public var workspace: String?

    /// Where Guerdon listens when nothing else is said.
    public static let defaultPort = 7450

    /// Names a server.
    public init(host: String = "127.0.0.1", port: Int = Endpoint.defaultPort, workspace: String? = nil) {
        self.host = host
        self.port = port
        self.workspace = workspace
    }

    public var description: String { "\(host):\(port)" }

    /// The line that introduces a connection; nil when there is nothing to introduce.
    var helloLine: String? {
        workspace.map { #"{"op":"hello","workspace":\#(JSONValue.quoted($0))}"# }
    }
}
