import ArgumentParser
import GuerdonBench
import GuerdonClient

struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Stream lines of JSON from files or standard input.",
        discussion: """
            Many lines are in flight at once. When the connection is lost it is made again, and every line that was not \
            acknowledged is sent again: actions are told apart by their externalId, so nothing counts twice. \
            Refused lines are printed with their number; then the exit status is 1.

            Examples:
              guerdon send actions.ndjson
              tail -f orders.ndjson | guerdon send --port 7450 --workspace shop
              echo '{"op":"wallet","member":"m2"}' | guerdon send --replies
            """)

    @OptionGroup var server: ServerOptions
    @OptionGroup var output: OutputOptions

    @Option(help: ArgumentHelp("How many lines may wait for their answer.", valueName: "n"))
    var window = 512

    @Option(help: ArgumentHelp("For how long a lost server is tried again.", valueName: "seconds"))
    var retry = 60.0

    @Option(help: ArgumentHelp("How many lines there will be, for the progress bar of a pipe.", valueName: "n"))
    var total: Int?

    @Flag(help: "Print every reply; the summary goes to standard error.")
    var replies = false

    @Argument(help: ArgumentHelp("Files to send; standard input without any.", valueName: "file"), completion: .file())
    var files: [String] = []

    func validate() throws {
        guard (1...1_000_000).contains(window) else { throw ValidationError("--window must be 1 to 1000000") }
        guard retry >= 0 else { throw ValidationError("--retry must be 0 or more seconds") }
    }

    func run() throws {
        try run(reporting: "send", json: output.json) {
            var options = Sender.Options()
            options.window = window
            options.retrySeconds = retry
            let sender = Sender(to: try server.endpoint(), options: options)
            let watch = Watch(retrySeconds: retry)
            watch.follow(sender)
            let printer = replies ? ReplyPrinter() : nil
            if let printer { sender.onReply = { printer.add($0) } }
            let start = monotonicNanoseconds()
            do throws(ClientError) { try sender.connect() } catch { throw error.withAdvice }
            try sendAll(through: sender, watch)
            printer?.flush()
            watch.bar.clear()
            let seconds = Double(monotonicNanoseconds() - start) / 1e9
            let summary = output.json ? watch.json(sender.totals, seconds) : watch.text(sender.totals, seconds)
            (replies ? Terminal.error : Terminal.output).line(summary)
            if sender.totals.refused > 0 { throw ExitCode(1) }
        }
    }

    private func sendAll(through sender: Sender, _ watch: Watch) throws {
        let paths = files.isEmpty ? ["-"] : files
        let inputs = try paths.map { try LineInput(path: $0) }
        watch.expect(lines: total, bytes: inputs.map(\.bytes))
        for (path, input) in zip(paths, inputs) {
            watch.places.begin(path == "-" ? nil : path, at: sender.totals.sent)
            try input.forEachLine { line in
                watch.sentBytes += line.count + 1
                guard !LineInput.isBlank(line) else { return watch.places.skip(at: sender.totals.sent) }
                guard !line.contains("\"op\":\"hello\"") else {
                    throw ClientError(
                        .inputOutput, "a hello line cannot be streamed; choose the workspace with --workspace")
                }
                try sender.send(line)
            } waiting: { descriptor in
                try sender.work(untilReadable: descriptor)
            }
        }
        try sender.finish()
    }
}

/// Where the lines of a stream stand in their files.
struct LinePlaces {
    /// Lines of one file without a blank one among them.
    private struct Run {
        var file: String?
        /// Lines of the stream before the run.
        var before: Int
        /// Lines of the file before the run.
        var skipped: Int
    }
    private var runs: [Run] = []

    /// A file begins, behind so many lines of the stream; `nil` for standard input.
    mutating func begin(_ file: String?, at sent: Int) { runs.append(Run(file: file, before: sent, skipped: 0)) }

    /// A line is not sent.
    mutating func skip(at sent: Int) {
        guard var last = runs.last else { return }
        last.skipped += sent - last.before + 1
        if last.before == sent { runs.removeLast() }
        last.before = sent
        runs.append(last)
    }

