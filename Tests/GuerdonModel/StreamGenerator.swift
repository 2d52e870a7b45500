import TestSupport

/// A random stream of batches of commands and reads: few members so that things collide, every seed with its own mix.
///
/// ```swift
/// var generator = StreamGenerator(seed: 7)
/// for _ in 0..<200 {
///     let step = generator.next()
///     for line in step.lines { … model.handle(line, at: step.time, ack: true) … }
/// }
/// for line in generator.audit() { … }
/// ```
///
/// The generator keeps only a rough memory of what it sent, so much of what it sends is refused; that is wanted. All
/// conditions come from ``Conditions``. Within a batch the reads stand behind the commands, because the engine
/// answers reads between batches.
public struct StreamGenerator: Sendable {
    /// One batch: its time in nanoseconds since the epoch and its lines.
    public struct Step: Sendable, Equatable {
        /// Never less than the time of the step before.
        public var time: Int64
        /// Without line ends.
        public var lines: [String]

        /// A batch of these lines at this time.
        public init(time: Int64, lines: [String]) { (self.time, self.lines) = (time, lines) }
    }

    /// What a stream may contain besides plain members, plans and actions.
    public enum Feature: String, CaseIterable, Sendable {
        case workspaces, manyMembers, uplines, lifetimes, planChanges, boards, duplicates, reversals, redeems, adjusts
        case budgets, memberChanges, codes, autoCreate, backdated, unknowns, malformed, reads, edgeAmounts, debt
        case conditions, attributes, settingChanges, oddIds, invalidPlans, oddText
    }

    /// How a stream is made.
    public struct Options: Sendable {
        /// The features of the stream; `nil` lets the seed turn each on or off.
        public var features: Set<Feature>?
        /// Features that no seed turns on.
        public var excluded: Set<Feature> = []
        /// The most commands of one batch.
        public var batchMax = 12

        /// The seed decides everything.
        public init() {}
    }

    /// What this stream contains.
    public let features: Set<Feature>

    var random: SplitMix64
    var time: Int64
    var worlds: [World] = []
    private let options: Options
    private var pending: [Line] = []
    private var requestId = 0

    /// A stream that the seed and the options determine entirely.
    public init(seed: UInt64, options: Options = Options()) {
        var random = SplitMix64(seed: seed)
        var chosen: Set<Feature> = []
        for feature in Feature.allCases {
            // The features that refuse or overflow nearly everything are rare, or they would hide the rest.
            let isOn = feature == .edgeAmounts || feature == .manyMembers ? random.once(in: 5) : !random.once(in: 3)
            if isOn { chosen.insert(feature) }
        }
        features = (options.features ?? chosen).subtracting(options.excluded)
        self.options = options
        time = random.pick(StreamGenerator.beginnings)
        self.random = random
        pending = setUp()
    }

    /// Starts near changes of clock, year, month and a day that Apia skipped.
    private static let beginnings: [Int64] = [
        "2026-11-01T04:30:00Z", "2026-10-24T21:00:00Z", "2026-12-30T12:00:00Z", "2027-03-27T23:00:00Z",
        "2024-02-28T09:00:00Z", "2011-12-29T20:00:00Z", "2026-11-09T23:59:00Z",
    ].map { Int64(rfc3339: $0)! }

    /// The next batch.
    public mutating func next() -> Step {
        advance()
        if !pending.isEmpty {
            let count = min(pending.count, random.number(1...max(1, options.batchMax)))
            defer { pending.removeFirst(count) }
            return Step(time: time, lines: pending.prefix(count).map { numbered($0) })
        }
        var commands: [String] = []
        for _ in 0..<random.number(1...max(1, options.batchMax)) { commands += command() }
        var reads: [String] = []
        if features.contains(.reads) {
            for _ in 0..<random.number(0...3) { reads.append(numbered(read())) }
        }
        return Step(time: time, lines: commands + reads)
    }

    func has(_ feature: Feature) -> Bool { features.contains(feature) }

    /// The time moves on: often not at all, mostly by seconds, rarely by days.
    private mutating func advance() {
        let second = nanosPerSecond
        switch random.number(0...19) {
        case 0...5: break
        case 6...8: time += Int64(random.number(1...1000))
        case 9...14: time += Int64(random.number(1...20)) * second / 2
        case 15...17: time += Int64(random.number(1...7200)) * second
        case 18: time += Int64(random.number(1...100)) * 3600 * second
        default: time = (time / (3600 * second) + 1) * 3600 * second
        }
    }

    /// The line as text with a request id, sometimes with its fields in another order.
    mutating func numbered(_ line: Line) -> String {
        requestId += 1
        var line = line
        if !random.once(in: 30) {
            line["id"] = random.once(in: 10) ? Line.quoted("r\(requestId)") : String(requestId)
        }
        if random.once(in: 4) { line.fields.shuffle(using: &random) }
        return has(.oddText) && random.once(in: 10) ? spaced(line) : line.text
    }

    /// The same request with white space between all parts and escapes in its names.
    private func spaced(_ line: Line) -> String {
        let fields = line.fields.map { field in
            let code = String(field.name.utf8.first!, radix: 16)
            return " \"\\u00\(code)\(field.name.dropFirst())\" :\t\(field.value) "
        }
        return " {" + fields.joined(separator: ",") + "} "
    }

    /// One command, or a command and its nasty twin.
    private mutating func command() -> [String] {
        let world = random.number(0...worlds.count - 1)
        if has(.malformed) && random.once(in: 15) { return [malformed(in: world)] }
        if has(.unknowns) && random.once(in: 15) { return [numbered(unknown(in: world))] }
        if has(.duplicates) && random.once(in: 8), let line = resent(in: world) { return [numbered(line)] }
        let line = anyCommand(in: world)
        if line["externalId"] != nil { worlds[world].remember(line) }
        let text = numbered(line)
        return has(.duplicates) && random.once(in: 20) ? [text, text] : [text]
    }

    private mutating func anyCommand(in world: Int) -> Line {
        switch random.number(0...99) {
        case 0..<8 where has(.memberChanges): return memberChange(in: world)
        case 8..<11: return newMember(in: world)
        case 11..<16 where has(.planChanges): return planChange(in: world)
        case 16..<19 where has(.settingChanges): return settingChange(in: world)
        case 19..<22 where has(.boards): return board(in: world)
        case 22..<40 where has(.reversals): return reversal(in: world) ?? action(in: world)
        case 40..<48 where has(.redeems): return redeem(in: world)
        case 48..<55 where has(.adjusts): return adjust(in: world)
        default: return action(in: world)
        }
    }
}
