public import Glibc
public import GuerdonClient

/// A `guerdon serve` that this process has started on a directory, and stops again.
public final class ServerProcess {
    /// Its process id.
    public let process: pid_t
    /// Where it listens.
    public let endpoint: Endpoint
    private let logPath: String
    private var isRunning = true

    /// Starts a server on a free port and waits until it answers.
    ///
    /// - Parameters:
    ///   - executable: the path of `guerdon`.
    ///   - directory: the data directory, created when it does not exist.
    ///   - arguments: further arguments of `serve`.
    ///   - logPath: where its standard error goes.
    ///   - port: 0 for a free one.
    /// - Throws: ``ClientError`` with what the server said when it does not start within a minute.
    public init(
        executable: String, directory: String, arguments: [String] = [], logPath: String, port: Int = 0
    ) throws(ClientError) {
        self.logPath = logPath
        let all = [executable, "serve", "--data", directory, "--init", "--port", String(port)] + arguments
        process = try spawn(executable, all, standardErrorPath: logPath)
        let giveUpAt = monotonicNanoseconds() + 60_000_000_000
        while true {
            if let endpoint = Self.readyEndpoint(in: readText(logPath) ?? "") {
                self.endpoint = endpoint
                return
            }
            var status: CInt = 0
            let ended = waitpid(process, &status, WNOHANG) == process
            if ended || monotonicNanoseconds() > giveUpAt {
                if !ended { kill(process, SIGKILL) }
                isRunning = false
                endpoint = Endpoint()
                throw ClientError(.unreachable, "the server did not start: \(readText(logPath) ?? "")")
            }
            usleep(2_000)
        }
    }

    deinit {
        if isRunning { stop(signal: SIGKILL) }
    }

    /// The address in the line that says that the server answers.
    static func readyEndpoint(in log: String) -> Endpoint? {
        for line in log.split(separator: "\n") where line.hasPrefix("guerdon: ready on ") {
            let address = line.dropFirst("guerdon: ready on ".count)
            guard let colon = address.lastIndex(of: ":"), let port = Int(address[address.index(after: colon)...])
            else { continue }
            return Endpoint(host: String(address[..<colon]), port: port)
        }
        return nil
    }

    /// Sends a signal and waits for the end; returns the exit status, or 128 and the signal.
    @discardableResult
    public func stop(signal: CInt = SIGTERM) -> CInt {
        guard isRunning else { return 0 }
        isRunning = false
        kill(process, signal)
        return exitStatus(of: process)
    }
}

/// Starts a program; standard output and standard error may go to files.
func spawn(
    _ executable: String, _ arguments: [String], standardOutputPath: String? = nil, standardErrorPath: String? = nil
) throws(ClientError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, path) in [(CInt(1), standardOutputPath), (CInt(2), standardErrorPath)] {
        guard let path else { continue }
        posix_spawn_file_actions_addopen(&actions, descriptor, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    }
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) }
    argv.append(nil)
    defer { for argument in argv { free(argument) } }
    var process = pid_t()
    let status = posix_spawn(&process, executable, &actions, nil, argv, environ)
    guard status == 0 else {
        throw ClientError(.inputOutput, "cannot start \(executable): \(String(cString: strerror(status)))")
    }
    return process
}

/// Waits for a process; returns its exit status, or 128 and the signal that ended it.
func exitStatus(of process: pid_t) -> CInt {
    var status: CInt = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    let signal = status & 0x7F
    return signal == 0 ? (status >> 8) & 0xFF : 128 + signal
}
