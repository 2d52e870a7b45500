import GuerdonClient

/// What `guerdon bench` found.
public struct BenchReport: Sendable {
    /// Quantiles of the time from writing a command to reading its acknowledgement, in milliseconds; with a rate, from
    /// when the command was due.
    public struct Latency: Sendable {
        public var p50 = 0.0
        public var p99 = 0.0
        public var p999 = 0.0
        public var max = 0.0

        init(_ histogram: Histogram) {
            p50 = Double(histogram.value(at: 0.5)) / 1e6
            p99 = Double(histogram.value(at: 0.99)) / 1e6
            p999 = Double(histogram.value(at: 0.999)) / 1e6
            max = Double(histogram.max) / 1e6
        }
    }

    /// Actions that the server acknowledged as durable, and the seconds that took.
    public var acknowledged: Int
    public var seconds: Double
    /// Of the acknowledged actions, how many had been sent before; and how many actions were refused.
    public var duplicates: Int
    public var refused: Int
    /// Reads answered meanwhile.
    public var reads: Int
    public var latency: Latency
    /// With a rate: lines that were due and not sent a second after the end; their waits so far are in ``latency``.
    public var unsent: Int
    /// With a rate: seconds from when the last line was due to its answer.
    public var secondsBehind: Double
    /// Processor time of the server for each acknowledged action, in microseconds.
    public var serverCPUMicrosPerAction: Double?
    /// Growth of the server's memory by making the members, for each of them.
    public var bytesPerMember: Double?
    /// The server's memory at the end of the measured time.
    public var residentBytes: Int?
    /// Growth of the log for each acknowledged action.
    public var logBytesPerAction: Double?
    /// Commands replayed in a second by `guerdon verify`.
    public var replayPerSecond: Double?
    /// The longest wait for an acknowledgement while a snapshot was taken under the same load.
    public var snapshotPauseMilliseconds: Double?
    /// The median of a bare append and `fdatasync` of one action's log bytes on the same file system.
    public var bareSyncMilliseconds: Double?
    /// The state hash that `guerdon verify` found, and whether all invariants hold.
    public var hash: String?
    public var invariantsHold: Bool?
    public var firstRefusal: String?
    public let options: BenchOptions

    /// Acknowledged actions a second.
    public var actionsPerSecond: Double { Double(acknowledged) / seconds }

    /// Whether the server fell behind the rate that was asked for.
    public var fellBehind: Bool { options.rate != nil && (unsent > 0 || secondsBehind > 0.5) }

    /// The report as one line of JSON, under the names of the wire document.
    public var json: String {
        let latencies = JSONValue.object([
            JSONMember("p50", .decimal(latency.p50, digits: 4)),
            JSONMember("p99", .decimal(latency.p99, digits: 4)),
            JSONMember("p999", .decimal(latency.p999, digits: 4)),
            JSONMember("max", .decimal(latency.max, digits: 4)),
        ])
        return JSONValue.object([
            JSONMember("acked", .integer(acknowledged)),
            JSONMember("seconds", .decimal(seconds, digits: 3)),
            JSONMember("actionsPerSecond", .decimal(actionsPerSecond, digits: 0)),
            JSONMember("latencyMs", latencies),
            JSONMember("serverCpuMicrosPerAction", .decimal(serverCPUMicrosPerAction, digits: 3)),
            JSONMember("bytesPerMember", .decimal(bytesPerMember, digits: 1)),
            JSONMember("logBytesPerAction", .decimal(logBytesPerAction, digits: 1)),
            JSONMember("replayPerSecond", .decimal(replayPerSecond, digits: 0)),
            JSONMember("snapshotPauseMs", .decimal(snapshotPauseMilliseconds, digits: 3)),
            JSONMember("members", .integer(options.members)),
            JSONMember("connections", .integer(options.connections)),
            JSONMember("window", .integer(options.window)),
            JSONMember("rate", .decimal(options.rate, digits: 0)),
            JSONMember("unsent", .integer(unsent)),
            JSONMember("levels", .integer(options.levels)),
            JSONMember("plans", .integer(options.plans)),
            JSONMember("fanout", .integer(options.fanout)),
            JSONMember("seed", .number(String(options.seed))),
            JSONMember("ack", .string(options.acknowledgement.rawValue)),
            JSONMember("duplicates", .integer(duplicates)),
            JSONMember("refused", .integer(refused)),
            JSONMember("reads", .integer(reads)),
            JSONMember("residentBytes", residentBytes.map { .integer($0) } ?? .null),
            JSONMember("bareSyncMs", .decimal(bareSyncMilliseconds, digits: 4)),
            JSONMember("hash", hash.map { .string($0) } ?? .null),
            JSONMember("invariantsHold", invariantsHold.map { .bool($0) } ?? .null),
        ]).description
    }
}

extension JSONValue {
    /// A number of a count.
    static func integer(_ value: Int) -> JSONValue { .number(String(value)) }

    /// A measured value with so many decimals; null for what was not measured.
    static func decimal(_ value: Double?, digits: Int) -> JSONValue {
        guard let value, value.isFinite else { return .null }
        return .number(fixed(value, digits: digits))
    }
}

/// A measured value as text with so many decimals.
public func fixed(_ value: Double, digits: Int) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * scale).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard digits > 0 else { return sign + String(scaled) }
    let fraction = String(scaled % Int(scale))
    return sign + String(scaled / Int(scale)) + "." + String(repeating: "0", count: digits - fraction.count) + fraction
}
