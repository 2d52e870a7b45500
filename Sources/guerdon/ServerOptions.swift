import ArgumentParser
import GuerdonClient

/// Which server a command talks to.
struct ServerOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The server's address (default: GUERDON_HOST, else 127.0.0.1).", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("The server's port (default: GUERDON_PORT, else 7450).", valueName: "n"))
    var port: Int?

    @Option(help: ArgumentHelp("The workspace (default: GUERDON_WORKSPACE, else main).", valueName: "name"))
    var workspace: String?

    /// The server that flags and environment name.
    ///
    /// - Throws: `ValidationError` for a port that is none.
    func endpoint() throws -> Endpoint {
        var endpoint = Endpoint()
        endpoint.host = host ?? environmentVariable("GUERDON_HOST") ?? endpoint.host
        if let port {
            endpoint.port = port
        } else if let text = environmentVariable("GUERDON_PORT"), !text.isEmpty {
            guard let port = Int(text) else { throw ValidationError("GUERDON_PORT must be a number, not \(text)") }
            endpoint.port = port
        }
        guard (1...65_535).contains(endpoint.port) else { throw ValidationError("the port must be 1 to 65535") }
        endpoint.workspace = workspace ?? environmentVariable("GUERDON_WORKSPACE")
        return endpoint
    }

    /// Connects; a server that is not there is told with what to do about it.
    func connect() throws -> Connection {
        let endpoint = try endpoint()
        do { return try Connection(to: endpoint) } catch { throw error.withAdvice }
    }
}

extension ClientError {
    /// The same error; where nobody listens, with what to do about it.
    var withAdvice: ClientError {
        guard code == .unreachable else { return self }
        if message.hasPrefix("cannot resolve") { return ClientError(code, "\(message). Check --host or GUERDON_HOST") }
        return ClientError(code, "\(message). Is the server running? Start it with: guerdon serve")
    }
}

/// Whether a command prints for people or for programs.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON for programs.")
    var json = false
}
