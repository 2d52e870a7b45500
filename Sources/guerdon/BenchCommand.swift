import ArgumentParser
import GuerdonBench
import GuerdonClient

struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a server with the scoring job.",
        discussion: """
            Members m0, m1, … are made first; the referrer of member i is (i-1)/5 rounded down. Then actions are streamed: \
            the performer is the lesser of two uniform draws, the value 0.01 to 500.00, 1 point for each whole 1.00, \
            5 / 3 / 1 % in money to three upline levels, a monthly board. An action counts when it is acknowledged as \
            durable. Then a snapshot is taken under the same load, the server is stopped and its log replayed.

            Without --rate a connection sends as many lines as were answered: this finds the most that the server does. \
            With --rate lines are due at fixed times, whether the server answers or not, and latency counts from when a \
            line was due, so that no wait is hidden; what is due together goes out together, connections taking turns, \
            and a line that finds every window full waits, which counts. A server that falls behind is told.

            Without --port a server is started on a directory of its own, on the same machine: the generator shares its \
            processors.

            Examples:
              guerdon bench --seconds 10
              guerdon bench --connections 1 --window 1 --members 10000
              guerdon bench --rate 200000
              guerdon bench --levels 40 --fanout 1 --plans 100
              guerdon bench --port 7450 --actions 1000000 --json
            """)

    @Option(help: ArgumentHelp("How many members to make first.", valueName: "n"))
    var members = 1_000_000

    @Option(help: ArgumentHelp("Stop after so many actions.", valueName: "n"))
    var actions: Int?

    @Option(help: ArgumentHelp("Stop after so many seconds (default: 10 without --actions).", valueName: "s"))
    var seconds: Double?

    @Option(help: ArgumentHelp("Connections that send.", valueName: "n"))
    var connections = 8

    @Option(help: ArgumentHelp("Lines in flight on each connection.", valueName: "n"))
    var window = 512

    @Option(help: ArgumentHelp("Makes the streams of two runs differ.", valueName: "k"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("The share of actions that are sent again.", valueName: "share"))
    var duplicates = 0.02

    @Option(
        help: ArgumentHelp("How commands are acknowledged: each or cumulative.", valueName: "mode"),
        completion: .list(Acknowledgement.allCases.map(\.rawValue)),
        transform: { text in
            guard let mode = Acknowledgement(rawValue: text) else { throw ValidationError("each or cumulative") }
            return mode
        })
    var ack = Acknowledgement.each

    @Option(help: ArgumentHelp("The share of lines that are reads (rank, wallet).", valueName: "share"))
    var readRatio = 0.0

    @Option(help: ArgumentHelp("Lines that are due a second, answered or not.", valueName: "n"))
    var rate: Double?

    @Option(help: ArgumentHelp("Upline levels that are paid: 5 %, 3 %, then 1 % each.", valueName: "n"))
    var levels = 3

    @Option(help: ArgumentHelp("Plans; all but the first are for actions of other types.", valueName: "n"))
    var plans = 1

    @Option(help: ArgumentHelp("Members that each member refers; 1 makes a chain.", valueName: "n"))
    var fanout = 5

    @Option(help: ArgumentHelp("A running server's port; without it one is started.", valueName: "n"))
    var port: Int?

    @Option(help: ArgumentHelp("A running server's address.", valueName: "host"))
    var host = "127.0.0.1"

    @Option(
        help: ArgumentHelp("Where the started server keeps its data (default: a temporary place).", valueName: "dir"),
        completion: .directory)
    var data: String?

    @Option(help: ArgumentHelp("Shards of the started server.", valueName: "n"))
    var shards: Int?

    @OptionGroup var output: OutputOptions

    private var options: BenchOptions {
        var options = BenchOptions()
        options.members = members
        options.actions = actions
        options.seconds = seconds
        options.connections = connections
        options.window = window
        options.seed = seed
        options.duplicates = duplicates
        options.acknowledgement = ack
        options.readRatio = readRatio
        options.rate = rate
        options.levels = levels
        options.plans = plans
        options.fanout = fanout
        options.endpoint = port.map { Endpoint(host: host, port: $0) }
        options.directory = data
        options.serverArguments = shards.map { ["--shards", String($0)] } ?? []
        return options
    }

    func validate() throws {
        if let complaint = options.complaint { throw ValidationError(complaint) }
    }

    func run() throws {
        try run(reporting: "bench", json: output.json) {
            let bar = ProgressBar("bench")
            let report: BenchReport
            do { report = try Bench(options) { bar.show($0) }.run() } catch let error as ClientError {
                throw port == nil ? error : error.withAdvice
            }
            bar.clear()
            Terminal.output.write(output.json ? report.json + "\n" : BenchTable.text(report))
            if report.fellBehind { Terminal.error.line("guerdon bench: " + BenchTable.lag(report)) }
            if let refusal = report.firstRefusal {
                Terminal.error.line("guerdon bench: \(grouped(report.refused)) actions were refused: \(refusal)")
                throw ExitCode(1)
            }
            if report.invariantsHold == false {
                Terminal.error.line("guerdon bench: an invariant is broken; run guerdon verify with --data")
                throw ExitCode(1)
            }
        }
    }
}