    /// Where the line with this number in the stream (from 1) stands: `orders.ndjson:17`, or `line 17`.
    func name(ofLine number: Int) -> String {
        var (low, high) = (0, runs.count)
        while low < high {
            let middle = (low + high) / 2
            if runs[middle].before < number { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return "line \(number)" }
        let run = runs[low - 1]
        let line = run.skipped + number - run.before
        return run.file.map { "\(printable($0)):\(line)" } ?? "line \(line)"
    }
}

/// Collects replies and prints them in large pieces.
private final class ReplyPrinter {
    private var pending: [UInt8] = []

    func add(_ line: UnsafeRawBufferPointer) {
        pending.append(contentsOf: line)
        pending.append(0x0A)
        if pending.count > 64 << 10 { flush() }
    }

    func flush() {
        Terminal.output.write(pending)
        pending.removeAll(keepingCapacity: true)
    }
}

/// Watches a stream: progress, refusals and lost connections go to standard error, the sum is kept.
private final class Watch {
    let bar = ProgressBar("sending")
    var sentBytes = 0
    var places = LinePlaces()
    private let retrySeconds: Double
    private var totalLines: Int?
    private var totalBytes: Int?
    private var losses: [(acknowledged: Int, inFlight: Int)] = []

    init(retrySeconds: Double) { self.retrySeconds = retrySeconds }

    /// How much there will be, where that is known.
    func expect(lines: Int?, bytes: [Int?]) {
        totalLines = lines
        totalBytes = bytes.contains { $0 == nil } ? nil : bytes.reduce(0) { $0 + ($1 ?? 0) }
    }

    func follow(_ sender: Sender) {
        sender.onRefusal = { [self] number, refusal in
            bar.clear()
            let field = refusal.field.map { " (field \($0))" } ?? ""
            Terminal.error.line(
                "\(places.name(ofLine: number)): \(refusal.code): \(printable(refusal.message))\(field)")
        }
        sender.onProgress = { [self] totals in
            let done = totals.acknowledged + totals.refused
            let fraction =
                totalLines.map { Double(done) / Double(max(1, $0)) }
                ?? totalBytes.map { Double(sentBytes) / Double(max(1, $0)) }
            bar.show(fraction: fraction, note: "\(grouped(totals.acknowledged)) acknowledged")
        }
        sender.onDisconnect = { [self, unowned sender] reason, inFlight in
            bar.clear()
            losses.append((sender.totals.acknowledged, inFlight))
            Terminal.error.line(
                "connection lost with \(grouped(sender.totals.acknowledged)) lines acknowledged and "
                    + "\(grouped(inFlight)) in flight (\(reason)); trying again for \(Int(retrySeconds)) s")
        }
    }

    func text(_ totals: Sender.Totals, _ seconds: Double) -> String {
        let rate = Int(Double(totals.sent) / max(seconds, 1e-9))
        return "\(grouped(totals.acknowledged)) of \(grouped(totals.sent)) lines acknowledged, "
            + "\(grouped(totals.duplicates)) of them known before, \(grouped(totals.refused)) refused; "
            + "\(grouped(rate)) lines/s"
    }

    func json(_ totals: Sender.Totals, _ seconds: Double) -> String {
        func number(_ value: Int) -> JSONValue { .number(String(value)) }
        let lost = losses.map { loss in
            JSONValue.object([
                JSONMember("acked", number(loss.acknowledged)), JSONMember("inFlight", number(loss.inFlight)),
            ])
        }
        return JSONValue.object([
            JSONMember("sent", number(totals.sent)),
            JSONMember("acked", number(totals.acknowledged)),
            JSONMember("duplicates", number(totals.duplicates)),
            JSONMember("refused", number(totals.refused)),
            JSONMember("resent", number(totals.resent)),
            JSONMember("seconds", .number(fixed(seconds, digits: 6))),
            JSONMember("disconnectedSeconds", .number(fixed(Double(totals.disconnectedNanoseconds) / 1e9, digits: 6))),
            JSONMember("disconnects", .array(lost)),
        ]).description
    }
}
