import Glibc
import GuerdonClient

/// The server that a measurement starts for itself, with its data directory.
final class Subject {
    private let options: BenchOptions
    /// Holds the data directory and what the processes print.
    private let place: String
    private let removesPlace: Bool
    private var server: ServerProcess?
    /// What a bare append cost before the server ran.
    private var bareSyncBefore: Int64?

    private var directory: String { place + "/data" }

    /// Chooses the place: the one that was asked for, or a new directory on a disk (`/tmp` may be memory).
    init(_ options: BenchOptions) throws(ClientError) {
        self.options = options
        removesPlace = options.directory == nil
        if let directory = options.directory {
            place = directory
            guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
                throw ClientError(.inputOutput, "cannot create \(directory): \(String(cString: strerror(errno)))")
            }
            var status = stat()
            guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                throw ClientError(.inputOutput, "\(directory) is not a directory; name one, or a new one, with --data")
            }
            guard directoryNames(directory + "/data").isEmpty else {
                throw ClientError(
                    .inputOutput, "\(directory)/data is not empty; name a new directory: a measurement needs its own")
            }
        } else {
            let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/var/tmp"
            var template = Array((parent + "/guerdon-bench-XXXXXX").utf8CString)
            guard mkdtemp(&template) != nil else {
                throw ClientError(
                    .inputOutput, "cannot create a directory in \(parent): set TMPDIR or name one with --data")
            }
            place = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    deinit {
        server?.stop(signal: SIGKILL)
        if removesPlace { removeTree(place) }
    }

    func start() throws(ClientError) {
        bareSyncBefore = BareSync.medianNanoseconds(in: place, bytes: 100)
        server = try ServerProcess(
            executable: options.executable, directory: directory, arguments: options.serverArguments,
            logPath: place + "/server.log")
    }

    var endpoint: Endpoint { server?.endpoint ?? Endpoint() }

    var meter: ProcessMeter? { server.map { ProcessMeter(process: $0.process) } }

    /// Stops the server cleanly, replays its log, and times a bare append beside it.
    func stopAndReplay(into report: inout BenchReport) throws(ClientError) {
        guard let server else { return }
        let status = server.stop()
        guard status == 0 else {
            throw ClientError(.disconnected, "the server ended with status \(status) at SIGTERM: \(tail("server.log"))")
        }
        let start = monotonicNanoseconds()
        let output = place + "/verify.json"
        let process = try spawn(
            options.executable, [options.executable, "verify", "--data", directory, "--json"],
            standardOutputPath: output, standardErrorPath: place + "/verify.log")
        let verifyStatus = exitStatus(of: process)
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        guard verifyStatus == 0, let text = readText(output) else {
            throw ClientError(.inputOutput, "guerdon verify ended with status \(verifyStatus): \(tail("verify.log"))")
        }
        let result = try JSONValue.parse(text)
        let replayed = result["replayed"]?.integer ?? result["seq"]?.integer
        let replaySeconds = result["replaySeconds"]?.text.flatMap { Double($0) } ?? seconds
        report.replayPerSecond = replayed.map { Double($0) / replaySeconds }
        report.hash = result["hash"]?.text
        report.invariantsHold = result["ok"]?.boolean
        // The calmer of two measurements: behind a load, the kernel may still be busy with what was written.
        let bytes = min(max(32, Int(report.logBytesPerAction ?? 100)), 4_096)
        let bareSyncs = [bareSyncBefore, BareSync.medianNanoseconds(in: place, bytes: bytes)].compactMap { $0 }
        report.bareSyncMilliseconds = bareSyncs.min().map { Double($0) / 1e6 }
    }

    private func tail(_ name: String) -> String {
        String((readText(place + "/" + name) ?? "").suffix(2_000))
    }
}