extension ProgressBar {
    /// Shows the stage of a measurement.
    fileprivate func show(_ stage: BenchStage) {
        switch stage {
        case .starting: show(fraction: nil, note: "starting a server")
        case .members(let done, let all):
            show(fraction: Double(done) / Double(max(1, all)), note: "\(grouped(done)) members")
        case .actions(let count, let fraction): show(fraction: fraction, note: "\(grouped(count)) actions acknowledged")
        case .snapshot: show(fraction: nil, note: "a snapshot under load")
        case .replay: show(fraction: nil, note: "replaying the log")
        }
    }
}

/// A report as people read it.
enum BenchTable {
    /// What is to be said of a server that did not keep up.
    static func lag(_ report: BenchReport) -> String {
        let rate = grouped(Int(report.options.rate ?? 0))
        let unsent = report.unsent == 0 ? "" : ", and \(grouped(report.unsent)) lines that were due were never sent"
        return "the server fell behind --rate \(rate): its last answer came "
            + "\(fixed(report.secondsBehind, digits: 1)) s late\(unsent). "
            + "The latencies are those of a queue that grows; ask for less"
    }

    static func text(_ report: BenchReport) -> String {
        let options = report.options
        var rows: [(String, String)] = [
            ("members", grouped(options.members)),
            (
                "connections × window",
                "\(options.connections) × \(options.window), ack \(options.acknowledgement.rawValue)"
            ),
            ("actions acknowledged", "\(grouped(report.acknowledged)) in \(fixed(report.seconds, digits: 2)) s"),
            ("actions a second", grouped(Int(report.actionsPerSecond))),
            ("of them sent before", grouped(report.duplicates)),
        ]
        if let rate = options.rate { rows.insert(("lines due a second", grouped(Int(rate))), at: 2) }
        if report.reads > 0 { rows.append(("reads answered", grouped(report.reads))) }
        rows.append(
            (
                "latency p50 / p99 / p99.9",
                [report.latency.p50, report.latency.p99, report.latency.p999].map { fixed($0, digits: 2) }
                    .joined(separator: " / ") + " ms"
            ))
        func add(_ title: String, _ value: Double?, digits: Int, _ unit: String) {
            if let value { rows.append((title, fixed(value, digits: digits) + unit)) }
        }
        add("bare append + fdatasync, p50", report.bareSyncMilliseconds, digits: 2, " ms")
        add("server CPU an action", report.serverCPUMicrosPerAction, digits: 2, " µs")
        add("bytes a member", report.bytesPerMember, digits: 0, "")
        add("log bytes an action", report.logBytesPerAction, digits: 0, "")
        add("longest wait in a snapshot", report.snapshotPauseMilliseconds, digits: 1, " ms")
        if let replay = report.replayPerSecond { rows.append(("replayed a second", grouped(Int(replay)))) }
        if let hash = report.hash { rows.append(("state hash", hash)) }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { title, value in
            title + String(repeating: " ", count: width - title.count + 2) + value + "\n"
        }.joined()
    }
}
